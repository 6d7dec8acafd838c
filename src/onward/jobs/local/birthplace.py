"""How the warden of an attempt is found by those who may have to end it.

The row of a job names its worker only once the server has written that down. A server that is
suspended right before leaves a worker that waits for its release, and that nobody else would find: it
has executed nothing yet, so no environment bears its marker. What a worker started and what then left
its session is found below the warden alone.

A warden bears a *sign*: an open file in memory, named after the attempt. Whoever knows the attempt
finds it among the processes of this host, also a server with another home, and it goes when its
bearer does. A *note* in the attempt's directory says the same where signs cannot be had (macOS, or a
``/proc`` that shows too little), to servers of the same home.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

from onward.jobs.local.processes import boot_id, find, find_name, host_name, raise_if_exhausted

__all__ = ["NAME", "bear_sign", "forget_warden", "note_warden", "noted_warden", "signed_warden"]

NAME = "onward-warden"
"""What process lists show."""
NOTE = "warden.json"
PROC = Path("/proc")


def bear_sign(marker: str) -> int | None:
    """Open what names this process the warden of an attempt, and return it; None where there are no signs.

    Whoever is forked from this process must close it before anything else.
    """
    if sys.platform != "linux":
        return None
    try:
        return os.memfd_create(_sign(marker), os.MFD_CLOEXEC)
    except OSError:  # the note remains
        return None


def signed_warden(marker: str) -> tuple[int, int] | None:
    """Return number and start of the living warden that bears the sign of an attempt; None without one.

    Wardens of other users cannot be looked at, nor could they be ended from here.
    """
    if sys.platform != "linux":
        return None
    sign = f"/memfd:{_sign(marker)} (deleted)"
    for pid in (int(path.name) for path in PROC.iterdir() if path.name.isdigit()):
        if find_name(pid) == NAME and sign in _open_files(pid):
            process = find(pid)
            return None if process is None else (pid, process.start)
    return None


def note_warden(directory: Path) -> None:
    """Write down that this process is the warden of the attempt of this directory.

    Raises
    ------
    OSError
        When the disk refuses: then no worker may be born.
    """
    own = find(os.getpid())
    start = None if own is None else own.start
    note = {"host": host_name(), "boot": boot_id(), "pid": os.getpid(), "start": start}
    draft = directory / f"{NOTE}.new"
    draft.write_text(json.dumps(note))
    draft.replace(directory / NOTE)


def forget_warden(directory: Path) -> None:
    """Take the note away: its warden goes, and nothing is left."""
    with contextlib.suppress(OSError):  # what names nobody alive does no harm
        (directory / NOTE).unlink()


def noted_warden(directory: Path) -> tuple[int, int] | None:
    """Return number and start of an attempt's warden; None where none of this host and boot is noted."""
    try:
        note = json.loads((directory / NOTE).read_text())
    except OSError as error:  # nothing was born
        raise_if_exhausted(error)
        return None
    except (ValueError, RecursionError):  # the note is damaged
        return None
    match note:
        case {"host": host, "boot": boot, "pid": int(pid), "start": int(start)}:
            return (pid, start) if (host, boot) == (host_name(), boot_id()) else None
    return None


def _sign(marker: str) -> str:
    return f"{NAME}:{marker}"


def _open_files(pid: int) -> set[str]:
    found: set[str] = set()
    try:
        for entry in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(entry.readlink()))
    except OSError as error:  # it went meanwhile, or is somebody else's
        raise_if_exhausted(error)
    return found
