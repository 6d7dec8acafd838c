"""What a removal of stored data takes away, in words."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

__all__ = ["EVERY", "removal_lines", "removed_line", "stray_lines"]

EVERY = "-"
"""How a series that is for every symbol is named, where a name is needed."""


def removal_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield what would go and what depends on it, of a removal as JSON tells it."""
    stays = _rows(told["left"]) + " stay" + ("s" if told["left"] == 1 else "")
    span = ""
    if told["first"]:
        first, last = (datetime.fromisoformat(told[name]) for name in ("first", "last"))
        span = f", {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    yield f"{_series(told)}: {_rows(told['rows'])}{span}; {stays if told['left'] else 'nothing stays'}"
    if told["unreadable"]:
        yield f"  {told['unreadable']} files of it are damaged; they go as well"
    if told["models"]:
        names = ", ".join(_model(one) for one in told["models"])
        then = "use what stays" if told["left"] else "cannot predict for it until it is stored again"
        yield f"  models trained on this market: {names}; they {then}"
    if told["imports"]:
        yield f"  imports at work, which may bring rows of it back: {', '.join(told['imports'])}"


def removed_line(told: Mapping[str, Any]) -> str:
    """Return what has gone."""
    left = told["left"]
    stay = f"{_rows(left)} stay{'s' if left == 1 else ''}" if left else "nothing of it is stored any more"
    return f"Removed {_rows(told['rows'])} of {_series(told)}; {stay}."


def stray_lines(told: Mapping[str, Any], *, timeframe: str | None) -> Iterator[str]:
    """Yield which rows of an import lie far from all others, and what takes them out again.

    Parameters
    ----------
    told
        What an import says.
    timeframe
        That was given for it, if one was.
    """
    for one in told["strays"]:
        first, last = (datetime.fromisoformat(one[name]) for name in ("first", "last"))
        when = f"{first:%Y-%m-%d %H:%M}" + (f" to {last:%Y-%m-%d %H:%M}" if last != first else "") + " UTC"
        lie = "lies" if one["rows"] == 1 else "lie"
        yield f"  {_rows(one['rows'])} {lie} far from all others: {when}. Is the stamp wrong?"
        if not told.get("dry_run"):
            kind = "" if told["kind"] == "candles" else f" --kind {told['kind']}"
            length = f" --timeframe {timeframe}" if timeframe else ""
            name = shlex.quote(one["symbol"] or EVERY)
            them = "it" if one["rows"] == 1 else "them"
            yield f"  Take {them} out: onward data remove {name}{kind}{length} --timerange {one['timerange']}"


def _series(told: Mapping[str, Any]) -> str:
    parts = (told["kind"].replace("_", " "), told["symbol"] or "(every symbol)", told["timeframe"])
    return " ".join(part for part in parts if part)


def _rows(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"


def _model(told: Mapping[str, Any]) -> str:
    named = ", ".join(told["aliases"]) or f"version {told['versions'][-1]}"
    return f"{told['name']} ({named})"
