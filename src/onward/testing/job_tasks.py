"""Tasks that behave badly, and some that do not: what backends of jobs and the fault tests run."""

# ruff: noqa: ARG001 - every task takes the same two arguments, whatever it needs

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onward.jobs.kinds import TaskContext
from onward.types import ProgressEvent

__all__ = [
    "TASKS",
    "ask",
    "bad_alloc",
    "chatter",
    "deaf",
    "die",
    "echo",
    "escape",
    "fail",
    "garble",
    "grow",
    "lightgbm",
    "loky",
    "oversize",
    "publish",
    "quick",
    "shout",
    "sleep",
    "small",
]

TASKS = (
    "ask",
    "bad_alloc",
    "chatter",
    "deaf",
    "die",
    "echo",
    "escape",
    "fail",
    "garble",
    "grow",
    "lightgbm",
    "loky",
    "oversize",
    "publish",
    "quick",
    "shout",
    "sleep",
    "small",
)
"""Names of the tasks, each of them also that of a kind of job."""
ADDRESS = "onward.testing.job_tasks"
FOREVER = 1_000.0


def echo(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Tell of progress and return the spec."""
    context.progress(ProgressEvent("work", 1, 2, "half", {"auc": 0.5}))
    context.log("halfway")
    return dict(context.spec)


def quick(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Work for ``seconds`` and return."""
    time.sleep(float(context.spec.get("seconds", 0.0)))
    return {"attempt": context.attempt}


def publish(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Write an artifact for the supervisor to publish, after ``seconds``."""
    context.progress(ProgressEvent("work", 0, 1))
    time.sleep(float(context.spec.get("seconds", 0.0)))
    (context.directory / "artifact.txt").write_text(f"{context.job_id}/{context.attempt}")
    return {"attempt": context.attempt}


def ask(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Ask the supervisor and return what it says."""
    return {"answer": context.ask("size", number=int(context.spec.get("number", 1)))}


def fail(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Raise."""
    raise ZeroDivisionError("on purpose")


def die(context: TaskContext, services: object) -> Mapping[str, Any]:
    """End by ``signal``, or with ``code`` and no result."""
    if "signal" in context.spec:
        os.kill(os.getpid(), int(context.spec["signal"]))
        time.sleep(FOREVER)
    os._exit(int(context.spec.get("code", 3)))


def sleep(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Do nothing for a long time."""
    _note(context, os.getpid())
    time.sleep(float(context.spec.get("seconds", FOREVER)))
    return {}


def deaf(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Ignore SIGTERM in a child that has the signal for itself, and suspend the worker."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(1000)"]
    )
    _note(context, os.getpid(), child.pid)
    os.kill(os.getpid(), signal.SIGSTOP)
    return {}


def lightgbm(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Train one booster in native code for ``rounds`` (a very long time)."""
    _note(context, os.getpid())
    _train(int(context.spec.get("rounds", 100_000)), int(context.spec.get("rows", 20_000)))
    return {}


def small(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Train a booster of a few trees, for real, and write it down as an artifact."""
    text = _train(int(context.spec.get("rounds", 5)), 2_000)
    (context.directory / "artifact.txt").write_text(f"{context.job_id}/{context.attempt}\n{text}")
    return {"attempt": context.attempt, "trees": int(context.spec.get("rounds", 5))}


def loky(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Train two boosters at once in loky children, for a very long time."""
    from joblib import Parallel, delayed

    rounds = int(context.spec.get("rounds", 100_000))
    shared = str(context.shared)
    Parallel(n_jobs=2, backend="loky")(delayed(_child)(shared, rounds) for _ in range(2))
    return {}


def escape(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Leave the session in every way there is: fork twice, start a session, execute something."""
    if (child := os.fork()) == 0:
        os.setsid()
        if (grandchild := os.fork()) == 0:
            while True:
                time.sleep(1)
        _note(context, grandchild)
        os._exit(0)
    os.waitpid(child, 0)
    code = "import os, time; os.fork() and os._exit(0); os.setsid(); time.sleep(1000)"
    other = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    other.wait()
    _note(context, os.getpid())
    time.sleep(FOREVER)
    return {}


def grow(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Take memory, 16 MB at a time, up to ``megabytes``, and keep it."""
    held = []
    _note(context, os.getpid())
    for _ in range(int(context.spec.get("megabytes", 2_000)) // 16):
        held.append(bytearray(b"x" * 16_000_000))
        time.sleep(0.005)
    time.sleep(FOREVER)
    return {"held": len(held)}


def bad_alloc(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Train below a limit of address space that does not suffice."""
    import resource

    import lightgbm  # noqa: F401 - loads its libraries while there is room

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 24_000_000, used + 24_000_000))
    _train(50, 200_000)
    return {}


def garble(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Send what is no message."""
    context._line._socket.sendall(b'["no message"]\n')  # type: ignore[attr-defined]
    time.sleep(FOREVER)
    return {}


def oversize(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Return a manifest that is too large."""
    return {"text": "x" * int(context.spec.get("size", 5_000_000))}


def shout(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Tell more at once than there is room for: as ``log``, ``progress``, ``figures``, ``ask``, ``error``."""
    where, much = str(context.spec["where"]), "x" * int(context.spec.get("size", 5_000_000))
    if where == "log":
        context.log(much)
    elif where == "progress":
        context.progress(ProgressEvent(much, 1, 2, much, {"auc": 0.5}))
    elif where == "figures":
        context.progress(
            ProgressEvent("work", 1, 2, "half", {f"{much[:1000]}{n}": 0.5 for n in range(5_000)})
        )
    elif where == "ask":
        context.ask("size", text=much)
    else:
        raise ValueError(much)
    return {"where": where}


def chatter(context: TaskContext, services: object) -> Mapping[str, Any]:
    """Tell far more than anybody reads."""
    for number in range(int(context.spec.get("lines", 2_000))):
        context.log(f"line {number}")
        context.progress(ProgressEvent("talk", number + 1, 2_000, "", {"n": float(number)}))
    return {}


def _note(context: TaskContext, *pids: int) -> None:
    """Leave numbers of processes where a test finds them."""
    for pid in pids:
        (context.shared / f"pid-{pid}").touch()


def _child(shared: str, rounds: int) -> None:
    (Path(shared) / f"pid-{os.getpid()}").touch()
    _train(rounds, 20_000)


def _train(rounds: int, rows: int) -> str:
    import lightgbm as library
    import numpy as np

    generator = np.random.default_rng(0)
    features = generator.normal(size=(rows, 20))
    labels = (features[:, 0] + generator.normal(size=rows) > 0).astype(int)
    parameters = {"objective": "binary", "verbose": -1, "num_threads": 1, "min_data_in_leaf": 5}
    data = library.Dataset(features, labels, params={"verbose": -1})
    return str(library.train(parameters, data, rounds).model_to_string())
