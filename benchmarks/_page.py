"""Writes the measured table into the documentation."""

from __future__ import annotations

from pathlib import Path

__all__ = ["marks", "write_table"]


def marks(section: str = "") -> tuple[str, str]:
    """Return the lines between which the main table stands, or that of a benchmark that takes long."""
    name = f"measured {section}" if section else "measured"
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def write_table(page: Path, table: str, circumstances: str, *, section: str = "") -> None:
    """Replace what stands between two marks of the page; the text around it stays.

    Raises
    ------
    ValueError
        When the page does not hold both marks, in order.
    """
    begins, ends = marks(section)
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(begins)
    _, end, after = rest.partition(ends)
    if not begin or not end:
        raise ValueError(f"{page} must hold {begins} and, after it, {ends}")
    measured = f"\n\n{table}\n\nMeasured on {circumstances}.\n\n"
    page.write_text(f"{before}{begin}{measured}{end}{after}", encoding="utf-8")
