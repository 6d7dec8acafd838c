"""The machine that figures come from."""

from __future__ import annotations

import os
import platform
from pathlib import Path

__all__ = ["describe", "load_average"]


def describe() -> str:
    """Return processor, cores, memory, operating system and Python in one line."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {gigabytes:.0f} GiB memory, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


def load_average() -> float:
    """Return how many processes wanted a core in the last minute, on average."""
    return os.getloadavg()[0]


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
