"""A market as the read-only arrays that families compute on."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.features.manual.family import Bars
from onward.features.side_values import side_values
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
    found = side_values(market, series)
    unknown = np.full(len(market), np.nan)
    values = {name: _frozen_view(found.get(name, unknown)) for name in series}
    return {
        symbol: Bars(
            **{column: array[rows] for column, array in prices.items()},
            open_time=_frozen_view(market.open_time_ns[rows]),
            timeframe=market.timeframe_ns,
            series=MappingProxyType({name: array[rows] for name, array in values.items()}),
        )
        for symbol, rows in market.rows.items()
    }


def _read_only(column: pd.Series) -> FloatArray:
    return _frozen_view(np.ascontiguousarray(column.to_numpy(np.float64), dtype=np.float64))


def _frozen_view(array: npt.NDArray[ScalarT]) -> npt.NDArray[ScalarT]:
    view = array.view()
    view.flags.writeable = False
    return view
