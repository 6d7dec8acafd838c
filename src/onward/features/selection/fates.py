"""What is noted about each column while a selection runs; becomes the ledger."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from onward.features.selection.ledger import LedgerRecord
from onward.types import FloatArray

__all__ = ["Fates"]


class Fates:
    """Notes of one selection, column by column.

    Parameters
    ----------
    names
        Columns of the input.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._figures: list[dict[str, float]] = [{} for _ in names]
        self._gone: dict[int, tuple[str, str, int | None]] = {}
        self._kept: dict[int, str] = {}
        self._caution = ""

    def note(self, figure: str, columns: Iterable[int], values: FloatArray) -> None:
        """Note a figure of some columns; what is not a number is left out."""
        for j, value in zip(columns, values.tolist(), strict=True):
            if math.isfinite(value):
                self._figures[j][figure] = round(value, 6)

    def drop(self, column: int, step: str, reason: str, represented_by: int | None = None) -> None:
        """Note that a column left."""
        self._gone[column] = (step, reason, represented_by)

    def keep(self, column: int, reason: str) -> None:
        """Note that a column was kept, whatever was noted before."""
        self._gone.pop(column, None)
        self._kept[column] = reason

    def warn(self, caution: str) -> None:
        """Note what has to be said of every column kept; nothing when empty."""
        self._caution = caution

    @property
    def kept(self) -> tuple[str, ...]:
        """Columns kept, in the order of the input."""
        return tuple(self.names[j] for j in sorted(self._kept))

    def ledger(self) -> tuple[LedgerRecord, ...]:
        """Return one record a column, in the order of the input."""
        return tuple(self._record(j) for j in range(len(self.names)))

    def _record(self, j: int) -> LedgerRecord:
        step, reason, twin = ("kept", self._kept[j], None) if j in self._kept else self._gone[j]
        if j in self._kept and self._caution:
            reason = f"{reason}; {self._caution}"
        return LedgerRecord(
            column=self.names[j],
            kept=j in self._kept,
            step=step,
            reason=reason,
            represented_by="" if twin is None else self.names[twin],
            **self._figures[j],
        )
