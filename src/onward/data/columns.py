"""Which column of a foreign table is which."""

from __future__ import annotations

import pandas as pd

__all__ = ["TIME_COLUMNS", "find_column", "lower_columns", "symbol_column", "time_column"]

TIME_COLUMNS = ("open_time", "timestamp", "datetime", "date", "time", "unix")
"""Names of time columns, the most telling first."""


def lower_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a shallow copy whose column names are stripped, lower case, words joined by ``_``."""
    table = frame.copy(deep=False)
    table.columns = pd.Index([str(c).strip().lower().replace(" ", "_") for c in frame.columns])
    return table


def find_column(table: pd.DataFrame, name: str) -> str | None:
    """Return the lower-case column of that name, if there is one."""
    wanted = name.strip().lower().replace(" ", "_")
    return wanted if wanted in table.columns else None


def time_column(table: pd.DataFrame) -> str | None:
    """Return the name of the column that holds the timestamps, if there is one."""
    return next((c for c in TIME_COLUMNS if c in table.columns), None)


def symbol_column(table: pd.DataFrame) -> pd.Series | None:
    """Return the symbol of each row as text: ``symbol``, else ``venue:coin``, else ``coin``."""
    if "symbol" in table.columns:
        return table["symbol"].astype(str)
    if "coin" in table.columns:
        coin = table["coin"].astype(str)
        return table["venue"].astype(str) + ":" + coin if "venue" in table.columns else coin
    return None
