"""The ledgers of several fits in one table: the folds of a training and its final fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from onward.features.selection.ledger import LedgerRecord, ledger_frame
from onward.protocols import FittedStage

__all__ = ["FINAL_FIT", "ledger_of", "ledgers_frame", "stage_of"]

FINAL_FIT = -1
"""What stands in the column ``fold`` for the fit on all rows."""


def stage_of(column: str) -> str:
    """Return the stage that a column is from: the part of its name before the first ``__``."""
    return column.partition("__")[0]


def ledger_of(stages: Sequence[FittedStage]) -> tuple[LedgerRecord, ...]:
    """Return what became of each column of a fit: the selector's ledger, before it the stages' own tests.

    The selector is the last stage that has a ledger of `LedgerRecord`; empty without one. A column
    that an earlier stage dropped (a stage whose ``ledger_`` has records with ``column``, ``kept``
    and ``reason``) left at the step ``stage_test``.
    """
    for place in reversed(range(len(stages))):
        ledger = tuple(getattr(stages[place], "ledger_", ()))
        if ledger and all(isinstance(record, LedgerRecord) for record in ledger):
            return (*_dropped_before(stages[:place]), *ledger)
    return ()


def _dropped_before(stages: Sequence[FittedStage]) -> tuple[LedgerRecord, ...]:
    return tuple(
        LedgerRecord(record.column, False, "stage_test", f"{stage.name}: {record.reason}")
        for stage in stages
        for record in getattr(stage, "ledger_", ())
        if not record.kept
    )


def ledgers_frame(fits: Mapping[int, Sequence[LedgerRecord]]) -> pd.DataFrame:
    """Return ledgers as one table, one row a fit and column.

    Parameters
    ----------
    fits
        Ledger of each fold by its number, that of the final fit under `FINAL_FIT`.

    Returns
    -------
    DataFrame
        ``fold`` (-1 is the final fit), ``stage`` that the column is from, and the fields of
        `LedgerRecord`; NaN where a figure was not taken.
    """
    table = ledger_frame([record for ledger in fits.values() for record in ledger])
    numbers = [number for number, ledger in fits.items() for _ in ledger]
    table.insert(0, "fold", pd.Series(numbers, dtype="int64"))
    table.insert(1, "stage", [stage_of(column) for column in table["column"]])
    return table
