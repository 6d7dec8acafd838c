"""Trials of a search as its job tells them: each once, the newest of them and the best."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

__all__ = ["KEPT_TRIALS", "SHOWN_TRIALS", "TrialLine", "best_and_newest", "count_of", "kept", "trial_line"]

KEPT_TRIALS = 2_000
"""Newest trials that a digest holds; of those before, the best and the last of each search."""
SHOWN_TRIALS = 20
"""Newest trials in the table of a page."""
TOLD = re.compile(r"(?P<search>.*?)(?:, (?P<state>pruned|refused))?", re.DOTALL)
FOLD = re.compile(r"fold (\d+)(?: of \d+)?")

TrialState = Literal["complete", "pruned", "refused"]


@dataclass(frozen=True)
class TrialLine:
    """A trial that came to something.

    Attributes
    ----------
    search
        Title of the search: ``fold 2 of 5``, ``all rows``.
    number
        Of the trial in its search, as every table of trials has it.
    score
        Mean over inner folds; None for a trial that was not completed.
    best
        The best of the search so far, this one included; None while there is none.
    """

    search: str
    number: int
    state: TrialState
    score: float | None
    best: float | None

    @property
    def fold(self) -> int | None:
        """Whose training rows are searched; None for other rows."""
        found = FOLD.fullmatch(self.search)
        return None if found is None else int(found[1])


def trial_line(message: str, values: Mapping[str, float | None]) -> TrialLine | None:
    """Return the trial that a score of a search tells of; None when it names none.

    Parameters
    ----------
    message, values
        As `onward.training.optimization.telling.Teller` says them.
    """
    number = values.get("trial")
    if number is None:
        return None
    found = TOLD.fullmatch(message)
    assert found is not None
    search, state = found["search"], cast("TrialState", found["state"] or "complete")
    scores = {name: value for name, value in values.items() if name != "trial"}
    own = [value for name, value in scores.items() if name.startswith("inner ")]
    best = [value for name, value in scores.items() if not name.startswith("inner ")]
    return TrialLine(search, int(number), state, own[0] if own else None, best[0] if best else None)


def kept(trials: Sequence[TrialLine]) -> tuple[TrialLine, ...]:
    """Return what is kept of trials, in the order in which they came."""
    surplus = len(trials) - KEPT_TRIALS
    if surplus <= 0:
        return tuple(trials)
    marks: dict[tuple[str, str], TrialLine] = {}
    for one in trials[:surplus]:
        best = marks.get((one.search, "best"))
        if one.score is not None and (best is None or best.score is None or one.score > best.score):
            marks[one.search, "best"] = one
        marks[one.search, "last"] = one
    chosen = set(marks.values())
    return (*(one for one in trials[:surplus] if one in chosen), *trials[surplus:])


def count_of(trials: Iterable[TrialLine]) -> int:
    """Return how many trials have ended, those that are not kept included."""
    last: dict[str, int] = {}
    for one in trials:
        last[one.search] = max(one.number, last.get(one.search, -1))
    return sum(number + 1 for number in last.values())


def best_and_newest(trials: Sequence[TrialLine]) -> tuple[TrialLine | None, tuple[TrialLine, ...]]:
    """Return the best trial of the search that is under way, if it has one, and the newest trials first."""
    newest = tuple(reversed(trials[-SHOWN_TRIALS:]))
    if not newest:
        return None, ()
    own = [one for one in trials if one.search == newest[0].search and one.score is not None]
    best = max(own, key=lambda one: (one.score or 0.0, -one.number), default=None)
    return best, newest
