"""Parameters whose range no library checks, because it is ours that reads them."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from onward.errors import ModelError

__all__ = ["require_finite", "require_positive", "require_units"]

MOST_UNITS, MOST_LAYERS = 1_024, 8


def require_finite(name: str, value: Any) -> None:
    """Refuse what is no finite number of at least 0.

    Raises
    ------
    ModelError
        Naming the parameter.
    """
    if not _is_number(value) or not 0 <= value < math.inf:
        raise ModelError(
            f"the parameter {name} is out of range",
            got=repr(value),
            allowed="a number of at least 0",
            remedy=f"Change {name}, or leave it out.",
        )


def require_positive(name: str, value: Any) -> None:
    """Refuse what is no number above 0; infinity is one.

    Raises
    ------
    ModelError
        Naming the parameter.
    """
    if not _is_number(value) or not value > 0:
        raise ModelError(
            f"the parameter {name} is out of range",
            got=repr(value),
            allowed="a number above 0",
            remedy=f"Change {name}, or leave it out.",
        )


def require_units(name: str, units: tuple[Any, ...]) -> None:
    """Refuse layers that no market fills: their weights would take the memory of the machine.

    Raises
    ------
    ModelError
        Naming the parameter.
    """
    fit = all(isinstance(one, int) and not isinstance(one, bool) and 1 <= one <= MOST_UNITS for one in units)
    if not fit or not 1 <= len(units) <= MOST_LAYERS:
        raise ModelError(
            f"the parameter {name} is out of range",
            got=", ".join(map(repr, units[:MOST_LAYERS])) or "no layer",
            allowed=f"1 to {MOST_LAYERS} layers of 1 to {MOST_UNITS:,} units",
            remedy=f"Change {name}, or leave it out.",
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
