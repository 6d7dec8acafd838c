"""What a report says, as plain values inside its file: another page may say the same without computing it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from onward.evaluation.report.page import Page
from onward.evaluation.report.tables import Cell, Table

__all__ = ["ELEMENT", "FORMAT", "embedded_page"]

ELEMENT = "content"
"""Id of the element that holds the values."""
FORMAT = 1
"""Changes when a reader of the values would no longer understand them."""
DRAWN = "chart"
"""Fields that the charts' own element holds."""


def embedded_page(page: Page) -> dict[str, Any]:
    """Return everything that a page says, without the data of its charts, as plain JSON values.

    Every frozen value becomes an object of its fields, with two exceptions that keep long tables
    short: a column is ``[name, kind]``, and a cell its text, or ``[text, tone, bar, tint]`` where it
    has more than a text. NaN becomes null.
    """
    return {"format": FORMAT, **_plain(page)}


def _plain(value: Any) -> Any:
    if isinstance(value, Cell):
        return _cell(value)
    if isinstance(value, Table):
        return {
            "caption": value.caption,
            "columns": [[column.name, column.kind] for column in value.columns],
            "rows": [[_cell(cell) for cell in row] for row in value.rows],
            "narrow": value.narrow,
        }
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value))
        return {name: _plain(getattr(value, name)) for name in names if name != DRAWN}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _cell(cell: Cell) -> str | list[Any]:
    if not cell.tone and cell.bar is None and cell.tint is None:
        return cell.text
    return [cell.text, cell.tone, cell.bar, cell.tint]
