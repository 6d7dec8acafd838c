"""An attempt with helpers on other nodes: one attempt to its supervisor, ended as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onward.jobs.ray.attempt import RayAttempt, RayEnding
from onward.jobs.ray.board import LEAD
from onward.jobs.ray.crew import QUESTIONS, Crew
from onward.jobs.values import WorkerIdentity

__all__ = ["SpreadAttempt"]


class SpreadAttempt:
    """A lead, who alone reports and hands the result over, and a crew that works for it.

    Whatever ends the lead ends the crew; the attempt is gone when nothing is left of either.

    Parameters
    ----------
    lead
        The actor that was started for the attempt.
    crew
        Its helpers: none before the lead calls for them.
    """

    def __init__(self, lead: RayAttempt, crew: Crew) -> None:
        self._lead = lead
        self._crew = crew

    @property
    def identity(self) -> WorkerIdentity:
        """The lead's."""
        return self._lead.identity

    @property
    def closed(self) -> bool:
        """Whether it was let go of."""
        return self._lead.closed

    def begin(self) -> None:
        """Let the lead start."""
        self._lead.begin()

    def renewed(self, sent: float) -> None:
        """Pass a renewed lease on, to everybody."""
        self._lead.renewed(sent)
        self._crew.renewed(sent)

    def receive(self, timeout: float) -> Sequence[Mapping[str, Any]]:
        """Return the lead's messages and what is to be told of helpers."""
        messages: list[Mapping[str, Any]] = []
        for message in self._lead.receive(timeout):
            if message["type"] == "ask" and str(message["question"]).startswith(QUESTIONS):
                said = self._crew.answer(LEAD, message["question"], message["arguments"])
                self._lead.answer(int(message["id"]), said)
            else:
                messages.append(message)
        return [*self._crew.step(), *messages]

    def answer(self, question: int, value: Any) -> None:
        """Answer a question of the lead's."""
        self._lead.answer(question, value)

    def stop(self) -> None:
        """Ask the lead to end, and end the helpers: they have nothing to keep."""
        self._lead.stop()
        self._crew.kill()

    def kill(self) -> None:
        """Kill everything that belongs to it, on every node."""
        self._lead.kill()
        self._crew.kill()

    def gone(self) -> bool:
        """Return whether no process is left, neither of the lead's nor of any helper's."""
        return self._lead.gone() and self._crew.gone()

    def memory_bytes(self) -> int:
        """Return what the largest of them holds: the limit is that of a node."""
        return max(self._lead.memory_bytes(), self._crew.memory_bytes())

    def ending(self) -> RayEnding | None:
        """Return how the lead ended."""
        return self._lead.ending()

    def close(self) -> None:
        """End all actors."""
        self._crew.close()
        self._lead.close()
