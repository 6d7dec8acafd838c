"""Cutting a timeline into equal parts, and checking how many parts were asked for."""

from __future__ import annotations

import operator
from itertools import pairwise
from typing import Any

import numpy as np

from onward.errors import SplitError
from onward.splits.timeline import Timeline
from onward.types import IntArray

__all__ = ["cut_evenly", "require_count"]


def require_count(name: str, value: Any, smallest: int) -> int:
    """Return a count as a plain integer.

    Raises
    ------
    SplitError
        When it is not an integer, or is smaller than allowed.
    """
    try:
        count = smallest - 1 if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        count = smallest - 1
    if count < smallest:
        raise SplitError(
            f"{name} is not a usable count",
            got=repr(value),
            allowed=f"an integer of at least {smallest}",
            remedy=f"Change {name}.",
            settings=(name,),
        )
    return count


def cut_evenly(timeline: Timeline, first: int, parts: int) -> list[IntArray]:
    """Return the rows from moment ``first`` on in parts of equal numbers of decision times.

    The first parts take one decision time more when the number does not divide, like
    scikit-learn's ``KFold``.

    Raises
    ------
    SplitError
        When there are fewer decision times than parts.
    """
    moments = len(timeline.moments) - first
    if moments < parts:
        raise SplitError(
            "there are fewer decision times than blocks to cut",
            got=f"{moments} decision times for {parts} blocks",
            allowed=f"at least {parts}",
            remedy="Use fewer splits or more data.",
            settings=("n_splits", "n_groups", "initial"),
        )
    size, larger = divmod(moments, parts)
    edges = first + np.concatenate(([0], np.cumsum([size + (part < larger) for part in range(parts)])))
    return [timeline.rows_between(int(a), int(b)) for a, b in pairwise(edges)]
