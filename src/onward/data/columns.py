"""Which column of a foreign table is which."""

from __future__ import annotations

import pandas as pd

from onward.errors import DataError

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
    """Return the symbol of each row as text: ``symbol``, else ``venue:coin``, else ``coin``.

    Raises
    ------
    DataError
        When a row does not say its symbol.
    """
    if "symbol" in table.columns:
        return _text(table, "symbol")
    if "coin" in table.columns:
        coin = _text(table, "coin")
        return _text(table, "venue") + ":" + coin if "venue" in table.columns else coin
    return None


def _text(table: pd.DataFrame, name: str) -> pd.Series:
    missing = table[name].isna().to_numpy()
    if missing.any():
        raise DataError(
            f"Some rows do not say their {name}",
            got=f"{int(missing.sum())} of {len(table)}, first in row {int(missing.argmax())}",
            remedy="Fill the column in, or drop it where there is one symbol only.",
        )
    return table[name].astype(str)
