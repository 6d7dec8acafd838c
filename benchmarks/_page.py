"""Writes the measured table into the documentation."""

from __future__ import annotations

from pathlib import Path

__all__ = ["BEGIN", "END", "write_table"]

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"


def write_table(page: Path, table: str, circumstances: str) -> None:
    """Replace what stands between the page's two marks; the text around it stays.

    Raises
    ------
    ValueError
        When the page does not hold both marks, in order.
    """
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} must hold {BEGIN} and, after it, {END}")
    measured = f"\n\n{table}\n\nMeasured on {circumstances}.\n\n"
    page.write_text(f"{before}{begin}{measured}{end}{after}", encoding="utf-8")
