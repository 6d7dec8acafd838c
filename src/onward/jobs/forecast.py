"""When a job will have ended, judged by one that did the same before it; a pure decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from onward.jobs.course import Course, Stretch

__all__ = ["Forecast", "foretold", "remaining_seconds"]

PRIOR = 0.1
"""Share of the earlier time that says "as before": what was seen in that much time counts as much as that."""
OTHER = 12.0
"""Ratio from which on a stretch counts the less the more it differs: it did other work. A busy machine is
seldom slower by more."""
STEEP = 3
"""Power with which it counts less beyond that ratio."""
PACED = 0.03
"""Share of the earlier time after which a job is said to have a pace of its own."""


@dataclass(frozen=True)
class Forecast:
    """When a job will have ended.

    Attributes
    ----------
    seconds
        Until then.
    paced
        Whether it has a pace of its own by now; before, all is as it was with the earlier one.
    """

    seconds: float
    paced: bool


def remaining_seconds(before: Course, present: Course) -> float | None:
    """Return the seconds of `foretold`."""
    found = foretold(before, present)
    return None if found is None else found.seconds


def foretold(before: Course, present: Course) -> Forecast | None:
    """Return when a job ends, as far as an earlier one tells.

    The present job stands somewhere on the way that the earlier one took: at the same stretch (the
    third time in the stage ``search``, say), as far in it. What that one still needed from there is
    left, at the pace of this one. Its pace is its time over that of the earlier one for the same
    way, drawn towards 1 while little of the way is done (a tenth counts as much as "as before");
    within the present stretch what that stretch itself has shown counts. Paces are ratios and are
    weighed as such, so that a machine that is free again is seen as soon as one that is not. A
    stretch that took less than a twelfth, or more than twelve times, of what it took before tells
    nearly nothing about the others: features were found in a cache, or the machine slept.

    Parameters
    ----------
    before
        Course of a job that succeeded, to its end.
    present
        Course so far; its last stretch is under way.

    Returns
    -------
    Forecast or None
        Never negative. Without news it falls as fast as time passes, until the present stretch has
        taken as long as was expected, and then stands still. None when the earlier job never was
        where this one is.
    """
    places = _places(before)
    whole = sum(stretch.seconds for stretch in before)
    took = expected = 0.0
    seen: Counter[str] = Counter()
    place: int | None = None
    for number, stretch in enumerate(present):
        seen[stretch.stage] += 1
        place = places.get((stretch.stage, seen[stretch.stage]))
        if place is None:
            continue
        spent, usual = _compared(before[place], stretch, ended=number < len(present) - 1)
        took, expected = took + spent, expected + usual
    if place is None:
        return None
    pace = _drawn(took, expected, PRIOR * whole, 1.0)
    later = sum(stretch.seconds for stretch in before[place + 1 :])
    rest = _rest_of_stretch(before[place], present[-1], pace) + pace * later
    return Forecast(rest, expected >= PACED * whole)


def _drawn(spent: float, usual: float, prior: float, towards: float) -> float:
    """Return the pace of some work, drawn towards another one while there is little of it."""
    if spent <= 0 or usual <= 0:
        return towards
    return float(towards * (spent / usual / towards) ** (usual / (usual + prior)))


def _places(course: Course) -> Mapping[tuple[str, int], int]:
    """Return where the first, second ... stretch in each stage is."""
    seen: Counter[str] = Counter()
    places = {}
    for place, stretch in enumerate(course):
        seen[stretch.stage] += 1
        places[stretch.stage, seen[stretch.stage]] = place
    return places


def _rest_of_stretch(twin: Stretch, stretch: Stretch, pace: float) -> float:
    fraction, at = stretch.marks[-1] if stretch.marks else (0.0, 0.0)
    spent, usual = _compared(twin, stretch, ended=False)
    own = _drawn(spent, usual, PRIOR * twin.seconds, pace)
    return max(0.0, own * (twin.seconds - _reached(twin, fraction)) - (stretch.seconds - at))


def _compared(twin: Stretch, stretch: Stretch, *, ended: bool) -> tuple[float, float]:
    """Return how long a stretch took for some of the way, and its twin for that, as far as both count."""
    first, since = stretch.marks[0] if stretch.marks else (0.0, 0.0)
    last, until = stretch.marks[-1] if stretch.marks else (0.0, 0.0)
    spent = stretch.seconds - since if ended else until - since
    usual = (twin.seconds if ended else _reached(twin, last)) - _reached(twin, first)
    if spent <= 0 or usual <= 0:
        return 0.0, 0.0
    weight = min(1.0, OTHER * spent / usual, OTHER * usual / spent) ** STEEP
    return weight * spent, weight * usual


def _reached(stretch: Stretch, fraction: float) -> float:
    """Return after how many seconds a stretch was so far, drawing lines between its marks."""
    before, then = 0.0, 0.0
    for known, at in (*stretch.marks, (1.0, stretch.seconds)):
        if known >= fraction:
            share = (fraction - before) / (known - before) if known > before else 1.0
            return then + share * (at - then)
        before, then = known, at
    return stretch.seconds
