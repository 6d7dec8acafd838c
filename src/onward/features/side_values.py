"""Side values of a market by name, each as it was known at the rows' decision times."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from onward.data.availability import as_of
from onward.errors import SeriesError
from onward.types import FloatArray, Market

__all__ = ["side_values"]


def side_values(market: Market, wanted: Collection[str]) -> dict[str, FloatArray]:
    """Return the value columns wanted that the market has.

    Returns
    -------
    dict of ndarray
        By value column, float64, C-contiguous, shape (rows of the market,); NaN before the first
        value. Columns that no side series carries are left out.

    Raises
    ------
    SeriesError
        If two side series of the market carry the same value column.
    """
    source: dict[str, str] = {}
    for name, series in market.series.items():
        for value in series.values:
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
    return {
        value: np.ascontiguousarray(joined[name][value].to_numpy(np.float64), dtype=np.float64)
        for value, name in source.items()
    }
