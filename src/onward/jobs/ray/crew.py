"""The helpers of an attempt: actors of their own, which nobody but its supervisor talks to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from onward.errors import JobError
from onward.jobs.protocol import Unplaced
from onward.jobs.ray.attempt import RayAttempt
from onward.jobs.ray.board import LEAD, Board
from onward.jobs.ray.placing import Placing

__all__ = ["QUESTIONS", "Crew", "Hiring"]

QUESTIONS = "crew."
"""What questions to the crew begin with; all others are for the job's kind."""
MOST_HELPERS = 256
MOST_LOST = 3
"""Helpers that may be lost until no others are asked for: what ends each of them would end the next."""
GROW_SECONDS = 2.0
"""How often one looks whether there is room for more: an interval, and no time that anybody waits for."""


@dataclass(frozen=True)
class Hiring:
    """How helpers come to be.

    Attributes
    ----------
    place
        Asks for the actor of a helper, by its number.
    attempt
        Makes an attempt of an actor whose worker was born.
    more
        Returns how many may be asked for just now, beside as many as there are.
    """

    place: Callable[[int], Placing]
    attempt: Callable[[Placing, Mapping[str, Any]], RayAttempt]
    more: Callable[[int], int]


class Crew:
    """Starts helpers when the lead asks for them, passes work on, and ends them all.

    Parameters
    ----------
    hiring
        How helpers come to be.

    `renewed` may come from another thread; everything else belongs to the supervisor's.
    """

    def __init__(self, hiring: Hiring) -> None:
        self._hiring = hiring
        self._board = Board()
        self._lock = threading.Lock()
        self._coming: dict[int, Placing] = {}
        self._working: dict[int, RayAttempt] = {}
        self._leaving: list[Placing | RayAttempt] = []
        self._said: list[Mapping[str, Any]] = []
        self._ended = False
        self._useful = self._hired = self._lost = 0
        self._grown = float("-inf")

    def answer(self, who: int, question: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a question of the lead's (0) or of a helper's; what is sent back as its answer."""
        try:
            return {"value": self._answer(who, question.removeprefix(QUESTIONS), arguments)}
        except (LookupError, TypeError, ValueError) as error:
            return {"error": {"error": "JobError", "what": f"{question} was not understood ({error})"}}

    def step(self) -> list[Mapping[str, Any]]:
        """Look after everybody, without waiting, and return messages for the job's log."""
        for number, placing in list(self._coming.items()):
            self._receive(number, placing)
        for number, helper in list(self._working.items()):
            self._hear(number, helper)
        now = time.monotonic()
        if now - self._grown > GROW_SECONDS:
            self._grown = now
            self._grow()
        said, self._said = self._said, []
        return said

    def renewed(self, sent: float) -> None:
        """Pass a renewed lease on."""
        with self._lock:
            helpers = list(self._working.values())
        for helper in helpers:
            helper.renewed(sent)

    def memory_bytes(self) -> int:
        """Return what the largest helper holds: each is held to the limit by itself."""
        return max((helper.memory_bytes() for helper in self._working.values()), default=0)

    def kill(self) -> None:
        """End every helper, and take no more on."""
        self._ended = True
        for number in (*self._coming, *self._working):
            self._dismiss(number)
        for one in self._leaving:
            _end(one)

    def gone(self) -> bool:
        """Return whether none is left of those that were ever asked for; to be called after `kill`."""
        self._leaving = [one for one in self._leaving if not _is_gone(one)]
        return not (self._coming or self._working or self._leaving)

    def close(self) -> None:
        """Let go of everything."""
        self.kill()
        for one in self._leaving:
            if isinstance(one, RayAttempt):
                one.close()

    # -- inside -------------------------------------------------------------------------------

    def _answer(self, who: int, question: str, told: Mapping[str, Any]) -> Any:
        board = self._board
        if who != LEAD:
            if question == "done":
                board.done(who, int(told["piece"]), str(told["digest"]))
                self._say(f"helper {who} finished fold {int(told['piece']) + 1}")
                return None
            if question == "next":
                return board.next(who)
        elif question == "call":
            pieces = [int(piece) for piece in told.get("pieces", ())]
            board.lay_out(pieces)
            self._useful = len(pieces) - 1 if pieces else MOST_HELPERS
            return None
        elif question == "take":
            return board.take(int(told["piece"]), refused=bool(told.get("refused")))
        elif question == "errand":
            return board.ask_all(int(told["number"]), str(told["errand"]))
        elif question == "withdraw":
            return board.withdraw(int(told["number"]))
        elif question == "dismiss":
            return board.close()
        raise LookupError(f"number {who} asked")

    def _grow(self) -> None:
        """Ask for helpers as long as there is work for them and room."""
        if self._ended or self._lost >= MOST_LOST:
            return
        there = len(self._coming) + len(self._working)
        wanted = min(self._useful, self._board.room) - there
        count = min(wanted, self._hiring.more(there)) if wanted > 0 else 0
        for _ in range(count):
            self._hired += 1
            self._coming[self._hired] = self._hiring.place(self._hired)
        if count > 0:
            self._say("a helper was asked for" if count == 1 else f"{count} helpers were asked for")

    def _receive(self, number: int, placing: Placing) -> None:
        try:
            told = placing.step(0.0)
        except JobError as error:
            told = Unplaced(str(error), spent=True)
        if told is None:
            return
        del self._coming[number]
        if isinstance(told, Unplaced):
            self._leaving.append(placing)
            self._lost += told.spent
            self._say(f"helper {number} did not come to be: {told.why}", "warning")
            return
        helper = self._hiring.attempt(placing, told)
        with self._lock:
            self._working[number] = helper
        helper.begin()

    def _hear(self, number: int, helper: RayAttempt) -> None:
        regular = False
        for message in helper.receive(0.0):
            if message["type"] == "ask":
                said = self.answer(number, message["question"], message["arguments"])
                helper.answer(int(message["id"]), said)
            elif message["type"] == "log":
                self._say(f"helper {number}: {message.get('text', '')}", str(message.get("level", "info")))
            elif message["type"] == "error":
                self._say(f"helper {number} failed: {message['error'].get('what')}", "warning")
            regular = regular or message["type"] == "result"
        if regular or helper.ending() is not None:
            self._lost += not regular
            self._dismiss(number)

    def _dismiss(self, number: int) -> None:
        """End a helper; what it had in hand is done again by somebody else."""
        with self._lock:
            helper = self._working.pop(number, None)
        one = helper or self._coming.pop(number)
        _end(one)
        self._leaving.append(one)
        back = self._board.lost(number)
        if back and not self._ended:
            folds = ", ".join(str(piece + 1) for piece in back)
            self._say(f"helper {number} was lost; fold {folds} is done again", "warning")

    def _say(self, text: str, level: str = "info") -> None:
        self._said.append({"type": "log", "level": level, "text": text})


def _end(one: Placing | RayAttempt) -> None:
    if isinstance(one, Placing):
        one.cancel()
    else:
        one.kill()


def _is_gone(one: Placing | RayAttempt) -> bool:
    if not one.gone():
        return False
    if isinstance(one, RayAttempt):
        one.close()  # its actor holds processors as long as it lives
    return True
