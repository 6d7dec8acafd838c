"""Many candles as few: each bucket of neighbours becomes one candle, nothing is left out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STEPS", "buckets"]

STEPS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168, 336, 672, 1344, 2688)
"""Bars that may become one: chosen from few, so that buckets stay the same while a chart scrolls."""
SECOND_NS = 1_000_000_000
DIGITS = 10


def buckets(
    frame: pd.DataFrame, *, bar_seconds: int, points: int, last_of: Sequence[str] = ()
) -> dict[str, Any]:
    """Return candles as plain columns, at most about ``points`` of them.

    Buckets are cut at multiples of their length since 1970, so the same bar falls into the same
    bucket whatever stretch was asked for. Open is that of the first bar in a bucket, close that of
    the last, high and low the extremes, volume the sum; gaps stay gaps.

    Parameters
    ----------
    frame
        ``timestamp`` (UTC, sorted), ``open``, ``high``, ``low``, ``close``, ``volume``.
    bar_seconds
        Length of a bar.
    points
        How many candles the chart has room for.
    last_of
        Further columns, of which the newest value of each bucket counts; NaN is None.

    Returns
    -------
    dict
        ``time`` and ``until`` (Unix seconds of the first and the last bar of a bucket), ``open`` ...
        ``volume``, and ``bars``: how many bars went into a bucket at most; with ``last_of`` also
        ``side``, columns by name.
    """
    n = len(frame)
    step = next((s for s in STEPS if n <= s * points), STEPS[-1])
    seconds = frame["timestamp"].to_numpy("datetime64[ns]").astype(np.int64) // SECOND_NS
    number = seconds // (bar_seconds * step)
    first = np.flatnonzero(np.diff(number, prepend=number[:1] - 1)) if n else np.empty(0, np.int64)
    last = np.append(first[1:], n) - 1 if n else first
    values = {name: frame[name].to_numpy(float) for name in ("open", "high", "low", "close", "volume")}
    columns: dict[str, list[float]] = {name: [] for name in values}
    if n:
        columns = {
            "open": _plain(values["open"][first]),
            "high": _plain(np.maximum.reduceat(values["high"], first)),
            "low": _plain(np.minimum.reduceat(values["low"], first)),
            "close": _plain(values["close"][last]),
            "volume": _plain(np.add.reduceat(values["volume"], first)),
        }
    told = {"bars": step, "time": seconds[first].tolist(), "until": seconds[last].tolist(), **columns}
    if last_of:
        told["side"] = {name: _or_none(frame[name].to_numpy(float)[last]) for name in last_of}
    return told


def _or_none(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in np.round(values, DIGITS).tolist()]


def _plain(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    rounded: list[float] = np.round(values, DIGITS).tolist()
    return rounded
