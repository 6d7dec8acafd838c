"""Where to cut history: the moments at which a look ahead would show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from onward.audit.table import Table
from onward.types import IntArray, Market, to_ns

__all__ = ["Cut", "cut_moments", "event_cuts"]

WARM_UP_BARS = (3, 7, 15, 31, 63, 127)
RARE_SHARE = 0.05


@dataclass(frozen=True)
class Cut:
    """A moment at which the audit pretends to live.

    Attributes
    ----------
    moment
        Decision time of the newest bar that is known, ns UTC.
    reason
        Why this moment was chosen.
    whole
        Whether the whole history before it must be recomputed, not just a window.
    """

    moment: int
    reason: str
    whole: bool = False


def cut_moments(market: Market, *, count: int = 12, seed: int = 0) -> list[Cut]:
    """Choose at least ``count`` cuts from the market alone.

    Spread over the history at jittered places (so that every phase of a day or of a
    higher-timeframe bar comes up); inside the warm-up, where values filled backwards hide; just
    before the highest and lowest prices, volumes and side values, because scaling by an extreme
    only shows to those who have not seen it yet; and between the stamp and the publication of
    side values.
    """
    moments = np.unique(market.decision_time_ns)
    generator = np.random.default_rng(seed)
    n = len(moments)
    chosen: dict[int, Cut] = {}

    def choose(position: int, reason: str, *, whole: bool = False) -> None:
        if 2 <= position < n - 1:
            known = chosen.get(position)
            whole = whole or (known is not None and known.whole)
            chosen[position] = Cut(int(moments[position]), known.reason if known else reason, whole)

    for bars in WARM_UP_BARS:
        choose(bars - 1, "warm-up", whole=True)
    for column, find in (("close", np.nanargmax), ("close", np.nanargmin), ("volume", np.nanargmax)):
        values = market.bars[column].to_numpy(np.float64)
        if np.isfinite(values).any():
            row = int(find(values))
            before = int(np.searchsorted(moments, market.decision_time_ns[row])) - 1
            choose(before, f"before the extreme of {column}", whole=column == "close")
    for side in market.series.values():
        for position in _before_publications(market, side.name, moments, generator):
            choose(position, f"before a {side.name} value is published")
    n_spread = max(6, count - len(chosen))
    edges = np.linspace(0.08 * n, n - 1, n_spread + 1)
    for i in range(n_spread):
        choose(int(generator.integers(int(edges[i]), max(int(edges[i]) + 1, int(edges[i + 1])))), "spread")
    choose(n // 2, "middle", whole=True)
    choose(n - 2, "last bar")
    return [chosen[position] for position in sorted(chosen)]


def event_cuts(full: Table, *, count: int = 8, seed: int = 0) -> list[Cut]:
    """Choose cuts at the bars on which rare events of the columns themselves happen.

    A flag that is up on few bars and looks one bar ahead differs from a recomputation only when
    the cut falls on one of them. The bars that carry rare values of many columns come first.
    """
    n = len(full.cells)
    votes = np.zeros(n)
    generator = np.random.default_rng(seed)
    uncovered: list[IntArray] = []
    sample = np.linspace(0, n - 1, min(n, 2_001)).astype(np.int64)
    for column in range(len(full.columns)):
        values = full.cells[:, column]
        known = values[sample]
        finite = known[np.isfinite(known)]
        usual: float | None = None
        if len(finite):
            distinct, counts = np.unique(finite, return_counts=True)
            if counts.max() > 0.5 * len(known):
                usual = float(distinct[counts.argmax()])
        if usual is None and len(finite) > 0.5 * len(known):
            continue
        is_event = np.isfinite(values) if usual is None else np.isfinite(values) & (values != usual)
        rows = np.flatnonzero(is_event)
        if 0 < len(rows) <= max(3, RARE_SHARE * n):
            votes[rows] += 1.0
            uncovered.append(rows)
    cuts: list[Cut] = []
    moments = full.market.decision_time_ns
    while uncovered and len(cuts) < count:
        candidates = np.unique(np.concatenate(uncovered))
        best = votes[candidates]
        row = int(generator.choice(candidates[best == best.max()]))
        cuts.append(Cut(int(moments[row]), "rare value of a column"))
        remaining = [rows for rows in uncovered if row not in rows]
        votes = np.zeros(n)
        for rows in remaining:
            votes[rows] += 1.0
        uncovered = remaining
    last = int(moments.max())
    return [cut for cut in cuts if cut.moment < last]


def _before_publications(
    market: Market, name: str, moments: IntArray, generator: np.random.Generator
) -> Sequence[int]:
    """Return positions of the newest moments before two publications and before the extremes."""
    side = market.series[name]
    if "available_at" not in side.frame or len(side.frame) == 0:
        return []
    available = to_ns(side.frame["available_at"])
    stamped = to_ns(side.frame["timestamp"])
    position = np.searchsorted(moments, available, side="left") - 1
    inside = np.flatnonzero((position >= 2) & (position < len(moments) - 1))
    if len(inside) == 0:
        return []
    late = inside[stamped[inside] < moments[position[inside]]]
    pool = late if len(late) else inside
    picked = [int(i) for i in generator.choice(pool, size=min(2, len(pool)), replace=False)]
    for column in side.values:  # noqa: PD011 - names, not an array
        if pd.api.types.is_numeric_dtype(side.frame[column].dtype):
            values = side.frame[column].to_numpy(np.float64)[inside]
            if np.isfinite(values).any():
                picked.append(int(inside[np.nanargmax(values)]))
    return [int(position[i]) for i in picked]
