"""Candles of a report with the position held in them: the stretch that somebody looks at, no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from onward.dashboard.views.candles import DIGITS, SECOND_NS, STEPS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Stored", "positions", "window"]

PRICES = ("open", "high", "low", "close")

Stored: TypeAlias = "Callable[[int, int], pd.DataFrame]"
"""Returns stored candles between two moments in Unix seconds, the second one exclusive."""
Columns: TypeAlias = dict[str, Any]
"""Arrays of equal length: ``time`` in Unix seconds, prices, ``position`` (NaN: not known)."""


def window(
    chart: Mapping[str, Any],
    *,
    bar_seconds: int,
    start: int | None,
    end: int | None,
    points: int,
    stored: Stored | None = None,
) -> dict[str, Any]:
    """Return the candles of a stretch as plain columns, several bars in one where there are many.

    A report keeps its newest bars one by one and the whole period in merged candles, but the position
    of every bar. Earlier bars come from the store where they are still there; else the merged candles
    are what there is.

    Parameters
    ----------
    chart
        ``overview``, ``detail`` and ``earlier`` of a symbol, as the report keeps them.
    bar_seconds
        Length of a bar.
    start, end
        Unix seconds, the end exclusive; None for the whole period.
    points
        How many candles there is room for.
    stored
        Gives what the store has.

    Returns
    -------
    dict
        ``time`` and ``until`` (Unix seconds of the first and the last bar of a candle), ``open high low
        close``, ``position`` (mean over the bars in a candle, None where it is not known), and ``bars``:
        how many bars went into a candle at most.
    """
    known = len(chart["earlier"]["position"]) + len(chart["detail"]["open"])
    first = int(chart["overview"]["time"]["start"]) if start is None else start
    last = _end(chart["detail"]["time"]) + bar_seconds if end is None else end
    bars = _bars(chart, first, last, stored) if known else _cut(chart["overview"], first, last)
    step = next((s for s in STEPS if len(bars["time"]) <= s * points), STEPS[-1])
    merged = _merged(bars, bar_seconds * step) if step > 1 else bars
    return {
        "bars": step,
        "time": merged["time"].tolist(),
        "until": (merged["until"] if step > 1 else merged["time"]).tolist(),
        **{name: np.round(merged[name], DIGITS).tolist() for name in PRICES},
        "position": [None if np.isnan(value) else round(value, 3) for value in merged["position"].tolist()],
    }


def positions(chart: Mapping[str, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the open times (Unix seconds) of all bars of a report, and the position held in them."""
    earlier, detail = chart["earlier"], chart["detail"]
    held = [value for value, n in earlier["position"] for _ in range(n)]
    times = [_times(earlier["time"], len(held)), _times(detail["time"], len(detail["open"]))]
    return np.concatenate(times), np.array([*held, *detail["position"]], dtype=np.float64)


def _bars(chart: Mapping[str, Any], first: int, last: int, stored: Stored | None) -> Columns:
    own = _cut(chart["detail"], first, last)
    begins = int(chart["detail"]["time"]["start"])
    if first >= begins or not chart["earlier"]["position"]:
        return own
    before = None if stored is None else stored(first, min(begins, last))
    if before is None or before.empty:
        return _cut(chart["overview"], first, last)
    moments = before["timestamp"].to_numpy("datetime64[ns]").astype(np.int64) // SECOND_NS
    known_at, held = positions(chart)
    place = np.clip(np.searchsorted(known_at, moments), 0, len(known_at) - 1)
    earlier: Columns = {
        "time": moments,
        "position": np.where(known_at[place] == moments, held[place], np.nan),
        **{name: before[name].to_numpy(np.float64) for name in PRICES},
    }
    return {name: np.concatenate([earlier[name], own[name]]) for name in own}


def _merged(bars: Columns, step_seconds: int) -> Columns:
    number = bars["time"] // step_seconds
    first = np.flatnonzero(np.diff(number, prepend=number[0] - 1))
    last = np.append(first[1:], len(number)) - 1
    known = ~np.isnan(bars["position"])
    n_known = np.add.reduceat(known.astype(np.float64), first)
    total = np.add.reduceat(np.where(known, bars["position"], 0.0), first)
    return {
        "time": bars["time"][first],
        "until": bars["time"][last],
        "open": bars["open"][first],
        "high": np.maximum.reduceat(bars["high"], first),
        "low": np.minimum.reduceat(bars["low"], first),
        "close": bars["close"][last],
        "position": np.divide(total, n_known, out=np.full(len(first), np.nan), where=n_known > 0),
    }


def _cut(columns: Mapping[str, Any], first: int, last: int) -> Columns:
    times = _times(columns["time"], len(columns["open"]))
    begin, end = np.searchsorted(times, [first, last])
    return {
        "time": times[begin:end],
        **{name: np.array(columns[name][begin:end], dtype=np.float64) for name in (*PRICES, "position")},
    }


def _times(encoded: Mapping[str, Any], n: int) -> np.ndarray[Any, Any]:
    if n == 0:
        return np.empty(0, np.int64)
    steps = [step for step, times in encoded["runs"] for _ in range(times)]
    return np.cumsum(np.array([encoded["start"], *steps], dtype=np.int64))


def _end(encoded: Mapping[str, Any]) -> int:
    return int(encoded["start"]) + sum(int(step) * int(n) for step, n in encoded["runs"])
