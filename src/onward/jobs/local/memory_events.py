"""Whether the system killed something for want of memory: counters, read before and after."""

from __future__ import annotations

import contextlib
from pathlib import Path

__all__ = ["out_of_memory_kills"]

CGROUPS = Path("/sys/fs/cgroup")


def out_of_memory_kills() -> int | None:
    """Return how many processes the system has killed for want of memory; None where it does not say.

    Of the control group of this process where there is one with a counter, else of the machine.
    """
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            hierarchy, _, path = line.split(":", 2)
            if hierarchy == "0":
                return _counter(CGROUPS / path.lstrip("/") / "memory.events", "oom_kill")
    with contextlib.suppress(OSError, ValueError):
        return _counter(Path("/proc/vmstat"), "oom_kill")
    return None


def _counter(file: Path, name: str) -> int:
    for line in file.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    raise ValueError(f"{file} has no {name}")
