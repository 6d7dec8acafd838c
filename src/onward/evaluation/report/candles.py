"""Candles with the position that the signals held in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.data.timeframe import format_timeframe
from onward.evaluation.backtest import Backtest
from onward.evaluation.report import words
from onward.evaluation.report.downsampling import Bars, calendar_step, merge_bars, run_lengths, short_floats
from onward.types import Market

__all__ = ["CandlesView", "candles_view"]

MOST_OVERVIEW = 900
MOST_DETAIL = 24_000
MOST_SYMBOLS = 6


@dataclass(frozen=True)
class CandlesView:
    """Candles of the symbols shown.

    Attributes
    ----------
    symbols
        Symbols shown.
    note
        What is left out or merged, in words.
    summary
        Text alternative of the chart.
    chart
        One entry a symbol, plain JSON values: ``overview`` (merged candles of the whole period),
        ``detail`` (bar by bar) and ``earlier``: of the bars before those, the open times and the
        position held (``[position, number of bars]``, where it changes), which the page leaves out.
    """

    symbols: tuple[str, ...]
    note: str
    summary: str
    chart: list[dict[str, Any]]


def candles_view(market: Market, model: Backtest) -> CandlesView:
    """Return the candles section: the whole period in merged candles, and bars one by one.

    Merged candles keep the true open, high, low and close of their bars. Bar by bar, the newest
    24,000 bars in all are kept so that the page stays small.
    """
    symbols = market.symbols[:MOST_SYMBOLS]
    position = model.position.reindex(market.index).to_numpy(dtype=np.float64)
    most = MOST_DETAIL // len(symbols)
    chart, notes, summary = [], [], []
    for symbol in symbols:
        bars = _bars(market, symbol, position)
        step = calendar_step(int(bars.time[0]), int(bars.time[-1]), MOST_OVERVIEW, market.timeframe_ns)
        overview, detail = merge_bars(bars, step), _last(bars, most)
        chart.append(
            {
                "symbol": symbol,
                "digits": _digits(bars),
                "overview": {**_encoded(overview), "label": f"Whole period ({_length(step)})"},
                "detail": {**_encoded(detail), "label": f"Bar by bar ({_length(market.timeframe_ns)})"},
                "earlier": _positions(bars, len(bars) - len(detail)),
            }
        )
        if len(detail) < len(bars):
            notes.append(
                f"{symbol}: bar by bar from {words.moment(pd.Timestamp(detail.time[0], tz='UTC'))} on."
            )
        summary.append(_spoken(symbol, bars))
    if len(symbols) < len(market.symbols):
        notes.append(f"The first {len(symbols)} of {len(market.symbols)} symbols are shown.")
    return CandlesView(symbols, " ".join(notes), " ".join(summary), chart)


def _bars(market: Market, symbol: str, position: np.ndarray) -> Bars:
    rows = market.rows[symbol]
    columns = {c: market.bars[c].to_numpy(dtype=np.float64)[rows] for c in ("open", "high", "low", "close")}
    return Bars(time=market.open_time_ns[rows], **columns, position=position[rows])


def _last(bars: Bars, n: int) -> Bars:
    return Bars(**{name: getattr(bars, name)[-n:] for name in Bars.__dataclass_fields__})


def _encoded(bars: Bars) -> dict[str, Any]:
    return {
        "time": run_lengths(bars.time),
        **{c: short_floats(getattr(bars, c), 7) for c in ("open", "high", "low", "close")},
        "position": short_floats(bars.position, 3),
    }


def _positions(bars: Bars, n: int) -> dict[str, Any]:
    """Return open times and positions of the first bars; what is held is told once, with how long."""
    position = bars.position[:n]
    same = (position[1:] == position[:-1]) | (np.isnan(position[1:]) & np.isnan(position[:-1]))
    starts = np.flatnonzero(np.concatenate([[True], ~same])) if n else np.empty(0, np.int64)
    lengths = np.diff(np.append(starts, n))
    held = zip(short_floats(position[starts], 3), lengths.tolist(), strict=True)
    return {"time": run_lengths(bars.time[:n]), "position": [list(one) for one in held]}


def _length(step: int) -> str:
    return format_timeframe(pd.Timedelta(step, unit="ns"))


def _digits(bars: Bars) -> int:
    """Decimals worth showing: five significant digits of the lowest price, two at least."""
    return int(np.clip(4 - np.floor(np.log10(bars.low.min())), 2, 8))


def _spoken(symbol: str, bars: Bars) -> str:
    held = bars.position[~np.isnan(bars.position)]
    shares = {name: float(np.mean(np.sign(held) == side)) for name, side in (("long", 1), ("short", -1))}
    return (
        f"{symbol}: {words.count(len(bars))} bars between {words.number(float(bars.low.min()), 2)} and "
        f"{words.number(float(bars.high.max()), 2)}; the model was long in "
        f"{words.percent(shares['long'], 0)} and short in {words.percent(shares['short'], 0)} of them, "
        "else flat."
    )
