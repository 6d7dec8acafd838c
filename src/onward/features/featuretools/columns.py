"""The columns of the dataframe ``bars`` that deep feature synthesis starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from onward.errors import ConfigError, nearest
from onward.features.side_values import side_values
from onward.types import FloatArray, Market

__all__ = ["BAR_COLUMNS", "TIME", "BarColumn", "Meaning", "base_values", "column", "resolve_columns"]

Meaning = Literal["change", "size", "level", "flag", "time"]

TIME = "@time"
"""The time index of ``bars``: each bar's decision time."""


@dataclass(frozen=True)
class BarColumn:
    """A column of ``bars``.

    Attributes
    ----------
    name
        Name in the entity set.
    meaning
        ``change``: around zero, comparable over time. ``size``: not negative, comparable. ``level``:
        says something only relative to another value of its own. ``flag``: true or false.
    lookback
        Bars that it needs, the row itself included.
    source
        Value column of a side series; empty for columns made of the bar itself.
    parents
        Parents over which it is aggregated: those within which it changes.
    compute
        From arrays of one symbol (``open high low close volume``, or the side value) to values.
    """

    name: str
    meaning: Meaning
    compute: Callable[[Mapping[str, FloatArray]], FloatArray]
    lookback: int = 1
    source: str = ""
    parents: tuple[str, ...] = ("session", "day", "week", "moment")


def _log_return(bars: Mapping[str, FloatArray]) -> FloatArray:
    logs = np.log(bars["close"])
    out = np.full(len(logs), np.nan)
    out[1:] = logs[1:] - logs[:-1]
    return out


def _close_location(bars: Mapping[str, FloatArray]) -> FloatArray:
    spread = bars["high"] - bars["low"]
    return np.where(spread > 0.0, (2.0 * bars["close"] - bars["high"] - bars["low"]) / spread, 0.0 * spread)


def _up(bars: Mapping[str, FloatArray]) -> FloatArray:
    unknown = np.isnan(bars["close"]) | np.isnan(bars["open"])
    return np.where(unknown, np.nan, (bars["close"] > bars["open"]).astype(np.float64))


def _log_open_interest(values: Mapping[str, FloatArray]) -> FloatArray:
    return np.log(values["open_interest"])


BAR_COLUMNS: Mapping[str, BarColumn] = MappingProxyType(
    {
        column.name: column
        for column in (
            BarColumn("log_return", "change", _log_return, lookback=2),
            BarColumn("log_range", "size", lambda bars: np.log(bars["high"]) - np.log(bars["low"])),
            BarColumn("close_location", "change", _close_location),
            BarColumn("log_price", "level", lambda bars: np.log(bars["close"])),
            BarColumn("log_volume", "level", lambda bars: np.log(bars["volume"])),
            BarColumn("log_dollar_volume", "level", lambda bars: np.log(bars["volume"] * bars["close"])),
            BarColumn("body", "change", lambda bars: np.log(bars["close"]) - np.log(bars["open"])),
            BarColumn("up", "flag", _up),
        )
    }
)
"""Columns made of a bar itself, by name; where a logarithm has no value they are NaN."""

SIDE_PARENTS: Mapping[str, tuple[str, ...]] = MappingProxyType({"fear_greed": ("week", "moment")})

DEFAULT_COLUMNS = ("log_return", "log_range", "log_price", "log_volume", "up")

SIDE_MEANINGS: Mapping[str, Meaning] = MappingProxyType({"funding_rate": "change"})
"""What known side values mean; of ``open_interest`` the logarithm is taken; all others are levels."""


def column(name: str) -> BarColumn:
    """Return a column of ``bars`` by name: one made of the bar, or the value of a side series.

    Side values change too seldom to be aggregated over a session; fear & greed comes once a day.
    """
    if name in BAR_COLUMNS:
        return BAR_COLUMNS[name]
    parents = SIDE_PARENTS.get(name, ("day", "week", "moment"))
    if name == "log_open_interest":
        return BarColumn(name, "level", _log_open_interest, source="open_interest", parents=parents)
    meaning = SIDE_MEANINGS.get(name, "level")
    return BarColumn(name, meaning, lambda values: values[name], source=name, parents=parents)


def resolve_columns(names: Sequence[str] | None, side_values: Sequence[str]) -> tuple[str, ...]:
    """Return the columns to start from: those asked for, else the default ones and all side values.

    Raises
    ------
    ConfigError
        If a column is neither made of bars nor a side value that is there.
    """
    sides = ["log_open_interest" if value == "open_interest" else value for value in side_values]
    if names is None:
        return (*DEFAULT_COLUMNS, *(side for side in dict.fromkeys(sides) if side not in BAR_COLUMNS))
    known = [*BAR_COLUMNS, *sides]
    for name in names:
        if name not in known:
            close = nearest(str(name), known)
            raise ConfigError(
                "featuretools.columns names a column that bars do not have",
                got=repr(name),
                allowed=", ".join(known),
                remedy=f"Did you mean {close!r}?" if close else "Take some of the allowed ones.",
                settings=("columns",),
            )
    return tuple(dict.fromkeys(names))


def base_values(market: Market, names: Sequence[str]) -> dict[str, FloatArray]:
    """Return columns of ``bars`` for every row of a market, float64; a missing side series gives NaN.

    Infinities, such as the logarithm of no volume, become NaN.
    """
    out = {name: np.full(len(market), np.nan) for name in names}
    wanted = [column(name) for name in names]
    prices = {c: np.ascontiguousarray(market.bars[c].to_numpy(np.float64)) for c in market.bars.columns}
    sides = side_values(market, {c.source for c in wanted if c.source})
    with np.errstate(all="ignore"):
        for item in wanted:
            if item.source and item.source not in sides:
                continue
            given = prices if not item.source else {item.source: sides[item.source]}
            for rows in market.rows.values():
                values = item.compute({key: array[rows] for key, array in given.items()})
                out[item.name][rows] = np.where(np.isfinite(values), values, np.nan)
    return out
