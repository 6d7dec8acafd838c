"""Questions of a worker, answered also when the database is away for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from onward.errors import StorageError, StorageRefusedError
from onward.jobs.kinds import TaskContext
from onward.jobs.values import Job

__all__ = ["Answer", "ask", "patient"]

Answer = Callable[[Job, str, Mapping[str, Any]], Any]

ANSWER, AGAIN = "answer", "again_in"
AGAIN_SECONDS = 1.0


def ask(context: TaskContext, question: str, **arguments: Any) -> Any:
    """Ask the supervisor, and again while it cannot say because the database is away."""
    while True:
        told = context.ask(question, **arguments)
        if ANSWER in told:
            return told[ANSWER]
        time.sleep(told[AGAIN])


def patient(answer: Answer) -> Answer:
    """Return a kind's ``answer`` for `ask`.

    The supervisor does not wait itself: it has to hear of stops and limits meanwhile. A training
    goes on while the database is away; only what it must know holds it up.
    """

    def say(job: Job, question: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return {ANSWER: answer(job, question, arguments)}
        except StorageRefusedError:  # the worker is told, and fails: it would be told the same for ever
            raise
        except StorageError:
            return {AGAIN: AGAIN_SECONDS}

    return say
