"""Resident memory of a process and of everything it started."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection
from pathlib import Path

__all__ = ["session_memory_bytes"]

PROC = Path("/proc")


def session_memory_bytes(session: int, groups: Collection[int]) -> int:
    """Return the resident bytes of all processes of a session.

    Pages that processes share are counted once for each, so the figure is an upper bound.

    Parameters
    ----------
    session
        Session number: the process number of its leader.
    groups
        Process groups of the session, for systems that cannot be asked for sessions.
    """
    if (PROC / "self" / "stat").exists():
        return _by_proc(session)
    return _by_ps(groups)


def _by_proc(session: int) -> int:
    pages = 0
    for name in os.listdir(PROC):  # noqa: PTH208 - twenty times a second: no objects wanted
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:  # noqa: PTH123 - as above
                # The name of the command, in parentheses, may hold anything.
                fields = stat.read().rpartition(b")")[2].split()
        except OSError:  # ended meanwhile
            continue
        if len(fields) > 21 and int(fields[3]) == session:
            pages += int(fields[21])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _by_ps(groups: Collection[int]) -> int:
    listing = subprocess.run(
        ["ps", "-A", "-o", "pgid=,rss="], capture_output=True, text=True, check=False, timeout=10
    )
    rows = (line.split() for line in listing.stdout.splitlines())
    return 1024 * sum(int(row[1]) for row in rows if len(row) == 2 and int(row[0]) in groups)
