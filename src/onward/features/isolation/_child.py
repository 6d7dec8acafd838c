"""What runs inside the child: a guardian that never does anything else, and a worker.

Started by file name in a fresh interpreter; imports the standard library only until the guardian
has forked the worker. The guardian holds the reading end of the *life line*, a pipe whose writing
end only the parent holds. When the line breaks, because the parent closed it or died in whatever
way, the guardian kills the worker with its whole process group and removes the private directory.
It runs no foreign code, so nothing can keep it from doing so: a worker stuck in native code that
holds the interpreter lock could not watch over itself.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import json
import os
import select
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

TICK_MILLISECONDS = 100
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux


def main() -> None:
    """Fork the worker, then guard it. Exit code: the worker's, or 128 + the signal that ended it."""
    life, requests, replies, parent = (int(text) for text in sys.argv[1:5])
    for descriptor in (life, requests, replies):
        os.set_inheritable(descriptor, False)
    guardian = os.getpid()
    worker = os.fork()
    if worker == 0:
        os.close(life)
        try:
            _work(requests, replies, guardian)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(requests)
    os.close(replies)
    with contextlib.suppress(OSError):  # the worker does the same; whoever comes first
        os.setpgid(worker, worker)
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    os._exit(_guard(life, worker, parent, Path(sys.argv[5])))


def _guard(life: int, worker: int, parent: int, directory: Path) -> int:
    watch = select.poll()
    watch.register(life, select.POLLIN | select.POLLHUP)
    while True:
        broken = bool(watch.poll(TICK_MILLISECONDS)) or os.getppid() != parent
        ended, status = os.waitpid(worker, os.WNOHANG)
        if ended or broken:
            # Descendants go with the worker, also when it left by itself.
            with contextlib.suppress(OSError):
                os.killpg(worker, signal.SIGKILL)
        if broken:
            if not ended:
                os.waitpid(worker, 0)
            shutil.rmtree(directory, ignore_errors=True)
            return 128 + signal.SIGKILL
        if ended:
            return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _work(requests: int, replies: int, guardian: int) -> None:
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    _die_with(guardian)
    lock = threading.Lock()

    def reply(message: dict[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        with lock:
            while line:
                line = line[os.write(replies, line) :]

    with os.fdopen(requests, "rb") as lines:
        setup = json.loads(lines.readline() or b"{}")
        sys.path[:] = setup["path"]
        if setup["address_space"] is not None:
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (setup["address_space"],) * 2)
        reply({"kind": "ready", "pid": os.getpid()})
        for line in lines:
            _serve(json.loads(line), reply)


def _serve(request: dict[str, Any], reply: Callable[[dict[str, Any]], None]) -> None:
    def progress(done: float, total: float, message: str = "") -> None:
        reply({"kind": "progress", "done": float(done), "total": float(total), "message": str(message)})

    try:
        exchange = _exchange()
        folder = Path(request["directory"])
        arrays = exchange.read_arrays(folder / "in", request["arrays"], mapped=True)
        module, _, name = request["target"].partition(":")
        function = getattr(importlib.import_module(module), name)
        given_arrays, given_values = function(arrays, request["values"], progress)
        names = exchange.write_arrays(folder / "out", given_arrays)
        message = {"kind": "answer", "arrays": names, "values": dict(given_values)}
        json.dumps(message)
    except MemoryError:
        traceback.print_exc()
        message = {"kind": "memory"}
    except BaseException as error:
        traceback.print_exc()
        message = {"kind": "error", "error": _described(error)}
    sys.stdout.flush()
    sys.stderr.flush()
    reply(message)


@functools.cache
def _exchange() -> Any:
    """Load the neighbouring file by its place: importing it by name would import all of features."""
    spec = importlib.util.spec_from_file_location("_exchange", Path(__file__).with_name("exchange.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _described(error: BaseException) -> dict[str, Any]:
    told = error.to_dict() if hasattr(error, "to_dict") else {}
    return {
        "class": type(error).__name__,
        "text": str(error)[:500],
        "ours": told if type(error).__module__ == "onward.errors" else None,
        "traceback": "".join(traceback.format_exception(error))[-6000:],
    }


def _die_with(guardian: int) -> None:
    """Have Linux kill the worker should the guardian itself be killed."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != guardian:  # died before the request took effect
        os._exit(1)


if __name__ == "__main__":
    main()
