"""Which program trains in the foreground, and whether one that was noted is still there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

__all__ = ["is_gone", "this_program"]


def this_program() -> dict[str, Any]:
    """Return what names this process for ever: host, boot, number, and when it began."""
    from onward.jobs.local.processes import boot_id, find, host_name

    here: dict[str, Any] = {"host": host_name(), "boot": boot_id(), "pid": os.getpid()}
    found = find(os.getpid())
    return here if found is None else here | {"start": found.start}


def is_gone(program: Mapping[str, Any]) -> bool:
    """Return whether a program of this host has certainly ended, whatever killed it.

    Nothing is known of other hosts, nor where this process cannot look (it has no descriptor left).

    Parameters
    ----------
    program
        From `this_program`, then.
    """
    from onward.jobs.local.processes import boot_id, find, host_name  # a tenth of a second: only when asked

    if program.get("host") != host_name() or "start" not in program:
        return False
    if program["boot"] != boot_id():
        return True
    try:
        found = find(int(program["pid"]))
    except OSError:
        return False
    return found is None or found.dead or found.start != program["start"]
