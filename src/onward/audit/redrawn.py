"""Other outcomes for chosen rows of a market, and the labels that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from onward.audit.perturbation import redraw_between
from onward.errors import AuditError
from onward.protocols import Labeler
from onward.types import CLASSES, BoolArray, IntArray, Labels, Market, Spans

__all__ = ["REDRAW_STYLES", "RedrawnLabeler", "other_answers", "places_in"]

REDRAW_STYLES = ("mirror", "rise", "fall", "scramble")
"""Paths on which the outcomes of a test fold are redrawn."""


@dataclass(frozen=True, eq=False)
class RedrawnLabeler:
    """A labeler that gives other outcomes to chosen rows, and the inner one's to all others.

    The price path between the first decision and the last outcome of the chosen rows is redrawn,
    in a copy that only labels see: features still come from the true market. The chosen rows take
    label and weight from that copy, so classes, thresholds and barriers fit the redrawn returns.
    A chosen row that carries no label on the other path (an event that did not happen there, a tie)
    gets another class than it had.
    All other rows keep their own labels, also those that reach into the redrawn stretch or whose
    trailing threshold does. Fitting sees the redrawn returns exactly when it is given a chosen
    row: a threshold fitted on training rows alone does not move, one fitted on all rows does.

    Parameters
    ----------
    inner
        The labeler under audit.
    market
        The market under audit.
    rows
        Positions into ``inner.spans(market)`` that are redrawn.
    seed
        Seed of the redrawn path.
    style
        One of `REDRAW_STYLES`.
    """

    inner: Labeler
    market: Market
    rows: IntArray
    seed: int = 0
    style: str = "mirror"
    _redrawn: pd.DataFrame | None = field(default=None, repr=False)
    _chosen: pd.Index | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self._redrawn is not None:
            return
        if self.style not in REDRAW_STYLES:
            raise AuditError("Unknown redraw", got=self.style, allowed=", ".join(REDRAW_STYLES))
        spans = self.inner.spans(self.market)
        if len(self.rows) == 0 or self.rows.min() < 0 or self.rows.max() >= len(spans):
            raise AuditError(
                "Rows to redraw are not rows of the spans",
                got=f"{len(self.rows)} positions",
                allowed=f"positions 0 to {len(spans) - 1}",
            )
        start, end = int(spans.start[self.rows].min()), int(spans.end[self.rows].max())
        other = redraw_between(self.market, start, end, self.style, seed=self.seed)
        object.__setattr__(self, "_redrawn", other.bars)
        object.__setattr__(self, "_chosen", spans.index[self.rows])

    @property
    def kind(self) -> Literal["classes", "target"]:
        """Kind of the inner labels."""
        return self.inner.kind

    def spans(self, market: Market) -> Spans:
        """Return the spans of the inner labeler on the true market."""
        return self.inner.spans(market)

    def fit(self, market: Market, rows: IntArray) -> Self:
        """Fit the inner labeler; on redrawn returns when a chosen row is among ``rows``."""
        spans = self.inner.spans(market)
        positions = np.asarray(rows)
        if not self._is_chosen(spans)[positions].any():
            return replace(self, inner=self.inner.fit(market, rows))
        other = self._other(market)
        there = places_in(self.inner.spans(other).index, spans.index[positions])
        return replace(self, inner=self.inner.fit(other, there[there >= 0]))

    def label(self, market: Market) -> Labels:
        """Return the inner labels, with those of the chosen rows redrawn."""
        labels = self.inner.label(market)
        redrawn = self.inner.label(self._other(market))
        chosen = np.flatnonzero(self._is_chosen(labels.spans))
        source = places_in(redrawn.spans.index, labels.spans.index[chosen])
        y, weight = labels.y.copy(), labels.weight.copy()
        absent = chosen[source < 0]
        y[absent] = other_answers(labels, absent)
        chosen, source = chosen[source >= 0], source[source >= 0]
        y[chosen], weight[chosen] = redrawn.y[source], redrawn.weight[source]
        return Labels(y, labels.spans, weight, labels.kind)

    def __getattr__(self, name: str) -> Any:
        """Pass on whatever else a trainer may ask of its labeler."""
        if name.startswith("_") or name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)

    def _is_chosen(self, spans: Spans) -> BoolArray:
        assert self._chosen is not None
        chosen: BoolArray = spans.index.isin(self._chosen)
        return chosen

    def _other(self, market: Market) -> Market:
        assert self._redrawn is not None
        if market.bars.index.equals(self._redrawn.index):
            return market.replace(bars=self._redrawn)
        bars = market.bars.copy()
        common = bars.index.intersection(self._redrawn.index)
        bars.loc[common] = self._redrawn.loc[common, bars.columns]
        return market.replace(bars=bars)


def places_in(index: pd.Index, wanted: pd.Index) -> IntArray:
    """Return the position in ``index`` of each wanted row, -1 where it is absent."""
    return np.asarray(index.get_indexer(wanted), dtype=np.int64)


def other_answers(labels: Labels, rows: IntArray) -> Any:
    """Return labels that differ from those of some rows: the next class, or the opposite target."""
    y = labels.y[rows]
    if labels.kind == "target":
        return -y
    return np.asarray(CLASSES, dtype=y.dtype)[(np.searchsorted(CLASSES, y) + 1) % len(CLASSES)]
