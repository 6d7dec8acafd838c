"""Running a task, wherever the worker is: its context, its entry, and how its end is told."""

from __future__ import annotations

import importlib
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from onward.errors import JobError
from onward.jobs.messages import error_message, shortened
from onward.types import ProgressEvent

__all__ = ["Line", "WorkerContext", "resolve", "run_task"]


class Line(Protocol):
    """The way to the supervisor."""

    def send(self, message: Mapping[str, Any]) -> bool:
        """Send a message; False when nobody is there any more."""


class WorkerContext:
    """A `TaskContext` that talks through a line.

    Parameters
    ----------
    line
        To the supervisor.
    order
        ``job``, ``attempt``, ``spec``, ``directory``, ``shared``.
    """

    def __init__(self, line: Line, order: Mapping[str, Any]) -> None:
        self.job_id = str(order["job"])
        self.attempt = int(order["attempt"])
        self.spec: Mapping[str, Any] = order["spec"]
        self.directory = Path(order["directory"])
        self.shared = Path(order["shared"])
        self._line = line
        self._sending = threading.Lock()
        self._news = threading.Condition()
        self._answers: dict[int, Mapping[str, Any]] = {}
        self._asked = 0

    def progress(self, event: ProgressEvent) -> None:
        """Tell how far the work has come; figures that are too many at once are left out, which is told."""
        told = {
            "type": "progress",
            "stage": shortened(event.stage),
            "done": event.done,
            "total": event.total,
            "message": shortened(event.message),
        }
        try:
            self.send({**told, "values": dict(event.values)})
        except JobError as error:  # the work counts more than what is told of it
            self.send({**told, "values": {}})
            left_out = f"{len(event.values):,} figures of {told['stage']} are left out: {error}"
            self.log(left_out, level="warning")

    def log(self, text: str, *, level: str = "info") -> None:
        """Write a line into the job's log; of a very long one its events have the beginning."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - the worker's log file
        self.send({"type": "log", "level": level, "text": shortened(text)})

    def ask(self, question: str, **arguments: Any) -> Any:
        """Ask the supervisor and wait for the answer.

        Raises
        ------
        JobError
            When the question is too long, or the supervisor cannot answer; what it said is in the
            message.
        """
        with self._news:
            self._asked += 1
            number = self._asked
        self.send({"type": "ask", "id": number, "question": question, "arguments": arguments})
        with self._news:
            self._news.wait_for(lambda: number in self._answers)
            answer = self._answers.pop(number)
        if "error" in answer:
            parts = answer["error"]
            raise JobError(
                str(parts.get("what")),
                got=parts.get("got"),
                allowed=parts.get("allowed"),
                remedy=parts.get("remedy"),
            )
        return answer["value"]

    def answered(self, message: Mapping[str, Any]) -> None:
        """Take an answer in, from the thread that listens."""
        if message["type"] == "answer":
            with self._news:
                self._answers[int(message["id"])] = message
                self._news.notify_all()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message, one thread at a time."""
        with self._sending:
            self._line.send(message)


def resolve(address: str) -> Callable[..., Any]:
    """Return the function of ``module:function``.

    Raises
    ------
    JobError
        When there is none.
    """
    module, _, name = address.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise JobError(
            "the work of this kind of job cannot be found",
            got=f"{address} ({error})",
            remedy="Run the job with the version of Onward that took it in.",
        ) from error
    assert callable(function)
    return function  # type: ignore[no-any-return]


def run_task(context: WorkerContext, order: Mapping[str, Any]) -> int:
    """Run the task of an order, tell what came of it, and return the exit code.

    Parameters
    ----------
    context
        Of the worker.
    order
        ``entry`` and ``services``, addresses; ``settings`` for the services.
    """
    try:
        entry = resolve(str(order["entry"]))
        services = resolve(str(order["services"]))(order["settings"]) if order.get("services") else None
        manifest = entry(context, services)
        context.send({"type": "result", "manifest": dict(manifest or {})})
    except BaseException as error:
        context.send(error_message(error, traceback.format_exc()))
        return 1
    return 0
