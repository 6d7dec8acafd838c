"""The ledger of a selection: what became of each column, at which step, and who stands for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import pandas as pd

from onward.errors import StageError

__all__ = [
    "STEPS",
    "LedgerRecord",
    "ledger_frame",
    "ledger_from_json",
    "ledger_to_json",
    "representative",
    "steps_summary",
]

STEPS = ("stage_test", "constant", "duplicate", "correlation", "relevance", "null_importance", "places")
"""Steps at which a column may leave, in the order in which they run.

The first is a test of the stage that made the column, before the selector saw it (the relevance
test of tsfresh); the others are the selector's.
"""


@dataclass(frozen=True)
class LedgerRecord:
    """What became of one column.

    Attributes
    ----------
    column
        Full column name.
    kept
        Whether it goes on to the model.
    step
        ``kept``, or the step of `STEPS` at which it left.
    reason
        One phrase: what it was kept for or why it left.
    represented_by
        The column that stands for it (it may itself have left later; see `representative`);
        empty when nothing does.
    known
        Share of training rows in which it is not NaN.
    stability
        Size of its relation to the labels over time blocks of the training rows, in standard
        errors; see `onward.features.selection.stability`.
    z_direction, z_range
        How far its rank correlation with the direction and with the range class stands above
        that of circularly shifted labels, in deviations.
    mutual_information
        With the labels, in nats.
    z_information
        How far that stands above the shifted labels', in deviations.
    importance
        Gain in a small boosted model of the columns that were left, as a share of the total.
    z_importance
        How far that stands above the importance under shifted labels, in deviations.

    A figure is None when the column left before it was taken, or the step is switched off.
    """

    column: str
    kept: bool
    step: str
    reason: str
    represented_by: str = ""
    known: float = 0.0
    stability: float | None = None
    z_direction: float | None = None
    z_range: float | None = None
    mutual_information: float | None = None
    z_information: float | None = None
    importance: float | None = None
    z_importance: float | None = None


def representative(ledger: Sequence[LedgerRecord], column: str) -> str:
    """Return the column that stands for one in the end: itself when it left for another reason.

    A twin's twin may have left later for a third column; this follows them to the last.

    Raises
    ------
    StageError
        When the ledger does not hold the column.
    """
    by_name = {record.column: record for record in ledger}
    if column not in by_name:
        raise StageError(
            "the ledger does not hold this column",
            got=column,
            allowed=f"one of the {len(by_name)} columns that the selector was fitted on",
            remedy="Take the name from the ledger.",
        )
    while by_name[column].represented_by:
        column = by_name[column].represented_by
    return column


def ledger_frame(ledger: Sequence[LedgerRecord]) -> pd.DataFrame:
    """Return the ledger as a table, one row a column; figures that were not taken are NaN."""
    names = [field.name for field in fields(LedgerRecord)]
    table = pd.DataFrame([asdict(record) for record in ledger], columns=names)
    return table.astype(dict.fromkeys(names[names.index("known") :], "float64"))


def steps_summary(ledger: Sequence[LedgerRecord]) -> dict[str, int]:
    """Return how many columns left at each step and how many were ``kept``."""
    counts = Counter(record.step for record in ledger)
    return {step: counts.get(step, 0) for step in (*STEPS, "kept")}


def ledger_to_json(ledger: Sequence[LedgerRecord]) -> list[dict[str, Any]]:
    """Return the ledger as plain JSON values, figures that were not taken left out."""
    return [{k: v for k, v in asdict(record).items() if v is not None} for record in ledger]


def ledger_from_json(state: Sequence[Mapping[str, Any]]) -> tuple[LedgerRecord, ...]:
    """Rebuild a ledger from what `ledger_to_json` gave."""
    return tuple(LedgerRecord(**record) for record in state)
