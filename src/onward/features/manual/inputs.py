"""A market as the read-only arrays that families compute on."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.data.availability import as_of
from onward.errors import SeriesError
from onward.features.manual.family import Bars
from onward.types import OHLCV, FloatArray, Market

__all__ = ["bars_by_symbol"]

ScalarT = TypeVar("ScalarT", bound=np.generic)


def bars_by_symbol(market: Market, series: Sequence[str]) -> dict[str, Bars]:
    """Return the bars of each symbol with the side values known at each row's decision time.

    Parameters
    ----------
    market
        Bars and side series.
    series
        Value columns wanted; one that the market lacks is NaN throughout.

    Raises
    ------
    SeriesError
        If two side series of the market carry the same value column.
    """
    prices = {column: _read_only(market.bars[column]) for column in OHLCV}
    values = _side_values(market, series)
    return {
        symbol: Bars(
            **{column: array[rows] for column, array in prices.items()},
            open_time=_frozen_view(market.open_time_ns[rows]),
            timeframe=market.timeframe_ns,
            series=MappingProxyType({name: array[rows] for name, array in values.items()}),
        )
        for symbol, rows in market.rows.items()
    }


def _side_values(market: Market, wanted: Sequence[str]) -> dict[str, FloatArray]:
    source: dict[str, str] = {}
    for name, series in market.series.items():
        for value in series.values:  # noqa: PD011
            if value not in wanted:
                continue
            if value in source:
                raise SeriesError(
                    "two side series carry the same value column",
                    got=f"{value!r} in {source[value]!r} and {name!r}",
                    allowed="value columns that are unique over all side series",
                    remedy="Rename one of them.",
                )
            source[value] = name
    joined = {name: as_of(market, name) for name in dict.fromkeys(source.values())}
    unknown = np.full(len(market), np.nan)
    return {
        value: _read_only(joined[source[value]][value]) if value in source else _frozen_view(unknown)
        for value in wanted
    }


def _read_only(column: pd.Series) -> FloatArray:
    return _frozen_view(np.ascontiguousarray(column.to_numpy(np.float64), dtype=np.float64))


def _frozen_view(array: npt.NDArray[ScalarT]) -> npt.NDArray[ScalarT]:
    view = array.view()
    view.flags.writeable = False
    return view
