"""What a whole job will cost before it starts: an earlier one that was like it, or the fits to be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onward.jobs.remaining import TimeLeft

__all__ = ["Precedent", "WholeJob", "n_fits", "whole_job"]

SAME, SHAPE = (0.7, 1.5), (0.5, 2.0)
"""Between what shares of its time a job like an earlier one lies: of the same plan, of its shape."""


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


def n_fits(plan: Mapping[str, Any], folds: int | None, *, search: bool) -> int | None:
    """Return how often a model is fitted at most, its members counted; None where the data decide.

    Every fold and the final model are a fit; a search makes one more for each of its trials on each
    inner fold, before each of them. What the audit fits comes on top.

    Parameters
    ----------
    plan
        Every value, nested.
    folds
        How many there are; None where the data decide.
    search
        Whether parameters are searched for.
    """
    if folds is None:
        return None
    ensemble, optimization = plan["ensemble"], plan["optimization"]
    members = max(1, len(ensemble["members"]))
    each = {"none": 1, "bagging": members * ensemble["n_estimators"]}.get(ensemble["method"], members)
    trials = optimization["trials"] * optimization["inner_splits"] if search else 0
    return int((folds + 1) * (1 + trials) * each)


def _rounded(seconds: float) -> float:
    return TimeLeft(seconds, "job").about
