"""The pure decision which rows a store holds after a write."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from onward.data.importers.base import Kind
from onward.data.importers.cleaning import VALUES, groups, prefer
from onward.data.repositories.base import Conflict
from onward.types import IntArray, to_ns

__all__ = ["Merged", "merge"]

MAX_CONFLICTS_SHOWN = 20


@dataclass(frozen=True, eq=False)
class Merged:
    """The rows after a merge and how they came about; the counts are those of `UpsertReport`."""

    rows: pd.DataFrame
    added: int
    unchanged: int
    replaced: int
    refused: int
    conflicts: tuple[Conflict, ...]


def merge(kind: Kind, stored: pd.DataFrame, offered: pd.DataFrame) -> Merged:
    """Return the union of stored and offered rows.

    Of candles that disagree the one with the larger volume is kept, then the offered one; of side
    values the stored one, for the first print is what was known. The same rules hold among the
    offered rows themselves.

    Parameters
    ----------
    kind
        What the rows are.
    stored, offered
        ``timestamp`` (UTC) and the same float64 value columns; ``stored`` sorted and unique.
    """
    values = list(VALUES[kind])
    # dtypes of an empty store are the offered ones
    both = pd.concat([stored, offered], ignore_index=True) if len(stored) else offered.reset_index(drop=True)
    stamps = to_ns(both["timestamp"])
    order = np.argsort(stamps, kind="stable")
    both = both.iloc[order].reset_index(drop=True)
    was_stored = order < len(stored)
    group = groups(np.zeros(len(both), dtype=np.int64), stamps[order])
    kept = prefer(kind, both, group)
    numbers = both[values].to_numpy(np.float64)
    same = (numbers == numbers[kept][group]) | (np.isnan(numbers) & np.isnan(numbers[kept][group]))
    agrees = same.all(axis=1)
    conflict_groups = np.unique(group[~agrees])
    group_stored = np.zeros(len(kept), dtype=bool)
    group_stored[group[was_stored]] = True

    winner_stored = was_stored[kept]
    is_conflict = np.zeros(len(kept), dtype=bool)
    is_conflict[conflict_groups] = True
    replaced = int((is_conflict & group_stored & ~winner_stored).sum())
    refused = int((is_conflict & (winner_stored | ~group_stored)).sum())
    offered_groups = np.unique(group[~was_stored])
    return Merged(
        both.iloc[kept].reset_index(drop=True),
        added=int((~group_stored).sum()),
        unchanged=int((group_stored & ~is_conflict)[offered_groups].sum()),
        replaced=replaced,
        refused=refused,
        conflicts=_conflicts(both, group, kept, conflict_groups[:MAX_CONFLICTS_SHOWN], values),
    )


def _conflicts(
    both: pd.DataFrame,
    group: IntArray,
    kept: IntArray,
    shown: IntArray,
    values: list[str],
) -> tuple[Conflict, ...]:
    out = []
    for number in shown:
        members = both[group == number]
        winner = both.iloc[kept[number]]
        first = members.iloc[0]
        last = members.iloc[-1]
        out.append(
            Conflict(
                pd.Timestamp(winner["timestamp"]),
                {c: float(first[c]) for c in values},
                {c: float(last[c]) for c in values},
                "stored" if winner.name == first.name else "offered",
            )
        )
    return tuple(out)
