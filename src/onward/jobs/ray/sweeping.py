"""Looking, on the host of an actor that died, whether anything of its attempt is left, and ending it."""

from __future__ import annotations

import signal
from typing import Any

from onward.jobs.local.processes import find, members, send_signal

__all__ = ["Traces", "sweep", "sweep_on"]

Traces = tuple[str, tuple[int, int] | None, tuple[int, int] | None]
"""Marker ``<job>/<attempt>``; number and start of the worker, and of its warden, where known."""


def sweep(traces: Traces) -> int:
    """Kill what is left of an attempt on this host, and return how many processes that were."""
    marker, worker, warden = traces
    found = members(root=warden, session=worker, marker=marker)
    for process in found:
        send_signal(process, signal.SIGKILL)
    guard = None if warden is None else find(warden[0])
    if guard is None or warden is None or guard.start != warden[1] or guard.dead:
        return len(found)
    if guard.state == "T" and not found:
        send_signal(guard, signal.SIGKILL)  # suspended, and nothing left to guard
    return len(found) + 1  # it goes by itself when nothing is below it


def sweep_on(ray: Any, node: str, traces: Traces) -> Any:
    """Have a node swept; returns Ray's reference to the number of processes."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(node_id=node, soft=False)
    task = ray.remote(sweep).options(num_cpus=0, max_retries=0, scheduling_strategy=here)
    return task.remote(traces)
