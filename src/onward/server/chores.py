"""What a server does while nobody asks it for anything, so that whoever asks first need not wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from onward.jobs.logs import job_logger
from onward.server.state import ServerState

__all__ = ["do_chores"]

LOOK_SECONDS = 0.01
PATIENCE_SECONDS = 2.0
"""After which a chore is done although somebody waits: a server that is never idle has to do them, too."""


def do_chores(chores: Iterable[Callable[[], object]], state: ServerState) -> threading.Thread:
    """Do small things one after the other in a thread, each when nobody waits for an answer.

    They only bring forward what requests would do; one that fails is left to them.

    Parameters
    ----------
    chores
        Each some milliseconds long: so long may a request wait that comes in between.
    state
        Knows whether somebody waits, and when the server ends.
    """

    def work() -> None:
        for chore in chores:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while state.metrics.waiting and time.monotonic() < deadline:
                time.sleep(LOOK_SECONDS)
            if not state.begun.is_set():
                return
            try:
                chore()
            except Exception as error:
                job_logger().info("chore_left", reason=f"{type(error).__name__}: {error}")

    thread = threading.Thread(target=work, name="chores", daemon=True)
    thread.start()
    return thread
