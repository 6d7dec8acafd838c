"""The labels of another future, on the rows of the true one: folds stay where they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from onward.audit.redrawn import other_answers, places_in
from onward.protocols import Labeler
from onward.types import IntArray, Labels, Market, Spans

__all__ = ["FrozenLabeler"]

SAME_WEIGHT = 1e-9
"""Relative difference of weights that only a mean over other rows explains."""


@dataclass(frozen=True, eq=False)
class FrozenLabeler:
    """A labeler that answers for another future while its rows stay those of the true market.

    Which rows carry a label may depend on the path: a barrier that is not reached, an event that
    does not happen. A future that changes the rows would change the folds, and predictions could
    not be compared row by row. So the spans are those of the true market, whatever market is
    asked for. A row whose label had ended by ``moment`` is labelled as in the other future, which
    agrees with the true one that far. A row whose label was still open takes what the other future
    says, or another class than it had where that future does not label it.

    Parameters
    ----------
    inner
        The labeler under audit.
    market
        The market whose rows are kept.
    moment
        ns UTC; the other future begins after it.
    """

    inner: Labeler
    market: Market
    moment: int

    @property
    def kind(self) -> Literal["classes", "target"]:
        """Kind of the inner labels."""
        return self.inner.kind

    def spans(self, market: Market) -> Spans:  # noqa: ARG002 - the rows stay, whatever happens later
        """Return the spans of the inner labeler on the true market."""
        return self.inner.spans(self.market)

    def fit(self, market: Market, rows: IntArray) -> Self:
        """Fit the inner labeler on those of the rows that the given market labels."""
        wanted = self.spans(market).index[np.asarray(rows)]
        there = places_in(self.inner.spans(market).index, wanted)
        return replace(self, inner=self.inner.fit(market, there[there >= 0]))

    def label(self, market: Market) -> Labels:
        """Return the labels that the given market has for the rows of the true one."""
        true, seen = self.inner.label(self.market), self.inner.label(market)
        source = places_in(seen.spans.index, true.spans.index)
        there, absent = np.flatnonzero(source >= 0), np.flatnonzero(source < 0)
        y, weight = true.y.copy(), true.weight.copy()
        y[there], weight[there] = seen.y[source[there]], seen.weight[source[there]]
        y[absent] = other_answers(true, absent)
        known = there[true.spans.end[there] <= self.moment]
        weight[known] = _rescaled(true.weight[known], weight[known])
        return Labels(y, true.spans, weight, true.kind)

    def __getattr__(self, name: str) -> Any:
        """Pass on whatever else a trainer may ask of its labeler."""
        if name.startswith("_") or name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)


def _rescaled(true: Any, seen: Any) -> Any:
    """Return the true weights where the others are a multiple of them.

    Weights have mean 1 over all rows, the future ones included, so another future rescales them.
    Trainers divide by the mean of their training rows; that takes the factor out, but not the
    rounding, which no honest trainer could answer for.
    """
    total = float(seen.sum())
    if total <= 0.0:
        return seen
    scaled = seen * (float(true.sum()) / total)
    return true if np.allclose(scaled, true, rtol=SAME_WEIGHT, atol=0.0) else seen
