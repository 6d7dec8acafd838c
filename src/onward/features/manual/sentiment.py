"""Sentiment: the fear & greed index, 0 (fear) to 100 (greed), as it was known at each bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onward.features.manual.columns import check_windows
from onward.features.manual.family import Bars
from onward.features.manual.technical_oscillators import range_position
from onward.features.manual.workspace import known
from onward.kernels.rolling import difference, rolling_mean, streak
from onward.types import FloatArray

__all__ = ["Sentiment"]

CLASS_EDGES = (25.5, 46.5, 54.5, 75.5)
"""Between extreme fear, fear, neutral, greed and extreme greed, as the index's publisher
(alternative.me) has classed its whole values since 2018."""


@dataclass(frozen=True)
class Sentiment:
    """Level, class, momentum, duration of extremes, divergence from price.

    - ``fear_greed``: the index; ``fear_greed_class``: 0 extreme fear to 4 extreme greed.
    - ``fear_greed_change_n``, ``fear_greed_gap_n``: change over n bars; level less its mean.
    - ``extreme_fear_duration_n``, ``extreme_greed_duration_n``: for what share of the last n
      bars, counted back from this one without a break, the extreme has held.
    - ``sentiment_divergence_n``: position of the index in its trailing range less that of the
      close in its own, -1 to 1; NaN where either has not moved.

    Attributes
    ----------
    change_windows
        Bars of the changes.
    windows
        Bars of gap, durations and divergence.
    """

    change_windows: tuple[int, ...] = (24, 168)
    windows: tuple[int, ...] = (336,)

    def __post_init__(self) -> None:
        check_windows(self.name, 1, change_windows=self.change_windows)
        check_windows(self.name, 2, windows=self.windows)

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "sentiment"

    @property
    def requires(self) -> tuple[str, ...]:
        """The fear & greed index."""
        return ("fear_greed",)

    def columns(self) -> tuple[str, ...]:
        """Return the column names."""
        kinds = ("fear_greed_gap", "extreme_fear_duration", "extreme_greed_duration", "sentiment_divergence")
        return (
            "fear_greed",
            "fear_greed_class",
            *(f"fear_greed_change_{n}" for n in self.change_windows),
            *(f"{what}_{n}" for n in self.windows for what in kinds),
        )

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002
        """Return the bars of the longest column."""
        return max(self.lookbacks(), default=1)

    def lookbacks(self) -> tuple[int, ...]:
        """Return the bars that each column needs by itself, in the order of `columns`."""
        changes = (n + 1 for n in self.change_windows)
        return (1, 1, *changes, *(n for n in self.windows for _ in range(4)))

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return the columns by name."""
        index = bars.series["fear_greed"]
        grade = known(np.searchsorted(CLASS_EDGES, index), index)
        out = {"fear_greed": index, "fear_greed_class": grade}
        for n in self.change_windows:
            out[f"fear_greed_change_{n}"] = difference(index, n)
        for n in self.windows:
            out[f"fear_greed_gap_{n}"] = index - rolling_mean(index, n)
            out[f"extreme_fear_duration_{n}"] = streak(known(grade == 0.0, index), n) / n
            out[f"extreme_greed_duration_{n}"] = streak(known(grade == 4.0, index), n) / n
            out[f"sentiment_divergence_{n}"] = range_position(index, index, index, n) - range_position(
                bars.close, bars.close, bars.close, n
            )
        return out
