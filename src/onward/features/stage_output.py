"""What a causal stage gives, held to its contract before it enters the matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import StageError, nearest
from onward.features.declarations import attributed, is_onwards
from onward.protocols import CausalStage
from onward.types import Market

__all__ = ["ColumnsDone", "FastStage", "write_columns"]

AT_ONCE = 1_000_000
"""Values that are looked at together: of a few rows, going by columns takes longer than computing them."""

ColumnsDone: TypeAlias = Callable[[int, str], None]
"""Told how many columns of a stage are finished, and what was done last."""


@runtime_checkable
class FastStage(Protocol):
    """A stage that writes its columns straight into a matrix, a few at a time."""

    def compute_into(self, market: Market, out: npt.NDArray[Any], done: ColumnsDone | None = None) -> None:
        """Write all columns into a matrix of shape (rows, columns), saying how far it has come."""


def write_columns(
    stage: CausalStage,
    columns: tuple[str, ...],
    market: Market,
    out: npt.NDArray[Any],
    done: ColumnsDone,
) -> None:
    """Compute a stage into a matrix.

    Parameters
    ----------
    stage
        What to compute.
    columns
        The columns that it declared.
    market
        Bars and side series.
    out
        Shape (rows, columns), of the type that is kept.
    done
        Told now and then how far the stage has come.

    Raises
    ------
    StageError
        If the stage fails, gives something other than a table, other rows, columns or types
        than it declared, a name twice, an infinity, or a value too large for the type of the matrix.
    """
    # Too large for float32 becomes an infinity, which is refused below with the column's name.
    with np.errstate(over="ignore"):
        if isinstance(stage, FastStage) and is_onwards(stage):
            stage.compute_into(market, out, done)
        elif isinstance(stage, FastStage):
            out.fill(np.nan)  # what a stranger's code forgets is not known, whatever memory held
            with attributed(stage.name, "compute_into()"):
                stage.compute_into(market, out, done)
        else:
            out[:] = _computed(stage, columns, market)
    if out.size <= AT_ONCE and not np.isinf(out).any():
        return
    for position, column in enumerate(columns):
        endless = np.isinf(out[:, position])
        if endless.any():
            row = int(np.flatnonzero(endless)[0])
            raise StageError(
                f"the stage {stage.name!r} gives a value that is infinite or beyond {out.dtype}",
                got=f"{column} at {' '.join(map(str, market.bars.index[row]))}",
                allowed="finite numbers, or NaN for not known",
                remedy="Divide only where the divisor is not zero, and put values on a relative scale.",
            )


def _computed(stage: CausalStage, columns: tuple[str, ...], market: Market) -> npt.NDArray[Any]:
    with attributed(stage.name, "compute()"):
        table = stage.compute(market)
    if not isinstance(table, pd.DataFrame):
        raise StageError(  # the protocol promises it, the user's code may not
            f"the stage {stage.name!r} does not give a table",
            got=f"{type(table).__module__}.{type(table).__qualname__}",
            allowed="a pandas DataFrame with one row a bar and one column for each of columns()",
            remedy="Return pd.DataFrame(..., index=market.bars.index).",
        )
    if tuple(table.columns) != columns:
        raise _other_columns(stage.name, [str(column) for column in table.columns], columns)
    if len(table) != len(market):
        raise StageError(
            f"the stage {stage.name!r} gives other rows than the market has",
            got=f"{len(table)} rows",
            allowed=f"{len(market)} rows, index equal to market.bars.index",
            remedy="Return one row a bar, NaN where nothing is known.",
        )
    if not table.index.equals(market.bars.index):
        raise StageError(
            f"the stage {stage.name!r} gives other rows than the market has",
            got=f"as many rows, with another index: {_first_difference(table.index, market.bars.index)}",
            allowed="index equal to market.bars.index, in its order",
            remedy="Return the table with index=market.bars.index.",
        )
    wrong = [str(c) for c, kind in table.dtypes.items() if kind != np.float64]
    if wrong:
        raise StageError(
            f"the stage {stage.name!r} gives columns that are not float64",
            got=f"{wrong[0]} of type {table[wrong[0]].dtype}",
            allowed="float64",
            remedy="Convert it; True and False become 1.0 and 0.0.",
        )
    return table.to_numpy()


def _other_columns(stage: str, given: list[str], declared: tuple[str, ...]) -> StageError:
    twice = sorted({column for column in given if given.count(column) > 1})
    absent = [column for column in declared if column not in given]
    extra = [column for column in given if column not in declared]
    if twice:
        got, remedy = f"{', '.join(twice[:3])} more than once", "Give every column a name of its own."
    elif absent or extra:
        got = f"missing: {', '.join(absent[:3]) or 'none'}; not declared: {', '.join(extra[:3]) or 'none'}"
        close = nearest(absent[0], extra) if absent else None
        remedy = f"Did it mean {close!r}?" if close else "Make columns() and compute() agree."
    else:
        place = next(i for i, pair in enumerate(zip(given, declared, strict=True)) if pair[0] != pair[1])
        got = f"another order: {given[place]} where {declared[place]} should stand"
        remedy = "Return table[list(self.columns())]."
    return StageError(
        f"the stage {stage!r} gives other columns than it declared",
        got=got,
        allowed="exactly columns(), in that order",
        remedy=remedy,
    )


def _first_difference(given: pd.Index, wanted: pd.Index) -> str:
    for place, (one, other) in enumerate(zip(given, wanted, strict=True)):
        if one != other:
            return f"row {place} is {one}, not {other}"
    return f"{given.dtype} where {wanted.dtype} is wanted"
