"""Arrays, and moments inside them: int64 nanoseconds since 1970, UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd  # when it is needed: a server that waits has no use for it

__all__ = ["CLASSES", "INDEX_NAMES", "OHLCV", "BoolArray", "FloatArray", "IntArray", "from_ns", "to_ns"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

OHLCV = ("open", "high", "low", "close", "volume")
CLASSES = (-1, 0, 1)
"""Down, range, up: the columns of every probability matrix, in this order."""

INDEX_NAMES = ("symbol", "open_time")


def to_ns(times: pd.DatetimeIndex | pd.Series) -> IntArray:
    """Return UTC moments as int64 nanoseconds since 1970 (aware or naive-as-UTC input)."""
    import pandas as pd

    return np.asarray(pd.DatetimeIndex(times), dtype="datetime64[ns]").astype(np.int64)


def from_ns(times: IntArray) -> pd.DatetimeIndex:
    """Return int64 nanoseconds since 1970 as a UTC index with unit ns."""
    import pandas as pd

    return pd.DatetimeIndex(times.astype("datetime64[ns]"), tz="UTC")
