"""How the contract suite compares two tables of one stage, and what it says where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from onward.errors import StageError
from onward.protocols import CausalStage
from onward.types import FloatArray

__all__ = ["TOLERANCE", "require_equal", "require_finite", "rolling_scale"]

TOLERANCE = 1e-9
"""Largest difference, in units of the column's rolling scale (DESIGN 2.7)."""

SCALE_ROWS = 512


def require_finite(stage: CausalStage, table: pd.DataFrame) -> None:
    """Refuse a table with an infinity, naming its column and row; `StageError`."""
    endless = np.isinf(table.to_numpy())
    if endless.any():
        row, column = (int(x[0]) for x in np.nonzero(endless))
        raise StageError(
            f"the stage {stage.name!r} gives an infinity",
            got=f"{table.columns[column]} at {_row_name(table, row)}",
            allowed="finite numbers, or NaN for not known",
        )


def rolling_scale(table: pd.DataFrame, rows: Any) -> FloatArray:
    """Return each column's root mean square over the rows up to some rows, shape (rows, columns)."""
    values = table.to_numpy()
    out = np.empty((len(rows), values.shape[1]))
    for i, row in enumerate(rows):
        window = values[max(0, row - SCALE_ROWS + 1) : row + 1]
        known = np.isfinite(window)
        squares = np.square(np.where(known, window, 0.0)).sum(axis=0)
        out[i] = np.sqrt(squares / np.maximum(known.sum(axis=0), 1))
    return out


def require_equal(
    stage: CausalStage,
    how: str,
    expected: pd.DataFrame,
    found: pd.DataFrame,
    *,
    exact: bool = False,
    scale: FloatArray | None = None,
) -> None:
    """Refuse a table that is not the expected one: other rows, columns or values; `StageError`.

    Parameters
    ----------
    stage, how
        For the message: of which stage, and in which circumstances the table came to be.
    expected, found
        The two tables; NaN equals NaN alone.
    exact
        Equal to the last bit, instead of within `TOLERANCE` of the scale.
    scale
        What differences are measured by, shape (rows or 1, columns); else each column's root mean
        square over the expected table.
    """
    if not found.index.equals(expected.index) or tuple(found.columns) != tuple(expected.columns):
        raise StageError(
            f"the stage {stage.name!r} gives other rows or columns when {how}",
            got=f"{found.shape}",
            allowed=f"{expected.shape}",
        )
    a, b = expected.to_numpy(), found.to_numpy()
    with np.errstate(invalid="ignore"):
        if exact:
            wrong = a != b
        else:
            if scale is None:
                known = np.isfinite(a)
                squares = np.square(np.where(known, a, 0.0)).sum(axis=0)
                scale = np.sqrt(squares / np.maximum(known.sum(axis=0), 1))[None, :]
            wrong = np.abs(a - b) > TOLERANCE * scale
    wrong = (wrong & ~(np.isnan(a) & np.isnan(b))) | (np.isnan(a) != np.isnan(b))
    if not wrong.any():
        return
    row = int(np.flatnonzero(wrong.any(axis=1))[0])
    column = int(np.flatnonzero(wrong[row])[0])
    names = [str(c) for c in expected.columns[wrong.any(axis=0)]]
    raise StageError(
        f"a value of the stage {stage.name!r} changes when {how}",
        got=f"{expected.columns[column]} at {_row_name(expected, row)}: {b[row, column]!r}, "
        f"was {a[row, column]!r} ({_few(names)})",
        allowed="the same value: a row may know only what was known at its decision time",
        remedy="Look for a shift, a fill, a sample-wide statistic, a wrong join, or too short a lookback.",
    )


def _few(names: Sequence[str]) -> str:
    return f"{len(names)} columns: {', '.join(names[:6])}{' ...' if len(names) > 6 else ''}"


def _row_name(table: pd.DataFrame, row: int) -> str:
    symbol, moment = table.index[row]
    return f"{symbol} {moment}"
