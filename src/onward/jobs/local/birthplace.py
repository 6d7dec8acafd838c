"""A note in an attempt's directory that says who its warden is, for those who may have to end it.

The row of a job names its worker only once the server has written that down. A server that is
suspended right before leaves a worker that waits for its release, and that nobody else would find: it
has executed nothing yet, so no environment bears its marker.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from onward.jobs.local.processes import boot_id, find, host_name

__all__ = ["forget_warden", "note_warden", "noted_warden"]

NOTE = "warden.json"


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
    except (OSError, ValueError, RecursionError):  # nothing was born, or the note is damaged
        return None
    match note:
        case {"host": host, "boot": boot, "pid": int(pid), "start": int(start)}:
            return (pid, start) if (host, boot) == (host_name(), boot_id()) else None
    return None
