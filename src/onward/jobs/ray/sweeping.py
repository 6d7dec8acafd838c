"""Looking on a host whether anything of an attempt is left, and ending it.

An actor hands its tag to the processes it starts, in their environment. What the worker forks keeps
that environment, whatever session it moves into and whoever its parent becomes, so the tag finds
also what has lost actor, warden and nursery at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onward.jobs.local.processes import find_name, raise_if_exhausted, send_signal, table

__all__ = ["TAG", "sweep", "sweep_on", "tag_of"]

TAG = "ONWARD_RAY_ATTEMPT"
GUARDS = ("onward-warden", "onward-nursery")


def tag_of(job_id: str, attempt: int, number: int | None = None) -> str:
    """Return the tag of one actor of an attempt (0 leads), or without a number that of all of them."""
    return f"{job_id}/{attempt}" if number is None else f"{job_id}/{attempt}/{number}"


def sweep(tag: str) -> int:
    """Kill what is left on this host of the actors with a tag, and return how many processes that were.

    Guards go last: whoever left everything else behind is found by them alone.
    """
    processes = table()
    children: dict[int, list[int]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process.pid)
    found = {pid for pid in processes if pid != os.getpid() and _tagged(pid, tag)}
    waiting = list(found)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    left = [processes[pid] for pid in found if not processes[pid].dead]
    others = [process for process in left if find_name(process.pid) not in GUARDS]
    for process in others or left:
        send_signal(process, signal.SIGKILL)
    return len(left)


def sweep_on(ray: Any, nodes: Sequence[str], tag: str) -> list[Any]:
    """Have nodes swept; returns Ray's references to the numbers of processes."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(sweep)
    return [
        task.options(
            num_cpus=0,
            max_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=node, soft=False),
        ).remote(tag)
        for node in nodes
    ]


def _tagged(pid: int, tag: str) -> bool:
    value = _environment(pid).get(TAG)
    return value is not None and (value == tag or value.startswith(f"{tag}/"))


def _environment(pid: int) -> dict[str, str]:
    if not Path("/proc/self/environ").exists():
        import psutil

        with contextlib.suppress(psutil.Error, OSError):
            return dict(psutil.Process(pid).environ())
        return {}
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError as error:
        raise_if_exhausted(error)
        return {}
    pairs = (entry.decode(errors="replace").partition("=") for entry in entries)
    return {name: value for name, _, value in pairs}
