"""Up or down by the clearest straight line ahead, range when none is clear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from onward.errors import LabelError, NotEnoughDataError
from onward.labels.arguments import as_count, as_number, as_positions
from onward.labels.horizon import NEVER, by_symbol, outcome_time
from onward.labels.state import known_values, state_of
from onward.types import FloatArray, IntArray, Labels, Market, Spans

__all__ = ["TrendScanningLabeler"]


@dataclass(frozen=True)
class TrendScanningLabeler:
    """Three classes by the sign of the forward trend with the largest t-value.

    Lines are fitted to the closes over ``shortest_bars`` to ``horizon_bars`` bars ahead, the
    decision's own close included; the fit whose slope has the largest t-value in size wins. Its
    sign is the class, unless it is below ``min_t_value``: then the class is ``range`` (0).

    Source: M. López de Prado, *Machine Learning for Asset Managers* (Cambridge 2020), 5.4. One
    thing differs on purpose. The book ends the label with the window that won; but which window
    wins is not known before the longest one is over, for any of them may still win. A span that
    ended earlier would let training rows know part of the test rows' future. So every span ends
    ``horizon_bars`` bars after its decision.

    A t-value of prices is no test of significance: on a random walk, over 24 bars, its median size
    is 7, and a third stay below the default of 5.5, which balances the classes. It grows with the
    horizon (about 3.3 at 12 bars, 8.3 at 48).

    Parameters
    ----------
    horizon_bars
        Bars of the longest window, at least 2.
    shortest_bars
        Bars of the shortest window, at least 2 (three closes) and at most ``horizon_bars``.
    step_bars
        Distance between windows, at least 1. They are counted down from ``horizon_bars``.
    min_t_value
        Size below which a trend counts as none, 0 or more.

    Raises
    ------
    LabelError
        When an argument is out of range.
    NotEnoughDataError
        When no row has an outcome inside the data.

    Examples
    --------
    >>> from onward.testing.markets import random_walk
    >>> labels = TrendScanningLabeler(horizon_bars=24).label(random_walk(400))
    >>> len(labels), labels.spans.longest // 3_600_000_000_000
    (376, 24)
    """

    horizon_bars: int = 24
    shortest_bars: int = 6
    step_bars: int = 1
    min_t_value: float = 5.5

    kind: ClassVar[Literal["classes", "target"]] = "classes"
    name: ClassVar[str] = "trend_scanning"

    def __post_init__(self) -> None:
        object.__setattr__(self, "horizon_bars", as_count("horizon_bars", self.horizon_bars, 2))
        object.__setattr__(self, "shortest_bars", as_count("shortest_bars", self.shortest_bars, 2))
        object.__setattr__(self, "step_bars", as_count("step_bars", self.step_bars, 1))
        object.__setattr__(self, "min_t_value", as_number("min_t_value", self.min_t_value, zero=True))
        if self.shortest_bars > self.horizon_bars:
            raise LabelError(
                "the shortest window is longer than the longest",
                got=f"shortest_bars = {self.shortest_bars}",
                allowed=f"2 to horizon_bars = {self.horizon_bars}",
                remedy="Lower shortest_bars, or lengthen horizon_bars.",
                settings=("shortest_bars", "horizon_bars"),
            )

    def spans(self, market: Market) -> Spans:
        """Return the span of every row whose longest window lies inside the data, free of NaN."""
        return self._spans(market, self._labelled(self._scanned(market), market))

    def fit(self, market: Market, rows: IntArray) -> Self:
        """Check the rows and return the labeler itself: it takes nothing from them."""
        as_positions(rows, len(self._labelled(self._scanned(market), market)))
        return self

    def t_values(self, market: Market) -> FloatArray:
        """Return the largest t-value of each row of ``spans(market)``; it looks ahead."""
        t_value = self._scanned(market)
        return t_value[self._labelled(t_value, market)]

    def label(self, market: Market) -> Labels:
        """Return the class of each row of ``spans(market)``, each with weight 1."""
        t_value = self._scanned(market)
        rows = self._labelled(t_value, market)
        clear = np.abs(t_value[rows]) >= self.min_t_value
        y = np.where(clear, np.sign(t_value[rows]), 0.0).astype(np.int64)
        return Labels(y, self._spans(market, rows), np.ones(len(y)))

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        return state_of(self)

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild a labeler from what `to_json` gave.

        Raises
        ------
        LabelError
            When the state belongs to another labeler or holds an unknown field.
        """
        return cls(**known_values(cls, state))

    def _scanned(self, market: Market) -> FloatArray:
        from onward.kernels.forward.trends import largest_trend

        return by_symbol(
            market,
            lambda close: largest_trend(close, self.shortest_bars, self.horizon_bars, self.step_bars)[0],
        )

    def _labelled(self, t_value: FloatArray, market: Market) -> IntArray:
        rows = np.flatnonzero(np.isfinite(t_value)).astype(np.int64)
        if len(rows) == 0:
            longest = max((part.stop - part.start for part in market.rows.values()), default=0)
            raise NotEnoughDataError(
                f"no row has {self.horizon_bars} known closes after its own",
                got=f"at most {longest} bars a symbol",
                allowed=f"at least {self.horizon_bars + 1} bars of one symbol, with closes that are not NaN",
                remedy="Use more bars or a shorter horizon_bars.",
                settings=("horizon_bars",),
            )
        return rows

    def _spans(self, market: Market, rows: IntArray) -> Spans:
        end = outcome_time(market, self.horizon_bars)[rows]
        assert (end != NEVER).all()
        return Spans(market.index[rows], market.decision_time_ns[rows], end)
