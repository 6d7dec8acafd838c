"""The options of a fractional difference, checked: orders, and how far the weights reach."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from onward.errors import StageError
from onward.kernels.fracdiff import threshold_width

__all__ = ["LONGEST_WINDOW", "order_name", "read_orders", "read_threshold", "read_width", "window_width"]

LONGEST_WINDOW = 20_000
"""Longest window, bars: what live prediction could still be asked to read."""


def read_orders(orders: Any) -> tuple[float, ...]:
    """Return the orders of differencing: numbers above 0 and at most 2, each once."""
    given = tuple(orders) if isinstance(orders, Sequence | np.ndarray) else (orders,)
    numbers = tuple(_number(order) for order in given)
    names = {order_name(order) for order in numbers}
    if not numbers or len(names) != len(numbers) or not all(0.0 < order <= 2.0 for order in numbers):
        raise StageError(
            "the setting fracdiff.orders names no order, one twice, or one out of range",
            got=", ".join(map(repr, given)) or "nothing",
            allowed="numbers above 0 and at most 2, each once (1 = the change of the series)",
            remedy="Write orders = [0.3, 0.5, 0.7].",
            settings=("orders",),
        )
    return numbers


def read_threshold(threshold: Any) -> float:
    """Return the smallest weight that is kept: a number above 0 and below 1."""
    number = _number(threshold)
    if not 0.0 < number < 1.0:
        raise StageError(
            "the setting fracdiff.threshold is no share of the newest value's weight",
            got=repr(threshold),
            allowed="above 0 and below 1",
            remedy="Write threshold = 1e-4.",
            settings=("threshold",),
        )
    return number


def read_width(width: Any) -> int | None:
    """Return the number of weights: a whole number from 2 on; None leaves it to the threshold."""
    if width is None:
        return None
    try:
        count = 0 if isinstance(width, bool) else operator.index(width)
    except TypeError:
        count = 0
    if not 2 <= count <= LONGEST_WINDOW:
        raise StageError(
            "the setting fracdiff.width is no length of a window",
            got=repr(width),
            allowed=f"2 to {LONGEST_WINDOW:,} bars, or none: as the threshold says",
            remedy="Write width = 200, or leave it out.",
            settings=("width",),
        )
    return count


def window_width(order: float, threshold: float, width: int | None) -> int:
    """Return the number of weights of an order: the given width, or what the threshold leaves.

    Raises
    ------
    StageError
        If the threshold leaves one weight (nothing is differenced), or a window beyond
        `LONGEST_WINDOW`.
    """
    if width is not None:
        return width
    found = threshold_width(order, threshold, LONGEST_WINDOW)
    if found < 2:
        raise StageError(
            "the setting fracdiff.threshold leaves nothing to difference with",
            got=f"threshold {threshold:g}, order {order:g}: the second weight is {-order:g}",
            allowed=f"at most {order:g} for this order",
            remedy="Lower fracdiff.threshold, or give fracdiff.width.",
            settings=("threshold", "width"),
        )
    if found > LONGEST_WINDOW:
        raise StageError(
            "the setting fracdiff.threshold asks for windows that are too long",
            got=f"threshold {threshold:g}, order {order:g}",
            allowed=f"windows of at most {LONGEST_WINDOW:,} bars",
            remedy="Raise fracdiff.threshold, or give fracdiff.width.",
            settings=("threshold", "width"),
        )
    return found


def order_name(order: float) -> str:
    """Return an order as it stands in column names: ``0.4``, ``1``."""
    return f"{order:.12g}"


def _number(value: Any) -> float:
    """Return a number as float, NaN for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return math.nan
    return float(value)
