"""`WinsoriseStage`: outliers cut at quantiles that every fold takes from its own training rows."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import StageError
from onward.types import FloatArray, Spans

__all__ = ["WinsoriseStage"]


class WinsoriseStage:
    """Clips every column to quantiles of the training rows; names and rows stay as they are.

    Quantiles of the whole sample would tell each fold about its test rows. Satisfies
    `onward.protocols.FittedStage`.

    Parameters
    ----------
    lower, upper
        Shares of the training rows, ``0 <= lower < upper <= 1``; NaN is left out and passes.

    Raises
    ------
    StageError
        If they are not such shares.
    """

    name: ClassVar[str] = "winsorise"

    def __init__(self, lower: float = 0.005, upper: float = 0.995) -> None:
        numbers = all(isinstance(share, int | float) for share in (lower, upper))
        if not numbers or not 0.0 <= lower < upper <= 1.0:
            raise StageError(
                "the stage 'winsorise' cannot cut there",
                got=f"lower = {lower!r}, upper = {upper!r}",
                allowed="shares of the rows, 0 <= lower < upper <= 1",
                remedy="Correct features.options.winsorise.",
            )
        self.lower, self.upper = float(lower), float(upper)
        self.limits_: dict[str, tuple[float, float]] | None = None
        """Lowest and highest value by column, NaN where the training rows know none."""

    def fit(
        self,
        X: pd.DataFrame,
        y: npt.NDArray[Any],
        *,
        spans: Spans,
        weight: FloatArray | None = None,  # noqa: ARG002 - outliers are outliers, whatever they weigh
        seed: int = 0,  # noqa: ARG002 - nothing is drawn
    ) -> Self:
        """Take the quantiles of the training rows."""
        if not len(X) == len(y) == len(spans) > 0:
            raise StageError(
                "the stage 'winsorise' cannot be fitted on these rows",
                got=f"X of {len(X)}, y of {len(y)}, spans of {len(spans)}",
                allowed="one or more rows, of equal length",
            )
        limits = {}
        for column in X.columns:
            known = X[column].to_numpy(np.float64)
            known = known[~np.isnan(known)]
            low, high = np.quantile(known, (self.lower, self.upper)) if len(known) else (np.nan, np.nan)
            limits[str(column)] = (float(low), float(high))
        self.limits_ = limits
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the columns clipped, types as given."""
        if self.limits_ is None:
            raise StageError("the stage 'winsorise' is not fitted", remedy="Call fit first.")
        strange = [str(column) for column in X.columns if column not in self.limits_]
        if strange or X.shape[1] == 0:
            raise StageError(
                "the stage 'winsorise' is given other columns than it was fitted on",
                got=", ".join(strange[:3]) or "no column",
                allowed=f"some of the {len(self.limits_)} columns of the fit",
                remedy="Compute the features with the pipeline that the model was trained with.",
            )
        return pd.DataFrame({c: self._clipped(str(c), X[c].to_numpy()) for c in X.columns}, index=X.index)

    def required_columns(self, outputs: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return the inputs behind some outputs: the same ones, so that live prediction skips others."""
        return tuple(self.limits_ or ()) if outputs is None else outputs

    def to_json(self) -> dict[str, Any]:
        """Return shares and limits as plain JSON values; NaN is null."""
        limits = self.limits_
        return {
            "lower": self.lower,
            "upper": self.upper,
            "limits": None
            if limits is None
            else {c: [None if math.isnan(v) else v for v in pair] for c, pair in limits.items()},
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        """Rebuild the stage; raises `StageError` for the state of something else."""
        try:
            stage = cls(state["lower"], state["upper"])
            if state["limits"] is not None:
                stage.limits_ = {
                    column: (math.nan if low is None else low, math.nan if high is None else high)
                    for column, (low, high) in state["limits"].items()
                }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StageError(
                "this is not the state of a stage 'winsorise'",
                got=", ".join(map(str, state))[:120],
                allowed="lower, upper, limits, as to_json() wrote them",
            ) from error
        return stage

    def _clipped(self, column: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        low, high = (self.limits_ or {})[column]
        if math.isnan(low):  # the training rows never knew it: nothing to cut at
            return values
        clipped: npt.NDArray[Any] = np.clip(values, values.dtype.type(low), values.dtype.type(high))
        return clipped
