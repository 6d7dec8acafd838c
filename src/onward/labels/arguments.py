"""Arguments of labelers: read strictly, refused in the same words everywhere."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from onward.errors import LabelError, nearest
from onward.types import IntArray

__all__ = ["as_choice", "as_count", "as_number", "as_positions"]


def as_count(name: str, value: Any, smallest: int) -> int:
    """Return a number of bars, at least ``smallest``.

    Raises
    ------
    LabelError
        When the value is no integer, or too small.
    """
    try:
        number = smallest - 1 if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        number = smallest - 1
    if number < smallest:
        raise LabelError(
            f"{name} is not a number of bars",
            got=repr(value),
            allowed=f"an integer of at least {smallest}",
            remedy=f"Give {name} as a count of bars.",
            settings=(name,),
        )
    return number


def as_number(name: str, value: Any, *, below: float = math.inf, zero: bool = False) -> float:
    """Return a finite positive number (or 0, with ``zero``) below a limit.

    Raises
    ------
    LabelError
        When the value is no number, or out of range.
    """
    usable = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    number = float(value) if usable else math.nan
    if not (0.0 < number < below or (zero and number == 0.0)):
        limit = f" and below {below:g}" if below < math.inf else ""
        raise LabelError(
            f"{name} is out of range",
            got=repr(value),
            allowed=f"a finite number {'of at least' if zero else 'above'} 0{limit}",
            remedy=f"Change {name}.",
            settings=(name,),
        )
    return number


def as_choice(name: str, of: str, value: Any, known: Sequence[str]) -> None:
    """Refuse a word that is not among the known ones, for an argument ``name`` of a class ``of``.

    Raises
    ------
    LabelError
        With the nearest known word.
    """
    if value not in known:
        close = nearest(str(value), known)
        raise LabelError(
            f"the {name} of {of} is not known",
            got=repr(value),
            allowed=", ".join(known),
            remedy=f"Did you mean {close!r}?" if close else "Choose one of these.",
            settings=(name,),
        )


def as_positions(rows: Any, n: int) -> IntArray:
    """Return positions into ``n`` spans, given as integers or as a mask.

    Raises
    ------
    LabelError
        When there is none, or one of them is no position.
    """
    given = np.asarray(rows)
    if given.dtype == np.bool_ and given.shape == (n,):
        given = np.flatnonzero(given)
    integers = given.ndim == 1 and np.issubdtype(given.dtype, np.integer)
    if not integers or len(given) == 0 or given.min() < 0 or given.max() >= n:
        shown = f"positions {given.min()} to {given.max()}" if integers and len(given) else repr(rows)[:80]
        raise LabelError(
            "a labeler cannot be fitted on these rows",
            got=shown,
            allowed=f"integer positions 0 to {n - 1} into spans(market), at least one",
            remedy="Pass fold.train, or np.arange(len(spans)) for every row.",
        )
    return given.astype(np.int64)
