"""Which of several columns that say the same stays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from onward.types import FloatArray, IntArray

__all__ = ["HAND_MADE", "STAGE_COSTS", "column_costs", "complete_first", "stable_first"]

HAND_MADE = frozenset({"manual", "alpha158"})
"""Stages whose features people thought of; the others generate theirs."""

STAGE_COSTS: Mapping[str, float] = MappingProxyType(
    {"manual": 1.0, "alpha158": 2.0, "fracdiff": 4.0, "tsfresh": 4.0, "featuretools": 5.0, "autofeat": 6.0}
)
"""Cost of computing one column, relative to a manual one, by stage; a stage not named costs 3.

A column of ``fracdiff`` takes what one of ``tsfresh`` takes: 0.16 and 0.15 microseconds of CPU time a row
with their defaults, where a manual one takes 0.02.
"""

OTHER_COST = 3.0


def column_costs(names: Sequence[str], costs: Mapping[str, float]) -> list[float]:
    """Return the cost of each column: that of its own name, of its longest prefix, or of its stage.

    Parameters
    ----------
    names
        Full column names, ``stage__feature``.
    costs
        By column name, or by any leading part of it that ends before a ``__``; what is absent
        is taken from `STAGE_COSTS`.
    """
    return [_cost(name, costs) for name in names]


def complete_first(names: Sequence[str], costs: Sequence[float], n_known: IntArray) -> list[int]:
    """Order columns that hold the same values: known in more rows, cheaper, hand-made, then as given."""
    return sorted(range(len(names)), key=lambda j: (-int(n_known[j]), costs[j], not _hand_made(names[j]), j))


def stable_first(names: Sequence[str], costs: Sequence[float], stability: FloatArray) -> list[int]:
    """Order columns that resemble each other: more stable, cheaper, hand-made, then as given.

    Stability is compared in whole standard errors: smaller differences are chance, and must not
    outweigh what a column costs.
    """
    return sorted(
        range(len(names)),
        key=lambda j: (-math.floor(stability[j]), costs[j], not _hand_made(names[j]), j),
    )


def _cost(name: str, costs: Mapping[str, float]) -> float:
    part = name
    while True:
        if part in costs:
            return float(costs[part])
        if "__" not in part:
            return STAGE_COSTS.get(part, OTHER_COST)
        part = part.rpartition("__")[0]


def _hand_made(name: str) -> bool:
    return name.partition("__")[0] in HAND_MADE
