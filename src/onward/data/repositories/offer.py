"""Rows on their way into a repository."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from onward.data.importers.base import Kind
from onward.data.repositories.base import UpsertReport
from onward.data.repositories.merge import Merged

__all__ = ["Offer"]


@dataclass(frozen=True, eq=False)
class Offer:
    """Rows fit to be stored, and how many were not or disagreed among themselves."""

    rows: pd.DataFrame
    still_open: int = 0
    disagreed: int = 0

    def report(self, kind: Kind, symbol: str, merged: Merged) -> UpsertReport:
        """Return what storing them changes."""
        return UpsertReport(
            kind,
            symbol,
            merged.added,
            merged.unchanged,
            merged.replaced,
            merged.refused + self.disagreed,
            self.still_open,
            merged.conflicts,
        )
