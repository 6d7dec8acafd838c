"""Runs a stage, and finds the first value at which two runs differ."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from onward.audit.memory import Memory
from onward.errors import AuditError
from onward.protocols import CausalStage
from onward.types import BoolArray, FloatArray, IntArray, Market

__all__ = ["TOLERANCE", "Difference", "StageRunner", "Table", "differences", "private_copy"]

TOLERANCE = 1e-9
"""Allowed difference, as a share of the column's rolling scale (DESIGN 2.7)."""

SAME_START = 1e-3
"""Share of that tolerance for two runs that begin at the same bar: they do the same arithmetic in the
same order up to the cut, so a spike in a column must not excuse what moves beside it."""

SCALE_ROWS = 501


@dataclass(frozen=True, eq=False)
class Table:
    """What a stage computed.

    Attributes
    ----------
    market
        The market it was computed on.
    columns
        Column names.
    cells
        float64, shape (rows of the market, columns).
    tolerance
        Allowed difference by column: `TOLERANCE`, or a few units of rounding for float32 columns.
    rounding
        One unit of rounding by column.
    """

    market: Market
    columns: tuple[str, ...]
    cells: FloatArray
    tolerance: FloatArray
    rounding: FloatArray
    _scales: dict[int, FloatArray] = field(default_factory=dict)

    def scale(self, column: int) -> FloatArray:
        """Return the rolling scale of a column: the largest |value| within 250 rows, by symbol."""
        if column not in self._scales:
            from scipy.ndimage import maximum_filter1d

            values = np.abs(self.cells[:, column])
            values = np.where(np.isfinite(values), values, 0.0)
            scale = np.empty_like(values)
            for rows in self.market.rows.values():
                scale[rows] = maximum_filter1d(values[rows], SCALE_ROWS, mode="nearest")
            self._scales[column] = scale
        return self._scales[column]

    def row_name(self, row: int) -> str:
        """Return symbol and open time of a row as text."""
        return f"{self.market.index[row][0]} {self.market.open_time[row].isoformat()}"


@dataclass(frozen=True)
class Difference:
    """The first row at which a column differs between two runs.

    Attributes
    ----------
    column
        Position of the column.
    row
        Position of the first differing row in the full run.
    expected, got
        Values of the full run and of the other run.
    n_rows
        Differing rows in all.
    """

    column: int
    row: int
    expected: float
    got: float
    n_rows: int

    def says(self, other: str) -> str:
        """Return a sentence with both values."""
        rows = "1 row differs" if self.n_rows == 1 else f"{self.n_rows} rows differ"
        return f"full run {self.expected:.12g}, {other} {self.got:.12g} ({rows})"


def private_copy(market: Market) -> Market:
    """Return a deep copy, so that a stage that writes into its input harms nobody."""
    series = {n: type(s)(s.name, s.frame.copy(deep=True)) for n, s in market.series.items()}
    return Market(market.bars.copy(deep=True), market.timeframe, series)


class StageRunner:
    """Computes a stage on many markets, each time from a pristine copy of stage and market.

    A stage that keeps something from its first run (a scaler fitted once, say) would otherwise
    carry the whole history into every later, shorter run and look clean. What its code keeps
    outside the stage is put back as well (`onward.audit.memory`).
    """

    def __init__(self, stage: CausalStage) -> None:
        self._stage = stage
        self._pristine = _copied(stage)
        self._memory = Memory.of(stage)

    def compute(self, market: Market, *, in_place: bool = False) -> Table:
        """Return the stage's table on a market, of which the stage gets a copy.

        Parameters
        ----------
        market
            The market.
        in_place
            Whether the stage gets this very object, to see whether it writes into it.

        Raises
        ------
        AuditError
            The stage did not return one numeric row for every bar.
        """
        self._memory.restore()
        stage = _copied(self._pristine)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            frame = stage.compute(market if in_place else private_copy(market))
        return _table(frame, market)

    def try_compute(self, market: Market) -> Table | Exception:
        """Return the table, or the exception when the stage cannot compute this market."""
        try:
            return self.compute(market)
        except Exception as error:
            return error


