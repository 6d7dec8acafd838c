"""Where a feature matrix is not known yet, column by column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["nan_ledger"]


def nan_ledger(X: pd.DataFrame) -> pd.DataFrame:
    """Return where a matrix is not known: one row a column.

    Returns
    -------
    DataFrame
        ``column``; ``count`` of NaN; ``share`` of all rows, 0 to 1; ``first_valid``, the open
        time (UTC) of the first row that has a value, NaT when none has.
    """
    times = pd.DatetimeIndex(X.index.get_level_values(-1)) if len(X) else pd.DatetimeIndex([], tz="UTC")
    counts = np.zeros(X.shape[1], dtype=np.int64)
    first: list[Any] = []
    for position in range(X.shape[1]):
        known = ~np.isnan(X.iloc[:, position].to_numpy())
        counts[position] = len(X) - np.count_nonzero(known)
        first.append(times[known].min() if known.any() else pd.NaT)
    return pd.DataFrame(
        {
            "column": list(map(str, X.columns)),
            "count": counts,
            "share": counts / max(len(X), 1),
            "first_valid": pd.DatetimeIndex(pd.to_datetime(first, utc=True)),
        }
    )
