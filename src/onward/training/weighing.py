"""How much each training row counts, always computed from the rows in hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from onward.errors import LabelError
from onward.labels import sample_weights
from onward.labels.weights import WeightScheme
from onward.types import FloatArray, IntArray, Market, Spans

__all__ = ["Weighing"]


@dataclass(frozen=True, eq=False)
class Weighing:
    """Weights of training rows, for a fold and again for each fold inside it.

    Uniqueness, attribution and decay hang on which other labels there are: a row beside a hole that
    purging left overlaps fewer. So every set of training rows is weighed by itself.

    Attributes
    ----------
    market
        Where the spans come from.
    spans
        Spans of the rows in hand, shape (n,).
    own
        Weights that the labeler itself gave them, shape (n,).
    scheme, oldest
        See `onward.labels.sample_weights`.
    """

    market: Market
    spans: Spans
    own: FloatArray
    scheme: WeightScheme = "none"
    oldest: float = 1.0

    def weights(self) -> FloatArray:
        """Return the weights of the rows in hand, shape (n,), mean 1.

        Raises
        ------
        LabelError
            When all of them are 0.
        """
        weight = self.own
        if self.scheme != "none" or self.oldest != 1.0:
            weight = weight * sample_weights(self.spans, self.market, self.scheme, oldest=self.oldest)
        mean = float(weight.mean())
        if not mean > 0.0:
            raise LabelError(
                "every training row has the weight 0",
                got=f"{len(weight)} rows, labels.weights = {self.scheme!r}",
                allowed="at least one positive weight",
                remedy="Choose a weaker time decay or another scheme, or correct the labeler's weights.",
            )
        scaled: FloatArray = weight / mean
        return scaled

    def same_as(self, other: Weighing) -> bool:
        """Whether any part of the rows is weighed alike by both.

        Schemes may read the bars, so those have to be the same; plain weights do not look at them.
        """
        plain = self.scheme == other.scheme == "none" and self.oldest == other.oldest == 1.0
        return (
            (self.scheme, self.oldest) == (other.scheme, other.oldest)
            and (plain or self.market is other.market)
            and self.own.tobytes() == other.own.tobytes()
        )

    def take(self, positions: IntArray) -> Self:
        """Return the weighing of some of the rows in hand."""
        return replace(self, spans=self.spans.take(positions), own=self.own[positions])
