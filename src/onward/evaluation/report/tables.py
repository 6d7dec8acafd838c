"""A table as the page shows it: texts with a tone, never raw values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import pandas as pd

__all__ = ["Cell", "Column", "Row", "Table", "Tone", "records", "table"]

Tone: TypeAlias = Literal["", "good", "fair", "bad", "quiet", "strong"]


@dataclass(frozen=True)
class Column:
    """Heading of a column.

    Attributes
    ----------
    name
        What stands in the heading.
    kind
        ``number``: aligned to the right; ``short``: never wrapped; ``text``: wrapped where it must.
    """

    name: str
    kind: Literal["number", "short", "text"] = "number"


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes
    ----------
    text
        What it says.
    tone
        How it is emphasised; the text alone must say the same.
    bar
        Length of the bar drawn behind it, 0 to 1, or None.
    tint
        Strength of the colour behind it, 0 to 1, or None.
    """

    text: str
    tone: Tone = ""
    bar: float | None = None
    tint: float | None = None


Row: TypeAlias = Sequence[str | Cell]


@dataclass(frozen=True)
class Table:
    """A captioned table; the first cell of a row is its heading.

    Attributes
    ----------
    caption
        One line that says what the table holds.
    columns
        Headings.
    rows
        Cells by row, as many as columns.
    narrow
        Whether its few columns belong close together on a wide screen.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    narrow: bool = False

    def split(self, n_rows: int) -> tuple[Table, Table | None]:
        """Return the first rows and, when there are more, the others."""
        if len(self.rows) <= n_rows:
            return self, None
        rest = Table(f"{self.caption}, the others", self.columns, self.rows[n_rows:])
        return Table(self.caption, self.columns, self.rows[:n_rows]), rest


def table(
    caption: str,
    columns: Sequence[str | Column],
    rows: Iterable[Row],
    *,
    narrow: bool = False,
) -> Table:
    """Return a table; plain texts become cells, plain names columns (the first one of text)."""
    headings = tuple(
        one if isinstance(one, Column) else Column(one, "number" if position else "text")
        for position, one in enumerate(columns)
    )
    cells = tuple(tuple(one if isinstance(one, Cell) else Cell(one) for one in row) for row in rows)
    assert all(len(row) == len(headings) for row in cells), f"ragged table {caption!r}"
    return Table(caption, headings, cells, narrow)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame by column name."""
    return cast(list[dict[str, Any]], frame.to_dict("records"))
