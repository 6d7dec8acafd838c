"""Naive trading rules as models: they say up, down or nothing, and history says how often that was right."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from onward.errors import ModelError
from onward.models.classifier import ThreeClassModel
from onward.models.ranges import require_finite
from onward.types import FloatArray, IntArray

__all__ = ["MeanReversionModel", "MomentumModel", "RuleModel", "signal_frequencies", "signal_probabilities"]


def signal_frequencies(
    signal: npt.NDArray[np.floating[Any]], codes: IntArray, weight: FloatArray | None = None
) -> FloatArray:
    """Return class frequencies given each signal, shape (4, 3): rows for -1, 0, +1 and "unknown".

    Parameters
    ----------
    signal
        Only its sign counts; NaN is "unknown", shape (n,).
    codes
        0, 1, 2 for down, range, up, shape (n,).
    weight
        Shape (n,).

    Notes
    -----
    The frequencies of all rows enter with the weight of one row, so a signal that never occurred
    in training gives the prior instead of a division by zero.
    """
    weights = np.ones(len(codes)) if weight is None else weight
    totals = np.bincount(codes, weights=weights, minlength=3)
    prior = totals / totals.sum()
    counts = np.zeros((4, 3))
    np.add.at(counts, (_signal_row(signal), codes), weights)
    counts += prior
    frequencies: FloatArray = counts / counts.sum(axis=1, keepdims=True)
    frequencies[3] = prior
    return frequencies


def signal_probabilities(signal: npt.NDArray[np.floating[Any]], frequencies: FloatArray) -> FloatArray:
    """Return the probabilities that belong to signals, shape (n, 3)."""
    looked_up: FloatArray = frequencies[_signal_row(signal)]
    return looked_up


def _signal_row(signal: npt.NDArray[np.floating[Any]]) -> IntArray:
    values = np.asarray(signal, dtype=np.float64)
    return np.where(np.isnan(values), 3, np.sign(np.nan_to_num(values)) + 1).astype(np.int64)


class RuleModel(ThreeClassModel):
    """A rule over one column; probabilities are the training frequencies given its signal.

    Parameters
    ----------
    column
        Column to read; None takes the first.
    """

    def __init__(self, column: str | None = None) -> None:
        self.column = column

    @abstractmethod
    def _signal(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return -1, 0 or 1 (NaN: unknown) for each value of the column."""

    def _learn_scale(self, values: npt.NDArray[np.float32]) -> None:
        """Learn what the rule needs to know about its column."""

    def _fit(self, values: npt.NDArray[np.float32], codes: IntArray, weight: FloatArray | None) -> None:
        column = self._column(values)
        self._learn_scale(column)
        self.frequencies_ = signal_frequencies(self._signal(column), codes, weight)

    def _probabilities(self, values: npt.NDArray[np.float32]) -> FloatArray:
        return signal_probabilities(self._signal(self._column(values)), self.frequencies_)

    def _state(self) -> dict[str, Any]:
        return {"frequencies": self.frequencies_.tolist()}

    def _restore(self, state: dict[str, Any]) -> None:
        self.frequencies_ = np.array(state["frequencies"], dtype=np.float64)

    def _column(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if self.column is None:
            return values[:, 0]
        names = self._feature_names() or []
        if self.column not in names:
            raise ModelError(
                f"the {self.name} rule does not find its column",
                got=repr(self.column),
                allowed=f"one of {len(names)} feature columns" if names else "a DataFrame with named columns",
                remedy="Name a column that the selected features contain, or switch selection off.",
            )
        return values[:, names.index(self.column)]


class MomentumModel(RuleModel):
    """Follow the sign of a trailing return.

    Parameters
    ----------
    column
        Column with the trailing return; None takes the first.
    """

    name = "momentum"

    def _signal(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.sign(values)


class MeanReversionModel(RuleModel):
    """Bet against a column that is stretched far from its training mean.

    Parameters
    ----------
    column
        Column that measures the stretch (a trailing return, a distance from an average); None
        takes the first.
    stretch
        Training deviations beyond which the rule speaks.
    """

    name = "mean_reversion"

    def __init__(self, column: str | None = None, stretch: float = 1.0) -> None:
        super().__init__(column)
        self.stretch = stretch

    def _learn_scale(self, values: npt.NDArray[np.float32]) -> None:
        require_finite("stretch", self.stretch)
        known = values[~np.isnan(values)].astype(np.float64)
        self.mean_ = float(known.mean()) if len(known) else 0.0
        self.deviation_ = float(known.std()) if len(known) else 0.0

    def _signal(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        distance = values.astype(np.float64) - self.mean_
        beyond = np.abs(distance) > self.stretch * self.deviation_
        signal = np.where(np.isnan(distance), np.nan, np.where(beyond, -np.sign(distance), 0.0))
        return signal.astype(np.float32)

    def _state(self) -> dict[str, Any]:
        return {**super()._state(), "mean": self.mean_, "deviation": self.deviation_}

    def _restore(self, state: dict[str, Any]) -> None:
        super()._restore(state)
        self.mean_, self.deviation_ = float(state["mean"]), float(state["deviation"])
