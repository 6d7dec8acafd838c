"""A model card, which is Markdown, as a person wants to read it in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["card_lines"]

CELLS = re.compile(r"(?<!\\)\|")
RULE = re.compile(r"[|:\- ]+")
MARKS = re.compile(r"\*\*|`")


def card_lines(card: str, *, plan: str) -> Iterator[str]:
    """Give the lines of a card without its markup: tables aligned, headings underlined.

    Parameters
    ----------
    card
        As `onward.registry.card.render_card` writes it.
    plan
        What stands in the place of a block of code: the plan is many lines of JSON.
    """
    table: list[tuple[str, str]] = []
    code = False
    for line in card.splitlines():
        if line.startswith("|"):
            table += _row(line)
            continue
        yield from _aligned(table)
        table = []
        if line.startswith("```"):
            if not code:
                yield plan
            code = not code
        elif line.startswith("#"):
            heading = _plain(line.lstrip("# "))
            yield heading
            yield "-" * len(heading)
        elif not code:
            yield _plain(f"  {line}" if line.startswith("- ") else line)
    yield from _aligned(table)


def _row(line: str) -> list[tuple[str, str]]:
    """Return name and value of a row; nothing of the empty head and the rule below it."""
    if RULE.fullmatch(line):
        return []
    name, value = (cell.strip() for cell in CELLS.split(line.strip())[1:3])
    return [(_plain(name), _plain(value))]


def _aligned(table: list[tuple[str, str]]) -> Iterator[str]:
    width = max((len(name) for name, _ in table), default=0)
    for name, value in table:
        yield f"  {name:<{width}}  {value}"


def _plain(text: str) -> str:
    return MARKS.sub("", text).replace("\\|", "|").replace("&lt;", "<")
