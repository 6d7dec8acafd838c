"""The series that windows run over: what one number a bar may be made of.

Most calculators mean something on a stationary series only: prefer returns, ranges and changes to
levels. Raw price levels are there for ratios of a window to itself (autocorrelation, entropies);
their mean or maximum teaches a model the price of its training years.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from onward.features.side_series import chosen_series, side_values
from onward.types import OHLCV, FloatArray, Market

__all__ = ["CATALOG", "CHANGE", "Source", "resolve_series", "series_values"]

CHANGE = "_change"
"""Suffix of a side value's change since the bar before."""

Columns = Mapping[str, FloatArray]


@dataclass(frozen=True)
class Source:
    """One series.

    Attributes
    ----------
    name
        Name of the series, part of its columns' names.
    compute
        From the bars of one symbol (arrays by column) and its side values to one value a bar.
        NaN where it is not known or not defined; no value may use a later bar.
    lookback
        Bars that a value needs, its own included.
    value
        Value column of a side series that it needs; empty when bars are enough.
    """

    name: str
    compute: Callable[[Columns], FloatArray]
    lookback: int = 1
    value: str = ""


def change(values: FloatArray) -> FloatArray:
    """Return the difference to the bar before; NaN in the first row."""
    out = np.full(len(values), np.nan)
    np.subtract(values[1:], values[:-1], out=out[1:])
    return out


def column(name: str) -> Callable[[Columns], FloatArray]:
    """Return the function that reads a column as it is."""
    return lambda bars: bars[name]


def column_change(name: str) -> Callable[[Columns], FloatArray]:
    """Return the function that gives the change of a column."""
    return lambda bars: change(bars[name])


def gap(bars: Columns) -> FloatArray:
    """Return the log return from the last close to the open."""
    out = np.full(len(bars["open"]), np.nan)
    np.log(bars["open"][1:] / bars["close"][:-1], out=out[1:])
    return out


CATALOG: Mapping[str, Source] = MappingProxyType(
    {
        source.name: source
        for source in (
            Source("close_logret", lambda bars: change(np.log(bars["close"])), 2),
            Source("gap_logret", gap, 2),
            Source("body", lambda bars: np.log(bars["close"] / bars["open"])),
            Source("range", lambda bars: (bars["high"] - bars["low"]) / bars["close"]),
            Source("range_log", lambda bars: np.log(bars["high"] / bars["low"])),
            Source("volume", column("volume")),
            Source("volume_log", lambda bars: np.log(bars["volume"])),
            Source("volume_logchange", lambda bars: change(np.log(bars["volume"])), 2),
            Source("dollar_volume", lambda bars: bars["close"] * bars["volume"]),
            *(Source(name, column(name)) for name in OHLCV[:4]),
        )
    }
)
"""Series of the bars by name.

``close_logret`` log return of the close; ``gap_logret`` log return from the last close to the
open; ``body`` log of close over open; ``range`` high less low over close, ``range_log`` log of
high over low; ``volume``, its logarithm ``volume_log`` and that one's change
``volume_logchange`` (both NaN where nothing was traded); ``dollar_volume`` close times volume;
``open``, ``high``, ``low``, ``close``: price levels.
"""


def resolve_series(names: Sequence[str], values: Sequence[str]) -> tuple[Source, ...]:
    """Return series by name: those of the bars, side values, and changes of side values.

    Parameters
    ----------
    names
        Names of `CATALOG`, value columns, or value columns followed by ``_change``. A name of the
        bars wins over a value column of the same name.
    values
        Value columns of the side series that there are.

    Raises
    ------
    StageError
        If there is no series of a name, with the nearest one; or a name occurs twice.
    """
    known = {**{value: _side(value) for value in values}, **CATALOG}
    for value in values:
        known.setdefault(value + CHANGE, _side_change(value))
    return chosen_series(
        "tsfresh",
        names,
        known,
        example='["close_logret", "volume"]',
        of_bars=CATALOG,
        values=values,
        variant=f"with {CHANGE} for its change",
    )


def series_values(market: Market, sources: Sequence[Source]) -> dict[str, FloatArray]:
    """Return each series over all bars of a market, symbol by symbol, shape (rows,).

    Side values are those known at each bar's decision time; a side value that the market lacks
    is NaN throughout.

    Raises
    ------
    SeriesError
        If two side series carry a wanted value column.
    """
    bars = {name: market.bars[name].to_numpy(np.float64) for name in OHLCV}
    side = side_values(market, (source.value for source in sources if source.value))
    bars |= {_key(value): known for value, known in side.items()}
    out = {source.name: np.full(len(market), np.nan) for source in sources}
    # A logarithm of zero or a division by it is not defined, and so not known.
    with np.errstate(all="ignore"):
        for rows in market.rows.values():
            own = {name: values[rows] for name, values in bars.items()}
            for source in sources:
                out[source.name][rows] = source.compute(own)
    return out


def _side(value: str) -> Source:
    return Source(value, column(_key(value)), value=value)


def _side_change(value: str) -> Source:
    return Source(value + CHANGE, column_change(_key(value)), 2, value=value)


def _key(value: str) -> str:
    """Return the name under which a side value stands beside the columns of the bars."""
    return f"side {value}"
