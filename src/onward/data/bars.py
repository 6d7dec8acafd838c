"""The rules that every bar of a market keeps, whichever door it came through: checked here, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.data.timeframe import format_timeframe
from onward.errors import DataError, NotEnoughDataError, TimeframeError
from onward.types import (
    INDEX_NAMES,
    OHLCV,
    BoolArray,
    FloatArray,
    IntArray,
    Market,
    SideSeries,
    from_ns,
)

__all__ = ["OhlcPolicy", "market_of", "ohlc_violations"]

OhlcPolicy = Literal["error", "widen", "keep"]
"""What to do with a bar whose high or low does not contain its open and close."""

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
ROUNDING = 1e-9
FEW_LATE = 3
"""Bars in the future that are single wrong stamps, not a wrong zone."""
A_DAY = 86_400 * SECOND
"""No zone is further from UTC."""
"""Relative excess that is rounding, not a violation."""


def market_of(
    stamps: IntArray,
    symbols: npt.NDArray[np.object_],
    values: FloatArray,
    *,
    timeframe: pd.Timedelta,
    series: Mapping[str, SideSeries] | None = None,
    now: pd.Timestamp | None = None,
    ohlc: OhlcPolicy = "error",
) -> Market:
    """Check bars that lie in arrays, and build their market; `make_market` takes tables.

    Parameters
    ----------
    stamps
        Open times, ns UTC, shape (n,); of each symbol in order of time. Lateness of up to a second
        after a full minute is taken off, and all below a second where bars are shorter than a minute;
        other parts of a second are refused.
    symbols
        Text, shape (n,).
    values
        Open, high, low, close, volume, float64, shape (n, 5); taken over, and written to.
    timeframe, series, now, ohlc
        See `make_market`.

    Raises
    ------
    DataError, TimeframeError, NotEnoughDataError
        See `make_market`.
    """
    stamps = _floored(stamps, timeframe)
    if now is not None:
        closed = _closed(stamps, timeframe, now)
        stamps, symbols, values = stamps[closed], symbols[closed], values[closed]
    if not len(stamps):
        raise NotEnoughDataError("There is no closed bar", remedy="Give at least one closed bar.")

    codes, names = pd.factorize(symbols, sort=True)
    order = np.argsort(codes, kind="stable")
    codes, stamps, values = codes[order].astype(np.int64), stamps[order], values[order]
    steps, same = np.diff(stamps), np.diff(codes) == 0
    _check_order(steps, same, codes, stamps, names)
    _check_spacing(steps, same, codes, stamps, names, timeframe)
    _check_whole(codes, stamps, names)
    values = _checked_values(values, stamps, names, codes, ohlc)

    opens, position = np.unique(stamps, return_inverse=True)
    levels: Any = [pd.Index(names, dtype=object), from_ns(opens)]
    placed: Any = [codes, position]
    index = pd.MultiIndex(levels=levels, codes=placed, names=INDEX_NAMES, verify_integrity=False)
    bars = pd.DataFrame(values, index=index, columns=list(OHLCV))
    return Market(bars, timeframe, series or {})


def ohlc_violations(values: FloatArray) -> BoolArray:
    """Return the bars whose high or low does not contain open and close, beyond rounding.

    Parameters
    ----------
    values
        Columns open, high, low, close first; shape (n, 4) or wider. NaN never violates.
    """
    o, h, low, c = (values[:, i] for i in range(4))
    slack = ROUNDING * np.abs(c)
    return np.asarray((h + slack < np.maximum(o, c)) | (low - slack > np.minimum(o, c)), dtype=bool)


def _floored(stamps: IntArray, length: pd.Timedelta) -> IntArray:
    """Return open times as they were meant: exchanges stamp 08:00:00.017."""
    if length.value < MINUTE:
        return stamps - stamps % SECOND
    late = stamps % MINUTE
    return np.where(late <= SECOND, stamps - late, stamps)


def _closed(stamps: IntArray, length: pd.Timedelta, now: pd.Timestamp) -> BoolArray:
    moment = (now.tz_localize("UTC") if now.tzinfo is None else now.tz_convert("UTC")).as_unit("ns").value
    if len(stamps) and stamps.max() > moment:
        late = int((stamps > moment).sum())
        # A wrong zone moves the newest hours of a file; far beyond them it is single stamps that are wrong.
        single = late <= FEW_LATE and stamps.max() > moment + A_DAY and late < len(stamps)
        raise DataError(
            "Bars open in the future",
            got=f"{pd.Timestamp(int(stamps.max()), tz='UTC')} with now = {now}",
            remedy="The stamps of these bars are wrong: correct them in the file, or take the bars out of it."
            if single
            else "Check the zone of the timestamps: they must be UTC open times.",
        )
    return np.asarray(stamps + length.value <= moment)


def _check_order(steps: IntArray, same: BoolArray, codes: IntArray, stamps: IntArray, names: Any) -> None:
    back = same & (steps < 0)
    if back.any():
        row = int(np.argmax(back))
        raise DataError(
            "The bars are not in order of time",
            got=f"{int(back.sum())} steps back, first {_where(names, codes, stamps, row + 1)} "
            f"after {pd.Timestamp(int(stamps[row]), tz='UTC')}",
            remedy="Sort them: frame.sort_index() or frame.sort_values('timestamp').",
        )
    twice = same & (steps == 0)
    if twice.any():
        row = int(np.argmax(twice))
        raise DataError(
            "Some bars occur twice",
            got=f"{int(twice.sum())} duplicates, first {_where(names, codes, stamps, row)}",
            allowed="one bar a symbol and open time",
            remedy="Drop them, or import the file with `onward data import`, which reports what it drops; "
            "a panel needs a symbol column.",
        )


def _check_spacing(
    steps: IntArray, same: BoolArray, codes: IntArray, stamps: IntArray, names: Any, length: pd.Timedelta
) -> None:
    off = same & (steps % length.value != 0)
    inside = steps[same]
    if not off.any() and (len(inside) < 2 or inside.min() == length.value):
        return
    spacing, count = np.unique(inside, return_counts=True)
    usual = pd.Timedelta(int(spacing[np.argmax(count)]), unit="ns")
    if off.any():
        row = int(np.argmax(off))
        got = (
            f"{int(off.sum())} steps that are no multiple of {format_timeframe(length)}, "
            f"first {_span(steps[row])} before {_where(names, codes, stamps, row + 1)}"
        )
    else:
        got = f"no two bars that are {format_timeframe(length)} apart"
    whole = usual >= pd.Timedelta(1, unit="s") and usual.value % 1_000_000_000 == 0
    raise TimeframeError(
        f"The timeframe {format_timeframe(length)} does not match the spacing of the bars",
        got=got,
        allowed="bars on the grid of the timeframe; missing bars are fine",
        remedy=f"The usual spacing is {usual}"
        + (f": give timeframe={format_timeframe(usual)!r}." if whole and usual != length else "."),
    )


def _check_whole(codes: IntArray, stamps: IntArray, names: Any) -> None:
    """Refuse bars that are all early by some milliseconds: they would count as closed before they were."""
    torn = stamps % SECOND != 0
    if torn.any():
        row = int(np.argmax(torn))
        raise DataError(
            "Some bars open between two seconds",
            got=f"{int(torn.sum())} bars, first {_where(names, codes, stamps, row)}",
            allowed="open times on the grid of the timeframe, or up to 1 s late",
            remedy="Stamp each bar with the moment at which it was meant to open.",
        )


def _span(step: np.int64) -> pd.Timedelta:
    return pd.Timedelta(int(step), unit="ns")


def _checked_values(
    values: FloatArray, stamps: IntArray, names: Any, codes: IntArray, ohlc: OhlcPolicy
) -> FloatArray:
    prices, volume = values[:, :4], values[:, 4]
    bad = ~(np.isfinite(prices) & (prices > 0))
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise DataError(
            "Prices must be finite and greater than zero",
            got=f"{int(bad.any(axis=1).sum())} bars, first {OHLCV[column]} = {prices[row, column]:g} "
            f"at {_where(names, codes, stamps, row)}",
            remedy="Drop those bars: a missing bar is a gap, and gaps are fine.",
        )
    wrong = np.isinf(volume) | (volume < 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            "Volume must be finite and not negative",
            got=f"{int(wrong.sum())} bars, first {volume[row]:g} at {_where(names, codes, stamps, row)}",
            remedy="Correct it, or make it NaN where it is not known.",
        )
    if np.isnan(volume).all():
        raise DataError(
            "The volume is NaN throughout",
            got=f"{len(volume)} bars, none with a volume",
            remedy="Set it to 0 where the venue publishes none, and switch the volume features off.",
        )
    violated = ohlc_violations(values)
    if violated.any() and ohlc == "error":
        row = int(np.argmax(violated))
        o, h, low, c = prices[row]
        raise DataError(
            "Some bars' high or low does not contain their open and close",
            got=f"{int(violated.sum())} bars, first {_where(names, codes, stamps, row)}: "
            f"open {o:g}, high {h:g}, low {low:g}, close {c:g}",
            allowed="low <= open, close <= high",
            remedy="Correct those rows, or drop them: a missing bar is a gap, and gaps are fine. In Python "
            "ohlc='widen' stretches high and low.",
        )
    if ohlc != "keep":
        values[:, 1] = prices.max(axis=1)
        values[:, 2] = prices.min(axis=1)
    return values


def _where(names: Any, codes: IntArray, stamps: IntArray, row: int) -> str:
    return f"{names[codes[row]]} {pd.Timestamp(int(stamps[row]), tz='UTC')}"
