"""The door through which tables of bars come in: everything is checked, so nothing is checked later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import pandas as pd

from onward.data.availability import make_series
from onward.data.bars import OhlcPolicy, market_of
from onward.data.columns import TIME_COLUMNS, lower_columns, symbol_column, time_column
from onward.data.stamps import to_utc
from onward.data.timeframe import parse_timeframe
from onward.errors import DataError, nearest
from onward.types import OHLCV, FloatArray, Market, SideSeries, to_ns

__all__ = ["make_market"]

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
    return market_of(
        to_ns(times),
        symbols,
        _values(table),
        timeframe=length,
        series=_series(series, length),
        now=now,
        ohlc=ohlc,
    )


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


def _series(
    series: Mapping[str, SideSeries | pd.DataFrame] | None, length: pd.Timedelta
) -> dict[str, SideSeries]:
    if series is None:
        return {}
    return {
        name: one if isinstance(one, SideSeries) else make_series(name, one, bar=length)
        for name, one in series.items()
    }
