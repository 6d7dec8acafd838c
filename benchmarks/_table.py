"""One measured figure, and the table in which figures are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["NOT_MEASURED", "Row", "render", "show"]

NOT_MEASURED = float("nan")

HEADINGS = ("what", "value", "unit", "target", "ok?", "note")


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes
    ----------
    name
        What was measured.
    value
        The figure; `NOT_MEASURED` when it could not be taken, and then ``note`` says why.
    unit
        ``s``, ``x``, ``GB`` ...; empty for a pure number.
    target
        What it should be, such as ``<= 0.6``; empty when there is none.
    note
        A few words of circumstance.
    """

    name: str
    value: float
    unit: str = ""
    target: str = ""
    note: str = ""

    def met(self) -> bool | None:
        """Return whether the target is met; None without a target or figure."""
        if not self.target or math.isnan(self.value):
            return None
        comparison, limit = self.target.split()
        return self.value <= float(limit) if comparison == "<=" else self.value >= float(limit)

    def cells(self) -> tuple[str, ...]:
        """Return what the table shows, in the order of its headings."""
        value = "-" if math.isnan(self.value) else f"{self.value:.3g}"
        met = {True: "yes", False: "NO", None: ""}[self.met()]
        return (self.name, value, self.unit, self.target, met, self.note)


def render(rows: Iterable[Row]) -> str:
    """Return figures as a Markdown table whose columns line up in a terminal too."""
    lines: list[Sequence[str]] = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    rule = ["-" * width for width in widths]
    padded = [[cell.ljust(w) for cell, w in zip(line, widths, strict=True)] for line in lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (padded[0], rule, *padded[1:]))


def show(rows: Iterable[Row]) -> None:
    """Print figures as a table."""
    print(render(rows))
