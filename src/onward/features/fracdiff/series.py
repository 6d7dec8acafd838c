"""The series that are differenced: logarithms of the bars' columns, and side values.

A fractional difference keeps a part of the level. The logarithm makes that part one that a model
can live with: changes count in per cent, not in dollars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onward.features.side_series import chosen_series, side_values
from onward.types import OHLCV, FloatArray, Market

__all__ = ["LOG", "OF_BARS", "Source", "resolve_series", "series_values"]

LOG = "log_"
"""Prefix of a side value's logarithm."""

DOLLAR_VOLUME = "dollar_volume"

OF_BARS = tuple(LOG + name for name in (*OHLCV, DOLLAR_VOLUME))
"""Series of the bars: logarithms of a column, or of close times volume."""


@dataclass(frozen=True)
class Source:
    """One series.

    Attributes
    ----------
    name
        Name of the series, part of its columns' names.
    value
        Column of the bars, or value column of a side series.
    logarithm
        Whether the logarithm is taken.
    side
        Whether ``value`` belongs to a side series.
    """

    name: str
    value: str
    logarithm: bool
    side: bool


def resolve_series(names: Sequence[str], values: Sequence[str]) -> tuple[Source, ...]:
    """Return series by name.

    Parameters
    ----------
    names
        Names of `OF_BARS`, value columns of side series, or those after ``log_``. A name of the
        bars wins.
    values
        Value columns of the side series that there are.

    Raises
    ------
    StageError
        If there is no series of a name, with the nearest one; or a name occurs twice.
    """
    known = {LOG + value: Source(LOG + value, value, logarithm=True, side=True) for value in values}
    known |= {value: Source(value, value, logarithm=False, side=True) for value in values}
    known |= {name: Source(name, name.removeprefix(LOG), logarithm=True, side=False) for name in OF_BARS}
    return chosen_series(
        "fracdiff",
        names,
        known,
        example='["log_close", "log_volume"]',
        of_bars=OF_BARS,
        values=values,
        variant=f"after {LOG} for its logarithm",
    )


def series_values(market: Market, sources: Sequence[Source]) -> Mapping[str, FloatArray]:
    """Return each series over all rows of a market, shape (rows,), finite or NaN.

    Side values are those known at each bar's decision time; a side value that the market lacks
    is NaN throughout. The logarithm of what is not positive is NaN.

    Raises
    ------
    SeriesError
        If two side series carry a wanted value column.
    """
    side = side_values(market, (source.value for source in sources if source.side))
    out: dict[str, FloatArray] = {}
    for source in sources:
        if source.side:
            values = side[source.value]
        elif source.value == DOLLAR_VOLUME:
            values = market.bars["close"].to_numpy(np.float64) * market.bars["volume"].to_numpy(np.float64)
        else:
            values = market.bars[source.value].to_numpy(np.float64)
        usable = np.isfinite(values) & ((values > 0.0) | (not source.logarithm))
        unknown = np.full(len(values), np.nan)
        transform = np.log if source.logarithm else np.positive
        out[source.name] = transform(values, out=unknown, where=usable)
    return out
