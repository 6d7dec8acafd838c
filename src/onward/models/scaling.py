"""Robust scaling and imputation for models that cannot take features as they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from onward.types import FloatArray, IntArray

__all__ = ["RobustScaling"]

NORMAL_IQR = 1.3489795003921634
"""Interquartile range of a standard normal variable."""


@dataclass(frozen=True, eq=False)
class RobustScaling:
    """Centre by the median, divide by the spread, clip, fill what is unknown; learnt from training rows.

    Market features have heavy tails and warm-up gaps. Median and interquartile range ignore the
    tails; clipping keeps one wild bar from outvoting a thousand; an unknown value becomes the
    median (0 after centring), and a column of its own says that it was unknown, because where
    values are missing is information too.

    Attributes
    ----------
    centre, spread
        Median and spread of each column, shape (n_features,). The spread is the interquartile
        range over 1.349 (one deviation of a normal variable); where that is 0 the standard
        deviation; 0 for columns that are constant or never known, which come out as 0.
    gaps
        Columns whose being unknown is told, one for each pattern of unknown rows that training
        showed (columns of one warm-up share theirs).
    clip
        Largest absolute value that comes out.
    """

    centre: FloatArray
    spread: FloatArray
    gaps: IntArray
    clip: float

    @classmethod
    def learn(cls, values: npt.NDArray[np.float32], clip: float) -> Self:
        """Learn from training rows, shape (n, n_features), NaN allowed."""
        n_features = values.shape[1]
        centre, spread = np.zeros(n_features), np.zeros(n_features)
        gaps: list[int] = []
        patterns: set[bytes] = set()
        for column in range(n_features):
            unknown = np.isnan(values[:, column])
            known = values[~unknown, column].astype(np.float64)
            if len(known) == 0:
                continue
            low, middle, high = np.quantile(known, (0.25, 0.5, 0.75))
            centre[column] = middle
            spread[column] = (high - low) / NORMAL_IQR if high > low else known.std()
            if unknown.any():
                pattern = np.packbits(unknown).tobytes()
                if pattern not in patterns:
                    patterns.add(pattern)
                    gaps.append(column)
        return cls(centre, spread, np.array(gaps, dtype=np.int64), float(clip))

    def transform(self, values: npt.NDArray[np.float32]) -> FloatArray:
        """Return scaled columns, then one column of 0 and 1 a gap, shape (n, n_features + n_gaps).

        Every cell is computed from its own row and column alone.
        """
        unknown = np.isnan(values)
        divisor = np.where(self.spread > 0, self.spread, np.inf)  # x / inf = 0
        scaled = (np.where(unknown, self.centre, values.astype(np.float64)) - self.centre) / divisor
        np.clip(scaled, -self.clip, self.clip, out=scaled)
        return np.ascontiguousarray(np.hstack([scaled, unknown[:, self.gaps]]))

    def importance(self, of_outputs: FloatArray) -> FloatArray:
        """Return importance by input column: its own and that of its gap, shape (n_features,)."""
        n_features = len(self.centre)
        total = np.where(self.spread > 0, of_outputs[:n_features], 0.0)
        np.add.at(total, self.gaps, of_outputs[n_features:])
        return total

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "centre": self.centre.tolist(),
            "spread": self.spread.tolist(),
            "gaps": self.gaps.tolist(),
            "clip": self.clip,
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        """Rebuild what `to_json` gave."""
        return cls(
            np.array(state["centre"], dtype=np.float64),
            np.array(state["spread"], dtype=np.float64),
            np.array(state["gaps"], dtype=np.int64),
            float(state["clip"]),
        )

    @property
    def n_outputs(self) -> int:
        """Columns that come out."""
        return len(self.centre) + len(self.gaps)
