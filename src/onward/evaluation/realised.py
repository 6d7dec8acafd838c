"""The returns that predictions are held against: known only once the future has come."""

from __future__ import annotations

import numpy as np

from onward.errors import LabelError
from onward.kernels.forward import UNKNOWN_TIME, forward_log_return, forward_time
from onward.kernels.forward.spans import span_log_return
from onward.labels.weights import require_order, spans_by_symbol, symbol_bars
from onward.types import FloatArray, IntArray, Market, Spans

__all__ = ["realised_return", "returns_ahead"]


def realised_return(market: Market, spans: Spans) -> FloatArray:
    """Return the log return of each row from its decision time to its outcome time, close to close.

    Parameters
    ----------
    market
        Market that the spans were made from.
    spans
        Spans that start and end at decision times of the market's bars. A barrier that was touched
        within a bar ends at that bar's close, and so does the return.

    Returns
    -------
    Shape (n,), in the order of ``spans``; NaN where a close is not known.

    Raises
    ------
    LabelError
        When a span ends before it starts, or does not start and end at bars of the market.
    """
    require_order(spans)
    out = np.full(len(spans), np.nan)
    for symbol, rows in spans_by_symbol(spans):
        bars = symbol_bars(market, symbol)
        times = market.decision_time_ns[bars]
        first = _places(times, spans.start[rows], spans, rows)
        last = _places(times, spans.end[rows], spans, rows)
        out[rows] = span_log_return(market.bars["close"].to_numpy(np.float64)[bars], first, last)
    return out


def returns_ahead(market: Market, spans: Spans, horizon: int) -> tuple[FloatArray, IntArray]:
    """Return the log return over so many bars from each decision time, and when it is known.

    Parameters
    ----------
    market
        Market whose closes give the returns, symbol by symbol.
    spans
        Spans that start at decision times of the market's bars; their ends do not count.
    horizon
        Bars ahead, at least 1.

    Returns
    -------
    outcome
        Shape (n,); NaN beyond the data and where a close is not known.
    end
        Decision time of the bar that the return ends at, ns UTC, shape (n,);
        `onward.kernels.forward.UNKNOWN_TIME` beyond the data.

    Raises
    ------
    LabelError
        When a span does not start at a bar of the market.
    """
    outcome, end = np.full(len(spans), np.nan), np.full(len(spans), UNKNOWN_TIME)
    for symbol, rows in spans_by_symbol(spans):
        bars = symbol_bars(market, symbol)
        times = market.decision_time_ns[bars]
        place = _places(times, spans.start[rows], spans, rows)
        close = np.ascontiguousarray(market.bars["close"].to_numpy(np.float64)[bars])
        outcome[rows] = forward_log_return(close, horizon)[place]
        end[rows] = forward_time(times, horizon)[place]
    return outcome, end


def _places(times: IntArray, moments: IntArray, spans: Spans, rows: IntArray) -> IntArray:
    place = np.minimum(np.searchsorted(times, moments), len(times) - 1)
    wrong = np.flatnonzero(times[place] != moments)
    if len(wrong):
        raise LabelError(
            "a span does not start and end at bars of the market",
            got=f"the span of {spans.index[int(rows[wrong[0]])]}",
            allowed="decision times of the market's bars",
            remedy="Make the spans from the same market, all of its bars included.",
        )
    return place.astype(np.int64)
