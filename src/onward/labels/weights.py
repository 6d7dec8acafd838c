"""How much each label tells that no other label tells: uniqueness, attribution, decay, and all in one.

Overlapping labels share returns, so rows are not independent. All three follow López de Prado,
*Advances in Financial Machine Learning* (Wiley 2018), chapter 4; concurrency is counted symbol
by symbol on closed spans, so labels that touch share that instant. Compute them from the
training spans of a fold, never from all rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from onward.errors import LabelError
from onward.kernels.intervals import concurrency, uniqueness_at, uniqueness_every
from onward.labels.arguments import as_choice
from onward.types import FloatArray, IntArray, Market, Spans

__all__ = [
    "WEIGHTS",
    "WeightScheme",
    "average_uniqueness",
    "require_order",
    "return_attribution",
    "sample_weights",
    "spans_by_symbol",
    "symbol_bars",
    "time_decay",
]

WeightScheme: TypeAlias = Literal["none", "uniqueness", "return"]
WEIGHTS: tuple[str, ...] = get_args(WeightScheme)


def sample_weights(
    spans: Spans, market: Market, scheme: WeightScheme = "uniqueness", *, oldest: float = 1.0
) -> FloatArray:
    """Return the weights of the rows in hand, mean 1: what every fit of a model is given.

    Call it with the training spans of one fold. Then no weight rests on a test row, and rows
    beside a hole that purging left count for as much as they now tell.

    Parameters
    ----------
    spans
        Spans of the training rows.
    market
        Market that they were made from; concurrency is counted on its bars.
    scheme
        ``none``: all alike. ``uniqueness``: `average_uniqueness`. ``return``: `return_attribution`,
        which counts large moves for more.
    oldest
        Factor of the oldest label, see `time_decay`; 1 = no decay.

    Returns
    -------
    Shape (n,), not negative, mean 1.

    Raises
    ------
    LabelError
        When the scheme is not known, or the spans do not fit the market.
    """
    as_choice("scheme", "sample weights", scheme, WEIGHTS)
    if len(spans) == 0:
        return np.empty(0)
    unique = np.ones(len(spans))
    if scheme == "uniqueness" or oldest != 1.0:
        unique = average_uniqueness(spans, market)
    weight = {"uniqueness": unique, "none": np.ones(len(spans))}.get(scheme)
    if weight is None:
        weight = return_attribution(spans, market)
    if oldest != 1.0:
        weight = weight * time_decay(unique, spans.start, oldest)
    mean = float(weight.mean())
    if not mean > 0.0:
        raise LabelError(
            "every training row has the weight 0",
            got=f"weights = {scheme!r}, oldest = {oldest}",
            allowed="at least one positive weight",
            remedy="Choose a weaker time decay or another scheme.",
        )
    return np.asarray(weight / mean, dtype=np.float64)


def average_uniqueness(spans: Spans, market: Market | None = None) -> FloatArray:
    """Return the mean of 1 / concurrency over each span (AFML 4.4), in (0, 1].

    Parameters
    ----------
    spans
        Spans of the labels in hand; a MultiIndex is grouped by its first level (the symbol).
    market
        Market whose bars are the instants at which concurrency is counted. Without it the
        instants are evenly spaced at the greatest common divisor of the distances between starts
        and ends, which is the bar length: the same result wherever bars have no gap.

    Returns
    -------
    Shape (n,), in the order of ``spans``. Divide by the mean to use it as a sample weight.

    Raises
    ------
    LabelError
        When a span ends before it starts, or covers no bar of ``market``.
    """
    require_order(spans)
    out = np.empty(len(spans))
    for symbol, rows in spans_by_symbol(spans):
        start, end = spans.start[rows], spans.end[rows]
        if market is None:
            out[rows] = uniqueness_every(start, end, _common_step(start, end))
        else:
            out[rows] = uniqueness_at(start, end, market.decision_time_ns[symbol_bars(market, symbol)])
    if np.isnan(out).any():
        raise _no_bar(spans, int(np.flatnonzero(np.isnan(out))[0]))
    return out


def return_attribution(spans: Spans, market: Market, *, include_entry_bar: bool = False) -> FloatArray:
    """Return weights by the absolute return that each label does not share (AFML 4.6, snippet 4.10).

    The log return of every bar inside a span is divided by the number of spans that cover the
    bar; a label weighs the absolute value of the sum. Weights have mean 1.

    Parameters
    ----------
    spans
        Spans of the labels in hand, starts and ends at decision times of the market.
    market
        Market whose closes give the returns. This uses prices up to each span's end.
    include_entry_bar
        Whether the return that *ends* at the decision time counts, as the book has it. Nobody who
        decides then can earn it, so the default leaves it out.

    Raises
    ------
    LabelError
        When a span does not start and end at bars of the market, rests on a close that is NaN, or
        no price moves at all.
    """
    require_order(spans)
    out = np.empty(len(spans))
    for symbol, rows in spans_by_symbol(spans):
        bars = symbol_bars(market, symbol)
        instants = market.decision_time_ns[bars]
        start, end = spans.start[rows], spans.end[rows]
        first = np.minimum(np.searchsorted(instants, start), len(instants) - 1)
        last = np.minimum(np.searchsorted(instants, end), len(instants) - 1)
        wrong = np.flatnonzero((instants[first] != start) | (instants[last] != end))
        if len(wrong):
            raise _no_bar(spans, int(rows[wrong[0]]))
        close = np.log(market.bars["close"].to_numpy(np.float64)[bars])
        count = concurrency(start, end, instants)
        change = np.diff(close, prepend=close[0])
        share = np.divide(change, count, out=np.zeros(len(count)), where=count > 0)
        total = np.concatenate(([0.0], np.cumsum(share)))
        out[rows] = np.abs(total[last + 1] - total[first + (0 if include_entry_bar else 1)])
    mean = out.mean() if len(out) else 1.0
    if not mean > 0.0:
        raise LabelError(
            "return attribution needs prices that are known and move",
            got=f"mean absolute attributed return {mean}",
            allowed="closes without NaN inside the spans, not all equal",
            remedy="Repair the closes, or use average_uniqueness instead.",
        )
    return np.asarray(out / mean, dtype=np.float64)


def time_decay(uniqueness: FloatArray, start: IntArray, oldest: float = 0.5) -> FloatArray:
    """Return factors that fall from 1 for the newest label to ``oldest`` for the oldest (AFML 4.7).

    Age is counted in cumulative uniqueness, not in time: labels that repeat each other age the
    others little. Labels that start at the same moment have the same age.

    Parameters
    ----------
    uniqueness
        Average uniqueness of the labels, shape (n,), positive.
    start
        Their decision times, ns UTC, shape (n,), in any order.
    oldest
        Factor that a label of age "all of it" would get, at most 1. A negative value gives the
        oldest part ``-oldest`` of the cumulative uniqueness the factor 0; above -1.

    Raises
    ------
    LabelError
        When ``oldest`` is out of range, shapes differ, or a uniqueness is not positive.
    """
    if not -1.0 < oldest <= 1.0:
        raise LabelError(
            "the factor of the oldest label is out of range",
            got=repr(oldest),
            allowed="above -1 and at most 1 (1 = no decay)",
            remedy="Change oldest.",
        )
    if uniqueness.shape != start.shape or not np.all(uniqueness > 0.0):
        raise LabelError(
            "time decay needs one positive uniqueness a label",
            got=f"shapes {uniqueness.shape} and {start.shape}, smallest "
            f"{np.min(uniqueness) if uniqueness.size else 'none'}",
            allowed="arrays of equal length, uniqueness in (0, 1]",
            remedy="Pass average_uniqueness(spans) and spans.start.",
        )
    if len(start) == 0:
        return np.empty(0)
    moments, code = np.unique(start, return_inverse=True)
    age = np.cumsum(np.bincount(code, weights=uniqueness, minlength=len(moments)))[code]
    total = float(uniqueness.sum())
    slope = (1.0 - oldest) / total if oldest >= 0.0 else 1.0 / ((oldest + 1.0) * total)
    return np.asarray(np.maximum(1.0 - slope * (total - age), 0.0), dtype=np.float64)


def spans_by_symbol(spans: Spans) -> Iterator[tuple[str | None, IntArray]]:
    """Yield each symbol (None without a MultiIndex) with the positions of its spans, ascending."""
    if not isinstance(spans.index, pd.MultiIndex):
        yield None, np.arange(len(spans), dtype=np.int64)
        return
    # Codes, not values: factorising hundreds of thousands of strings would cost seconds.
    code = np.asarray(spans.index.codes[0])
    order = np.argsort(code, kind="stable")
    edges = np.searchsorted(code[order], np.arange(len(spans.index.levels[0]) + 1))
    for number, name in enumerate(spans.index.levels[0]):
        rows = order[edges[number] : edges[number + 1]].astype(np.int64)
        if len(rows):
            yield str(name), rows


def symbol_bars(market: Market, symbol: str | None) -> slice:
    """Return the rows of a symbol's bars, for spans of `spans_by_symbol`."""
    if symbol is None and len(market.symbols) == 1:
        return slice(0, len(market))
    if symbol is None or symbol not in market.rows:
        raise LabelError(
            "spans name a symbol that the market does not have",
            got=repr(symbol),
            allowed=", ".join(market.symbols),
            remedy="Make the spans from the same market.",
        )
    return market.rows[symbol]


def _common_step(start: IntArray, end: IntArray) -> int:
    edges = np.unique(np.concatenate((start, end)))
    return int(np.gcd.reduce(np.diff(edges))) or 1


def require_order(spans: Spans) -> None:
    """Refuse spans that end before they start."""
    backwards = np.flatnonzero(spans.end < spans.start)
    if len(backwards):
        raise LabelError(
            "a span ends before it starts",
            got=f"{len(backwards)} spans, the first at {spans.index[int(backwards[0])]}",
            allowed="end >= start",
            remedy="Give the decision time as start and the time the outcome is known as end.",
        )


def _no_bar(spans: Spans, row: int) -> LabelError:
    return LabelError(
        "a span does not fall on bars of the market",
        got=f"the span of {spans.index[row]}",
        allowed="spans that start and end at decision times of the market's bars",
        remedy="Make the spans from the same market, all of its bars included.",
    )
