"""From autofeat's names to formulas over our columns, and to readable column names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping

from onward.features.autofeat.formula import CONSTANTS, FUNCTIONS, Token, tokens

__all__ = ["column_name", "scaled_text", "unique"]

MAX_NAME = 160


def scaled_text(text: str, scales: Mapping[str, float]) -> str:
    """Return a formula over scaled columns as a formula over the columns themselves.

    Every name becomes ``name/16`` or ``name*16``, in parentheses where the grammar needs them.

    Parameters
    ----------
    text
        Formula whose names stand for column / scale.
    scales
        Powers of two by name, so that scaling is exact.
    """

    def scaled(name: str, before: str, after: str) -> str:
        scale = scales.get(name, 1.0)
        if scale == 1.0:
            return name
        factor = f"{name}/{_number(scale)}" if scale > 1.0 else f"{name}*{_number(1.0 / scale)}"
        return f"({factor})" if before in ("/", "**") or after == "**" else factor

    return _rewritten(text, scaled)


def column_name(text: str, columns: Mapping[str, str]) -> str:
    """Return ``autofeat__`` and the formula with its columns' names written out.

    Equal formulas over equal columns get equal names in every fold, run and process. Only
    letters, digits and ``_.*/+-()`` occur, which every model library takes; what else a column's
    name holds becomes ``_``. Beyond 160 characters the end is replaced by a digest.

    Parameters
    ----------
    text
        Formula.
    columns
        Column name by name in the formula.
    """

    def spelt(name: str, before: str, after: str) -> str:  # noqa: ARG001
        return re.sub(r"[^A-Za-z0-9_.]", "_", columns.get(name, name))

    readable = _rewritten(text, spelt).replace(" ", "").replace("Abs(", "abs(")
    if len(readable) > MAX_NAME:
        spelling = text + "|" + "|".join(f"{name}={columns[name]}" for name in sorted(columns))
        digest = hashlib.sha256(spelling.encode()).hexdigest()[:8]
        readable = f"{readable[: MAX_NAME - 10]}__{digest}"
    return f"autofeat__{readable}"


def unique(names: Iterable[str]) -> list[str]:
    """Return names with ``__2``, ``__3`` ... behind those that occurred before."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}__{seen[name]}")
    return result


def _rewritten(text: str, name: Callable[[str, str, str], str]) -> str:
    """Return a formula in one spelling, its column names rewritten knowing what stands beside them."""
    found = tokens(text)
    parts = []
    for place, token in enumerate(found):
        before = found[place - 1].text if place else ""
        after = found[place + 1].text if place + 1 < len(found) else ""
        known = token.text in CONSTANTS or (after == "(" and token.text in FUNCTIONS)
        parts.append(name(token.text, before, after) if token.kind == "name" and not known else token.text)
        if _binary(token, before) and token.text in ("+", "-"):
            parts[-1] = f" {token.text} "
    return "".join(parts)


def _binary(token: Token, before: str) -> bool:
    return token.kind == "symbol" and before not in ("", "(", "+", "-", "*", "/", "**")


def _number(value: float) -> str:
    return str(int(value)) if value < 2**53 else repr(value)
