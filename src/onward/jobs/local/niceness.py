"""How a worker steps back: what serves and supervises goes first where processors are scarce."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path

__all__ = ["step_back"]

AUTOGROUP = Path("/proc/self/autogroup")
NICEST = 19
RETRIES = 50
PAUSE = 0.2


def step_back(niceness: int) -> None:
    """Lower the priority of this process, and of all that it will start.

    Niceness counts among processes of one group only. Where Linux groups by sessions (``sched(7)``,
    the autogroup feature), a worker in a session of its own would still take as much as the whole
    server: there the group's niceness is lowered as well. Containers with a control group of their
    own, and other systems, go by the process. A job that has the processors for itself loses nothing.

    Parameters
    ----------
    niceness
        Steps below the parent's priority, 0 to 19; 0 changes nothing.
    """
    if niceness == 0:
        return
    with contextlib.suppress(OSError):
        os.nice(niceness)
    if AUTOGROUP.exists() and not _lower_session(niceness):
        # Linux allows others than root one change in a tenth of a second, machine-wide.
        threading.Thread(target=_lower_session_later, args=(niceness,), name="niceness", daemon=True).start()


def _lower_session(niceness: int) -> bool:
    """Return whether nothing is left to do."""
    try:
        AUTOGROUP.write_text(str(min(niceness, NICEST)))
    except BlockingIOError:
        return False
    except OSError:  # a /proc that is read-only; nothing depends on it
        pass
    return True


def _lower_session_later(niceness: int) -> None:
    for _ in range(RETRIES):
        time.sleep(PAUSE)
        if _lower_session(niceness):
            return
