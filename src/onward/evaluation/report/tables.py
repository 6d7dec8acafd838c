"""A table as the page shows it: texts with a tone, never raw values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Cell", "Column", "Table", "Tone", "table"]

Tone: TypeAlias = Literal["", "good", "fair", "bad", "quiet", "strong"]


@dataclass(frozen=True)
class Column:
    """Heading of a column.

    Attributes
    ----------
    name
        What stands in the heading.
    numeric
        Whether its figures are aligned to the right.
    """

    name: str
    numeric: bool = True


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
    """

    text: str
    tone: Tone = ""
    bar: float | None = None


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
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def split(self, n_rows: int) -> tuple[Table, Table | None]:
        """Return the first rows and, when there are more, the others."""
        if len(self.rows) <= n_rows:
            return self, None
        rest = Table(f"{self.caption}, the others", self.columns, self.rows[n_rows:])
        return Table(self.caption, self.columns, self.rows[:n_rows]), rest


def table(caption: str, columns: Sequence[str | Column], rows: Iterable[Sequence[str | Cell]]) -> Table:
    """Return a table; plain texts become cells, plain names columns (the first one of text)."""
    headings = tuple(
        one if isinstance(one, Column) else Column(one, numeric=position > 0)
        for position, one in enumerate(columns)
    )
    cells = tuple(tuple(one if isinstance(one, Cell) else Cell(one) for one in row) for row in rows)
    assert all(len(row) == len(headings) for row in cells), f"ragged table {caption!r}"
    return Table(caption, headings, cells)
