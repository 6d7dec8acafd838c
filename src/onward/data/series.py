"""Side series built so that every value says when it became known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from onward.data.columns import find_column, lower_columns, symbol_column, time_column
from onward.data.rules import RULES, SeriesRule
from onward.data.stamps import to_utc
from onward.data.timeframe import infer_timeframe, parse_timeframe
from onward.errors import DataError, NotEnoughDataError, SeriesError, nearest
from onward.types import SideSeries

__all__ = ["make_series"]


def make_series(
    name: str,
    frame: pd.DataFrame,
    *,
    symbol: str | None = None,
    available_at: str | pd.Series | pd.DatetimeIndex | None = None,
    delay: str | pd.Timedelta | None = None,
    bar: str | pd.Timedelta | None = None,
) -> SideSeries:
    """Return a side series whose every value says when it became known.

    Parameters
    ----------
    name
        ``funding``, ``open_interest`` and ``fear_greed`` carry their own rule (`RULES`); any
        other name is a custom series and needs ``available_at`` or ``delay``.
    frame
        A DatetimeIndex or a time column, value columns, optionally ``symbol`` (or ``venue`` and
        ``coin``) and ``available_at``. Naive times are UTC. Order does not matter. NaN values
        stay NaN: they were published as unknown.
    symbol
        The symbol that all rows belong to. Without it and without a symbol column the values
        are valid for every symbol.
    available_at
        Moments of availability: a column name, or as many moments as there are rows. A column
        named ``available_at`` is used by itself. Overrides the rule.
    delay
        Availability = timestamp + delay (``"1h"`` or a Timedelta, not negative). Overrides the
        rule.
    bar
        Length of one bar of the market that the series will stand beside; used by open
        interest. Its own step is used where that is longer or where ``bar`` is not given.

    Returns
    -------
    SideSeries
        Sorted by symbol, available_at, timestamp; values float64.

    Raises
    ------
    SeriesError
        When nothing says when the values became available, a value would be known before its
        timestamp, values are missing, not numbers or all NaN, or a print occurs twice.
    """
    if not isinstance(frame, pd.DataFrame):
        raise SeriesError(f"The series {name!r} must be a pandas DataFrame", got=type(frame).__name__)
    rule = RULES.get(name)
    table = lower_columns(frame)
    times = _times(table, name)
    symbols = _symbols(table, symbol)
    given = _given_availability(table, available_at, delay, times, name)
    if rule is not None:
        times = rule.clean(times)
    if given is not None:
        known = given
    elif rule is not None:
        known = rule.available(times, _bar_length(rule, bar, times, symbols))
    else:
        guess = nearest(name, RULES)
        raise SeriesError(
            f"The series {name!r} does not say when its values became available",
            got="neither an available_at column nor a delay"
            + (f" (did you mean {guess!r}, whose rule is known?)" if guess else ""),
            allowed="available_at=<column or moments>, or delay='1h'; "
            f"rules are known for {', '.join(RULES)}",
            remedy="Give the moment at which each value could first be read, not the period it is about.",
        )
    _never_before(times, known, name)
    out = pd.DataFrame({"symbol": symbols, "timestamp": times, "available_at": known})
    ignored = find_column(table, available_at) if isinstance(available_at, str) else None
    for column in _value_columns(table, rule, name, ignored):
        out[column] = _numbers(table[column], column, name)
    out = out.sort_values(["symbol", "available_at", "timestamp"], kind="stable", ignore_index=True)
    twice = out.duplicated(["symbol", "timestamp", "available_at"])
    if twice.any():
        row = out[twice].iloc[0]
        raise SeriesError(
            f"The series {name!r} holds the same print twice",
            got=f"{int(twice.sum())} duplicates, first {row['symbol'] or 'every symbol'} {row['timestamp']}",
            allowed="one row a symbol, timestamp and availability",
            remedy="Drop duplicates, or give each revision its own available_at.",
        )
    return SideSeries(name, out)


def _times(table: pd.DataFrame, name: str) -> pd.DatetimeIndex:
    if len(table) == 0:
        raise SeriesError(f"The series {name!r} has no rows", remedy="Leave it out, or give its values.")
    column = time_column(table)
    if column is None and not isinstance(table.index, pd.DatetimeIndex):
        raise SeriesError(
            f"The series {name!r} has no timestamps",
            got=f"columns {', '.join(map(str, table.columns))}",
            allowed="a DatetimeIndex, or a column timestamp, date or time",
        )
    return to_utc(table[column] if column is not None else table.index)


def _symbols(table: pd.DataFrame, symbol: str | None) -> pd.Series:
    column = symbol_column(table)
    if symbol is not None or column is None:
        return pd.Series([symbol or ""] * len(table), dtype=object)
    return column.astype(object).reset_index(drop=True)


def _given_availability(
    table: pd.DataFrame,
    available_at: str | pd.Series | pd.DatetimeIndex | None,
    delay: str | pd.Timedelta | None,
    times: pd.DatetimeIndex,
    name: str,
) -> pd.DatetimeIndex | None:
    if available_at is not None and delay is not None:
        raise SeriesError(f"The series {name!r} has both available_at and delay", allowed="one of the two")
    if delay is not None:
        try:
            length = delay if isinstance(delay, pd.Timedelta) else parse_timeframe(delay)
        except DataError as error:
            raise SeriesError("Unreadable delay", got=repr(delay), allowed="'1h', '1d' ...") from error
        if length < pd.Timedelta(0):
            raise SeriesError("A delay cannot be negative", got=delay, allowed="0 or longer")
        return times + length
    if isinstance(available_at, str):
        column = find_column(table, available_at)
        if column is None:
            raise SeriesError(
                f"The series {name!r} has no column {available_at!r}",
                got=", ".join(map(str, table.columns)),
            )
        return to_utc(table[column])
    if available_at is not None:
        if len(available_at) != len(times):
            raise SeriesError(
                "available_at must have one moment a row", got=len(available_at), allowed=f"{len(times)}"
            )
        return to_utc(available_at)
    return to_utc(table["available_at"]) if "available_at" in table.columns else None


def _bar_length(
    rule: SeriesRule, bar: str | pd.Timedelta | None, times: pd.DatetimeIndex, symbols: pd.Series
) -> pd.Timedelta:
    if not rule.needs_bar:
        return pd.Timedelta(0)
    lengths = [] if bar is None else [parse_timeframe(bar)]
    first = symbols.eq(symbols.iloc[0]).to_numpy()
    try:
        lengths.append(infer_timeframe(times[first]))
    except NotEnoughDataError:
        if not lengths:
            raise SeriesError(
                f"The series {rule.name!r} is known one bar after its timestamp, but one row has no step",
                remedy="Give bar='1h', the timeframe of your market.",
            ) from None
    return max(lengths)


def _never_before(times: pd.DatetimeIndex, known: pd.DatetimeIndex, name: str) -> None:
    early = np.asarray(known < times)
    if early.any():
        row = int(np.argmax(early))
        raise SeriesError(
            f"The series {name!r} would be known before the moment it is stamped with",
            got=f"{int(early.sum())} rows, first {times[row]} available at {known[row]}",
            allowed="available_at >= timestamp",
            remedy="Stamp values announced in advance with the time of their announcement.",
        )


def _value_columns(table: pd.DataFrame, rule: SeriesRule | None, name: str, ignored: str | None) -> list[str]:
    taken = {"symbol", "venue", "coin", "available_at", time_column(table), ignored}
    if rule is not None:
        if rule.column not in table.columns:
            raise SeriesError(
                f"The series {name!r} needs the column {rule.column!r}",
                got=", ".join(map(str, table.columns)),
                remedy=f"Rename the column that holds the values to {rule.column!r}.",
            )
        return [rule.column, *(c for c in rule.also if c in table.columns)]
    columns = [c for c in table.columns if c not in taken]
    if not columns:
        raise SeriesError(f"The series {name!r} has no value column", got=", ".join(map(str, table.columns)))
    return columns


def _numbers(column: pd.Series, label: str, name: str) -> np.ndarray[Any, Any]:
    try:
        numbers = pd.to_numeric(column).to_numpy(np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise SeriesError(
            f"The column {label!r} of the series {name!r} holds something that is not a number",
            got=str(error),
            remedy="Drop the column or turn it into numbers.",
        ) from error
    if np.isinf(numbers).any():
        raise SeriesError(
            f"The column {label!r} of the series {name!r} holds infinities", allowed="finite or NaN"
        )
    if np.isnan(numbers).all():
        raise SeriesError(
            f"The column {label!r} of the series {name!r} is NaN throughout",
            got=f"{len(numbers)} rows, none with a value",
            remedy="Leave the series out; features that need it switch themselves off.",
        )
    return numbers
