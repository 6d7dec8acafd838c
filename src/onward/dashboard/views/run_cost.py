"""What a whole job will cost before it starts: an earlier one that was like it, or the fits to be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from onward.jobs.remaining import TimeLeft

__all__ = ["Fits", "Precedent", "WholeJob", "n_fits", "whole_job"]

SAME, SHAPE = (0.7, 1.5), (0.5, 2.0)
"""Between what shares of its time a job like an earlier one lies: of the same plan, of its shape."""

DECIDING = (
    "ensemble.members",
    "ensemble.method",
    "ensemble.n_estimators",
    "ensemble.out_of_bag",
    "ensemble.votes",
    "training.calibration",
    "training.inner_folds",
)
"""Settings that decide how often models are fitted in one learning."""


@dataclass(frozen=True)
class Fits:
    """How often models are fitted.

    Attributes
    ----------
    n
        Number of fits, those of members counted.
    exact
        Whether there are as many; otherwise there are at most as many.
    """

    n: int
    exact: bool


@dataclass(frozen=True)
class Precedent:
    """An earlier job that succeeded.

    Attributes
    ----------
    id
        Of the job.
    seconds
        From its start to its end, by the clock.
    rows
        Bars that it learnt from; None where nobody kept that.
    same
        Whether it had the same plan, not only the same shape.
    """

    id: str
    seconds: float
    rows: int | None
    same: bool


@dataclass(frozen=True)
class WholeJob:
    """A job from its start to its end, by the clock.

    Attributes
    ----------
    low, high
        Seconds between which it probably lies.
    before
        What that goes by.
    """

    low: float
    high: float
    before: Precedent


def whole_job(before: Precedent, rows: int) -> WholeJob:
    """Return how long a job will take that is like an earlier one.

    More bars take longer, at most in proportion and at least not at all: one end of the range goes
    by each. Where nobody knows on how many bars the earlier one learnt, they are taken to be as many.
    """
    ratio = rows / before.rows if before.rows else 1.0
    low, high = SAME if before.same else SHAPE
    return WholeJob(
        low=_rounded(low * min(1.0, ratio) * before.seconds),
        high=_rounded(high * max(1.0, ratio) * before.seconds),
        before=before,
    )


def n_fits(plan: Mapping[str, Any], folds: int | None, *, search: bool, fitted: bool = True) -> Fits | None:
    """Return how often models are fitted for folds, searches and the final model; None where the data decide.

    Every fold and the final model learn once. What one learning comes to is told by what it is that
    learns: an ensemble fits its members, and what weighs them by scores is given predictions of inner
    folds, for each of which the members are fitted too; calibration does all of that anew for each of
    its inner folds. A search lets each of its trials learn on each inner fold of its own, before each
    of them. What chooses features, what checks the data and what the audit fits come on top.

    Parameters
    ----------
    plan
        Every value, nested.
    folds
        How many there are; None where the data decide.
    search
        Whether parameters are searched for.
    fitted
        Whether features come of stages that are fitted: then bags are fitted anew to be scored.
    """
    if folds is None:
        return None
    optimization = plan["optimization"]
    varied = _varied(optimization["space"]) if search else {}
    shapes = [_shape(plan, dict(zip(varied, drawn, strict=True))) for drawn in product(*varied.values())]
    learnt, scored = max(map(_learnt, shapes)), max(map(_scored, shapes)) if fitted or search else 0
    trials = optimization["trials"] * optimization["inner_splits"] if search else 0
    return Fits((folds + 1) * (1 + trials) * learnt + scored, exact=not search and not scored)


def _varied(space: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Return the extremes of what a search varies of that which decides how often is fitted."""
    from onward.training.optimization.reading import read_parameters

    return {one.path: one.extremes for one in read_parameters(space) if one.path in DECIDING}


def _shape(plan: Mapping[str, Any], drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that decide how often is fitted, with those of a trial."""
    own = {}
    for path in DECIDING:
        section, name = path.split(".")
        own[path] = plan[section][name]
    return own | dict(drawn)


def _learnt(shape: Mapping[str, Any]) -> int:
    """Return how many models are fitted when everything is learnt once, from one set of rows."""
    inner, members = shape["training.inner_folds"], len(shape["ensemble.members"])
    method = shape["ensemble.method"]
    if method == "bagging":
        once = shape["ensemble.n_estimators"]
    elif method == "voting":
        once = members * (1 + inner if shape["ensemble.votes"] == "score" else 1)
    elif method == "stacking":  # with the model above the members, which is scored on each fold too
        once = (members + 1) * (1 + inner)
    else:
        once = 1
    return int(once if shape["training.calibration"] == "none" else once * (1 + inner))


def _scored(shape: Mapping[str, Any]) -> int:
    """Return how many bags at most are fitted anew, once a training, to be scored on the rows outside."""
    bags = shape["ensemble.method"] == "bagging" and shape["ensemble.out_of_bag"]
    return int(shape["ensemble.n_estimators"]) if bags else 0


def _rounded(seconds: float) -> float:
    return TimeLeft(seconds, "job").about