def differences(
    full: Table, rows: IntArray, part: Table, part_rows: IntArray, *, same_start: bool = False
) -> Iterator[Difference]:
    """Yield, for each column that differs, the first differing row.

    Values may differ by `TOLERANCE` of the column's rolling scale; a value that became NaN, or
    stopped being NaN, always counts.

    Parameters
    ----------
    full
        The run on the whole market.
    rows
        Rows of ``full`` to look at, shape (n,), ascending.
    part
        The other run.
    part_rows
        The same rows in ``part``, shape (n,).
    same_start
        Whether both runs begin at the same bar, so that hardly any rounding can tell them apart.
    """
    if full.columns != part.columns:
        raise AuditError(
            "The stage gives other columns on another stretch of the same market",
            got=sorted(set(full.columns) ^ set(part.columns))[:5],
            allowed="the same columns in the same order on every run",
            remedy="Derive the columns from the stage's parameters, never from the data.",
        )
    expected, got = _taken(full.cells, rows), _taken(part.cells, part_rows)
    same = expected == got
    if same.all():
        return
    same |= np.isnan(expected) & np.isnan(got)
    for column in np.flatnonzero(~same.all(axis=0)):
        suspects = np.flatnonzero(~same[:, column])
        before, after = expected[suspects, column], got[suspects, column]
        share = (
            max(full.tolerance[column] * SAME_START, full.rounding[column])
            if same_start
            else full.tolerance[column]
        )
        allowed = share * full.scale(int(column))[rows[suspects]]
        with np.errstate(invalid="ignore"):
            close = np.abs(before - after) <= allowed  # NaN on one side compares as False
        moved = suspects[~close]
        if len(moved):
            first = int(moved[0])
            yield Difference(
                int(column),
                int(rows[first]),
                float(expected[first, column]),
                float(got[first, column]),
                len(moved),
            )


def _taken(values: FloatArray, rows: IntArray) -> FloatArray:
    contiguous = len(rows) and rows[-1] - rows[0] + 1 == len(rows)
    return values[rows[0] : rows[-1] + 1] if contiguous else values[rows]


def _copied(stage: CausalStage) -> CausalStage:
    try:
        return copy.deepcopy(stage)
    except Exception:
        return stage


def _table(frame: object, market: Market) -> Table:
    if not isinstance(frame, pd.DataFrame):
        raise AuditError(
            "The stage did not return a DataFrame",
            got=type(frame).__name__,
            allowed="a DataFrame indexed like market.bars",
            remedy="Return one row for every bar; wrap plain functions with onward.audit.as_stage.",
        )
    if len(frame) != len(market) or not frame.index.equals(market.bars.index):
        raise AuditError(
            "The stage's rows are not the market's bars",
            got=f"{len(frame)} rows for {len(market)} bars",
            allowed="an index equal to market.bars.index",
            remedy="Keep every bar; use NaN where a value is not known yet.",
        )
    if not frame.columns.is_unique:
        raise AuditError(
            "The stage gives a column name twice",
            got=list(frame.columns[frame.columns.duplicated()])[:5],
            allowed="unique names",
        )
    for name, dtype in frame.dtypes.items():
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)):
            raise AuditError(
                f"Column {name} is not numeric", got=dtype, allowed="float64, NaN where not known yet"
            )
    narrow: BoolArray = np.array([dtype == np.float32 for dtype in frame.dtypes], dtype=bool)
    tolerance = np.where(narrow, 8 * float(np.finfo(np.float32).eps), TOLERANCE)
    rounding = np.where(narrow, float(np.finfo(np.float32).eps), float(np.finfo(np.float64).eps))
    cells = frame.to_numpy(dtype=np.float64)
    return Table(market, tuple(map(str, frame.columns)), cells, tolerance, rounding)
