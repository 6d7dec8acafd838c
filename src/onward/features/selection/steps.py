"""What a selection step says about the columns it lets go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Departure", "Departures"]


@dataclass(frozen=True)
class Departure:
    """Why a column leaves.

    Attributes
    ----------
    reason
        One phrase.
    represented_by
        Number of the column that stands for it, if one does.
    """

    reason: str
    represented_by: int | None = None


Departures: TypeAlias = Mapping[int, Departure]
"""Departures by number of the column, among those that the step was given."""
