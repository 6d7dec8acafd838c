"""Figures about one side series."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.data.availability import as_of
from onward.data.quality.report import Problem, SeriesQuality
from onward.types import Market, SideSeries, to_ns

__all__ = ["check_series"]

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
STALE_STEPS = 5
"""Usual steps of a series after which its last value counts as stale."""
_RANGES = {"fear_greed": (0.0, 100.0), "open_interest": (0.0, np.inf), "funding": (-1.0, 1.0)}
_ZERO_IS_A_FAULT = ("open_interest",)


def check_series(market: Market, name: str) -> tuple[SeriesQuality, list[Problem]]:
    """Return the figures of a side series and what is worth attention."""
    series = market.series[name]
    frame = series.frame
    values = frame[list(series.values)].to_numpy(np.float64)
    stamps = to_ns(frame["timestamp"])
    steps = _steps(frame["symbol"], stamps)
    usual = float(np.median(steps)) if len(steps) else 0.0
    over = steps[steps > 1.5 * usual]
    low, high = _RANGES.get(name, (-np.inf, np.inf))
    # the timestamps themselves go through the one as-of join, to tell how old the seen values are
    dated = SideSeries(name, frame[["symbol", "timestamp", "available_at"]].assign(stamp=stamps / SECOND))
    seen = as_of(market.replace(series={name: dated}), name)["stamp"].to_numpy()
    age = market.decision_time_ns / SECOND - seen
    limit = STALE_STEPS * usual / SECOND
    found = SeriesQuality(
        name=name,
        first=pd.Timestamp(int(stamps.min()), tz="UTC"),
        last=pd.Timestamp(int(stamps.max()), tz="UTC"),
        rows=len(frame),
        nan=int(np.isnan(values).sum()),
        zeros=int((values == 0).sum()) if name in _ZERO_IS_A_FAULT else 0,
        off_grid=int((stamps % HOUR != 0).sum()) if name == "funding" else 0,
        out_of_range=int(((values < low) | (values > high)).sum()),
        gaps=len(over),
        longest_gap=pd.Timedelta(int(over.max()) if len(over) else 0, unit="ns"),
        covered=float(np.isfinite(seen).mean()),
        stale=float((age > limit).mean()) if usual else 0.0,
    )
    return found, _problems(found, low, high, len(market))


def _steps(
    symbols: pd.Series, stamps: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    codes = pd.factorize(symbols)[0]
    order = np.lexsort((stamps, codes))
    steps = np.diff(stamps[order])
    return np.asarray(steps[(np.diff(codes[order]) == 0) & (steps > 0)], dtype=np.int64)


def _problems(q: SeriesQuality, low: float, high: float, n_bars: int) -> list[Problem]:
    out = []
    if q.out_of_range:
        text = f"{q.out_of_range} values outside {low:g} to {high:g}."
        out.append(Problem("error", q.name, "range", q.out_of_range, text))
    if q.zeros:
        text = f"{q.zeros} values are zero, which a live market never has: a fault of the feed."
        out.append(Problem("warning", q.name, "zeros", q.zeros, text))
    if q.off_grid:
        text = f"{q.off_grid} stamps are off the full hour at which funding settles; a zone or a late stamp?"
        out.append(Problem("warning", q.name, "off_grid", q.off_grid, text))
    if q.nan:
        out.append(Problem("warning", q.name, "nan", q.nan, f"{q.nan} values are NaN."))
    if q.stale:
        text = (
            f"{q.stale:.1%} of the bars see a value that is more than {STALE_STEPS} steps old; "
            f"the series ends {q.last}."
        )
        out.append(Problem("warning", q.name, "stale", round(q.stale * n_bars), text))
    if q.covered < 1.0:
        text = f"{1.0 - q.covered:.1%} of the bars see no value yet."
        out.append(Problem("note", q.name, "uncovered", round((1.0 - q.covered) * n_bars), text))
    if q.gaps:
        text = f"{q.gaps} gaps; the longest distance between two values is {q.longest_gap}."
        out.append(Problem("note", q.name, "gaps", q.gaps, text))
    return out
