"""The way that an attempt took through its stages: what an estimate of the time left is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from onward.jobs.values import JobEvent

__all__ = ["Course", "Stretch", "Walk", "course_of"]

FINEST = 0.005
"""Rise of the fraction from which on it is worth a mark."""
MOST = 1000
"""Stretches of a course; of a job that changes its stage more often nothing is foretold."""
FALL = 0.5
"""Share of the fraction reached below which a stage begins anew: parts of a stage count for themselves."""


@dataclass(frozen=True)
class Stretch:
    """Time spent in one stage without a break; stages may take turns.

    Attributes
    ----------
    stage
        Its name.
    seconds
        How long it took, or has taken so far.
    marks
        How far the stage was, 0 to 1 and rising, and the seconds after which it was that far;
        empty when nobody knew.
    """

    stage: str
    seconds: float
    marks: tuple[tuple[float, float], ...] = ()


Course = tuple[Stretch, ...]
"""Stretches in their order, without a gap between them."""


class Walk:
    """Notes a course as it goes on.

    Times are seconds on a clock of the caller's; one that goes back counts as one that stands still.
    """

    def __init__(self) -> None:
        self._done: list[Stretch] = []
        self._stage: str | None = None
        self._began = 0.0
        self._marks: list[tuple[float, float]] = []

    @property
    def entered_at(self) -> float:
        """How far the stage was when the present stretch began: earlier attempts may have done some of it."""
        return self._marks[0][0] if self._marks and self._marks[0][1] == 0.0 else 0.0

    def is_new(self, stage: str, fraction: float | None) -> bool:
        """Return whether what is told now begins a stretch: another stage, or the same one anew."""
        if stage != self._stage:
            return True
        return bool(self._marks) and fraction is not None and fraction < self._marks[-1][0] * FALL

    def begin(self, stage: str, at: float) -> None:
        """Note that a stretch begins, and the one before ends."""
        if self._stage is not None and len(self._done) < MOST:
            self._done.append(self._present(at))
        self._stage, self._began, self._marks = stage, at, []

    def mark(self, fraction: float | None, at: float) -> None:
        """Note how far the stage is."""
        if fraction is None:
            return
        reached = self._marks[-1][0] if self._marks else -1.0
        if fraction >= reached + FINEST or (fraction >= 1.0 > reached):
            self._marks.append((fraction, self._since(at)))

    def seconds(self, at: float) -> float:
        """Return how long the present stretch has taken."""
        return self._since(at)

    def until(self, at: float) -> Course:
        """Return the course up to a moment, the present stretch last; empty when it has too many."""
        if self._stage is None or len(self._done) >= MOST:
            return ()
        return (*self._done, self._present(at))

    def _present(self, at: float) -> Stretch:
        assert self._stage is not None
        return Stretch(self._stage, self._since(at), tuple(self._marks))

    def _since(self, at: float) -> float:
        return max(0.0, at - self._began)


def course_of(events: Iterable[JobEvent]) -> Course:
    """Return the course that the events of an attempt tell of, to the end of its job.

    Parameters
    ----------
    events
        Of one attempt, in order: ``stage``, ``progress`` and ``state`` count.

    Returns
    -------
    Course
        Empty when they tell of no stage, or of no success.
    """
    walk = Walk()
    for event in events:
        at, payload = event.at.timestamp(), event.payload
        if event.kind == "state" and payload.get("state") == "succeeded":
            return walk.until(at)
        if event.kind not in ("stage", "progress"):
            continue
        stage, fraction = str(payload.get("stage")), payload.get("fraction")
        known = float(fraction) if isinstance(fraction, int | float) else None
        if event.kind == "stage" or walk.is_new(stage, known):
            walk.begin(stage, at)
        walk.mark(known, at)
    return ()
