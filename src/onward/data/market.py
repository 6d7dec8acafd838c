"""The door through which bars come in: everything is checked here, so nothing is checked later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from onward.data.availability import make_series
from onward.data.columns import TIME_COLUMNS, lower_columns, symbol_column, time_column
from onward.data.stamps import floor_jitter, to_utc
from onward.data.timeframe import format_timeframe, parse_timeframe
from onward.errors import DataError, NotEnoughDataError, TimeframeError, nearest
from onward.types import (
    INDEX_NAMES,
    OHLCV,
    BoolArray,
    FloatArray,
    IntArray,
    Market,
    SideSeries,
    from_ns,
    to_ns,
)

__all__ = ["OhlcPolicy", "make_market", "ohlc_violations"]

OhlcPolicy = Literal["error", "widen", "keep"]
"""What to do with a bar whose high or low does not contain its open and close."""

JITTER = pd.Timedelta(1, unit="s")
ROUNDING = 1e-9
"""Relative excess that is rounding, not a violation."""
UNNAMED = "UNNAMED"


def make_market(
    frame: pd.DataFrame,
    *,
    timeframe: str | pd.Timedelta,
    symbol: str | None = None,
    series: Mapping[str, SideSeries | pd.DataFrame] | None = None,
    now: pd.Timestamp | None = None,
    ohlc: OhlcPolicy = "error",
) -> Market:
    """Check bars and build the market that everything downstream trusts.

    Parameters
    ----------
    frame
        Columns ``open high low close volume`` (any case; further columns are left out) with
        (a) a DatetimeIndex of open times, or (b) a column ``open_time``, ``timestamp``,
        ``datetime``, ``date``, ``time`` or ``unix``, (c) either with a column ``symbol`` or
        ``venue`` and ``coin`` beside it (long format), or (d) the index (symbol, open_time).
        Times without a zone are UTC. Rows of a symbol are in order of time.
    timeframe
        Length of one bar, ``"1h"`` or a Timedelta.
    symbol
        Name of the only symbol; of a long frame with several it selects one. Default: the one
        in the frame, else ``"UNNAMED"``.
    series
        Side series by name, ready-made or as frames that go through
        `onward.data.availability.make_series`.
    now
        When given, bars that are not yet closed at this moment are left out (the last row of an
        exchange's answer is usually still moving).
    ohlc
        ``error`` refuses bars whose high or low does not contain open and close (beyond
        rounding); ``widen`` stretches high and low to contain them; ``keep`` lets them pass, for
        reports on quality only.

    Returns
    -------
    Market
        Sorted by symbol and open time, float64, unique; NaN only in ``volume`` (not known).

    Raises
    ------
    DataError
        For missing columns, mixed zones, unsorted or duplicate bars, prices that are not finite
        and positive, negative volume, bars that open after ``now``.
    TimeframeError
        When the spacing of the bars is not that of the timeframe.
    NotEnoughDataError
        When no row is left.
    """
    if ohlc not in get_args(OhlcPolicy):
        raise DataError(
            "Unknown policy for broken highs and lows",
            got=repr(ohlc),
            allowed=", ".join(get_args(OhlcPolicy)),
        )
    length = parse_timeframe(timeframe)
    times, symbols, table = _parts(frame, symbol)
    values = _values(table)
    stamps = to_ns(_floored(times, length))
    if now is not None:
        closed = _closed(stamps, length, now)
        stamps, symbols, values = stamps[closed], symbols[closed], values[closed]
    if not len(stamps):
        raise NotEnoughDataError("There is no closed bar", remedy="Give at least one closed bar.")

    codes, names = pd.factorize(symbols, sort=True)
    order = np.argsort(codes, kind="stable")
    codes, stamps, values = codes[order].astype(np.int64), stamps[order], values[order]
    _check_order(codes, stamps, names)
    _check_spacing(codes, stamps, names, length)
    values = _checked_values(values, stamps, names, codes, ohlc)

    opens, position = np.unique(stamps, return_inverse=True)
    levels: Any = [pd.Index(names, dtype=object), from_ns(opens)]
    placed: Any = [codes, position]
    index = pd.MultiIndex(levels=levels, codes=placed, names=INDEX_NAMES, verify_integrity=False)
    bars = pd.DataFrame(values, index=index, columns=list(OHLCV))
    return Market(bars, length, _series(series, length))


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


def _parts(
    frame: pd.DataFrame, symbol: str | None
) -> tuple[pd.DatetimeIndex, np.ndarray[Any, Any], pd.DataFrame]:
    if not isinstance(frame, pd.DataFrame):
        raise DataError("Bars must be a pandas DataFrame", got=type(frame).__name__)
    table = lower_columns(frame)
    _check_columns(table)
    if isinstance(frame.index, pd.MultiIndex):
        if frame.index.nlevels != 2:
            raise DataError(
                "A panel is indexed by symbol and open time", got=f"{frame.index.nlevels} index levels"
            )
        own: pd.Series | None = pd.Series(frame.index.get_level_values(0).astype(str), dtype=object)
        times = to_utc(frame.index.get_level_values(1))
    else:
        own = symbol_column(table)
        column = time_column(table)
        # a real time index wins over a leftover column; a plain row number does not
        if (
            not isinstance(frame.index, pd.DatetimeIndex)
            and column is None
            and not _is_time_like(frame.index)
        ):
            raise DataError(
                "The bars carry no open times",
                got=f"index {type(frame.index).__name__}, columns {', '.join(table.columns)}",
                allowed=f"a DatetimeIndex, or one of the columns {', '.join(TIME_COLUMNS)}",
            )
        times = to_utc(
            frame.index if isinstance(frame.index, pd.DatetimeIndex) or column is None else table[column]
        )
    if own is None:
        return times, np.full(len(table), symbol or UNNAMED, dtype=object), table
    names = own.astype(object).to_numpy()
    known = pd.unique(own)
    if symbol is None:
        return times, names, table
    if symbol in known:
        keep = names == symbol
        return times[keep], names[keep], table[keep]
    if len(known) == 1:
        return times, np.full(len(table), symbol, dtype=object), table
    guess = nearest(symbol, map(str, known))
    raise DataError(
        "The symbol is not among those in the data" + (f"; did you mean {guess!r}?" if guess else ""),
        got=repr(symbol),
        allowed=", ".join(map(str, known[:20])),
    )


def _is_time_like(index: pd.Index) -> bool:
    return len(index) > 0 and not pd.api.types.is_numeric_dtype(index.dtype)


def _check_columns(table: pd.DataFrame) -> None:
    missing = [c for c in OHLCV if c not in table.columns]
    if missing:
        raise DataError(
            f"The bars lack the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
            got=", ".join(map(str, table.columns)),
            allowed=", ".join(OHLCV),
            remedy="Rename your columns to these names.",
        )
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise DataError(
            "A column occurs twice", got=", ".join(map(str, twice.unique())), remedy="Keep one of them."
        )


def _values(table: pd.DataFrame) -> FloatArray:
    out = np.empty((len(table), len(OHLCV)))
    for i, column in enumerate(OHLCV):
        try:
            out[:, i] = pd.to_numeric(table[column]).to_numpy(np.float64, na_value=np.nan)
        except (ValueError, TypeError) as error:
            raise DataError(
                f"The column {column!r} holds something that is not a number",
                got=str(error),
                remedy="Turn it into numbers first (decimal point, no thousands separators).",
            ) from error
    return out


def _floored(times: pd.DatetimeIndex, length: pd.Timedelta) -> pd.DatetimeIndex:
    if length >= pd.Timedelta(1, unit="min"):
        return floor_jitter(times, JITTER)
    return times.floor("s")


def _closed(stamps: IntArray, length: pd.Timedelta, now: pd.Timestamp) -> BoolArray:
    moment = (now.tz_localize("UTC") if now.tzinfo is None else now.tz_convert("UTC")).as_unit("ns").value
    if len(stamps) and stamps.max() > moment:
        raise DataError(
            "Bars open in the future",
            got=f"{pd.Timestamp(int(stamps.max()), tz='UTC')} with now = {now}",
            remedy="Check the zone of the timestamps: they must be UTC open times.",
        )
    return np.asarray(stamps + length.value <= moment)


def _check_order(codes: IntArray, stamps: IntArray, names: Any) -> None:
    steps = np.diff(stamps)
    same = np.diff(codes) == 0
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


def _check_spacing(codes: IntArray, stamps: IntArray, names: Any, length: pd.Timedelta) -> None:
    steps = np.diff(stamps)
    same = np.diff(codes) == 0
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
            remedy="Look at them with `onward data check`; ohlc='widen' stretches high and low.",
        )
    if ohlc != "keep":
        values[:, 1] = prices.max(axis=1)
        values[:, 2] = prices.min(axis=1)
    return values


def _where(names: Any, codes: IntArray, stamps: IntArray, row: int) -> str:
    return f"{names[codes[row]]} {pd.Timestamp(int(stamps[row]), tz='UTC')}"


def _series(
    series: Mapping[str, SideSeries | pd.DataFrame] | None, length: pd.Timedelta
) -> dict[str, SideSeries]:
    if series is None:
        return {}
    return {
        name: one if isinstance(one, SideSeries) else make_series(name, one, bar=length)
        for name, one in series.items()
    }
