"""The small model that tells test rows from training rows, fitted many times on parts of the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from onward.models import LightGBMModel
from onward.models.libraries import import_library
from onward.types import BoolArray, FloatArray, IntArray

__all__ = ["SidesModel", "SidesRows"]

N_ROUNDS = 50


@dataclass(frozen=True, eq=False)
class SidesModel:
    """A fitted model of the sides.

    Attributes
    ----------
    booster
        Of LightGBM.
    gain
        Total gain of each column, shape (n_columns,).
    """

    booster: Any
    gain: FloatArray


@dataclass(frozen=True, eq=False)
class SidesRows:
    """Rows whose side can be learnt, in bins that were laid once for all fits.

    The bins are laid over all rows that are compared, held-out ones included. They know values and no
    sides, so that a held-out row remains as hard to tell as it is.

    Attributes
    ----------
    values
        float32, shape (n, n_columns); NaN where not known.
    rows
        Positions of the rows in hand among those that were binned, ascending, shape (n,).
    binned
        Of LightGBM: all rows that were binned.
    seed, n_threads
        Of the model.
    """

    values: npt.NDArray[np.float32]
    rows: IntArray
    binned: Any
    seed: int
    n_threads: int

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.values.shape[1])

    @classmethod
    def bin(cls, values: npt.NDArray[np.float32], *, seed: int, n_threads: int) -> Self:
        """Return all rows, their bins laid."""
        lightgbm = import_library("lightgbm")
        parameters = _parameters(values, seed, n_threads)
        nobody = np.zeros(len(values))
        binned = lightgbm.Dataset(values, nobody, params=parameters).construct()
        return cls(values, np.arange(len(values), dtype=np.int64), binned, seed, n_threads)

    def take(self, positions: IntArray) -> SidesRows:
        """Return some of the rows in hand, by ascending positions."""
        rows = self.rows[positions]
        return SidesRows(self.values[positions], rows, self.binned, self.seed, self.n_threads)

    def fit(self, is_test: BoolArray) -> SidesModel:
        """Learn which of the rows in hand are test rows, both sides weighing the same.

        Parameters
        ----------
        is_test
            Shape (n,), with rows of both sides.
        """
        lightgbm = import_library("lightgbm")
        share = float(is_test.mean())
        part = self.binned.subset(self.rows).construct()
        part.set_label(is_test.astype(np.float32))
        part.set_weight(np.where(is_test, 0.5 / share, 0.5 / (1.0 - share)))
        booster = lightgbm.Booster(_parameters(self.values, self.seed, self.n_threads), part)
        for _ in range(N_ROUNDS):
            booster.update()
        gain = np.asarray(booster.feature_importance(importance_type="gain"), dtype=np.float64)
        return SidesModel(booster, gain)

    def likeness(self, model: SidesModel) -> FloatArray:
        """Return how much each row in hand looks like a test row to a model, a log-odds, shape (n,)."""
        return np.asarray(model.booster.predict(self.values, raw_score=True, num_threads=1), dtype=np.float64)


def _parameters(values: npt.NDArray[np.float32], seed: int, n_threads: int) -> dict[str, Any]:
    """Return the parameters of the default model, for two classes."""
    model = LightGBMModel(n_rounds=N_ROUNDS, seed=seed, n_threads=n_threads)
    parameters = model.native_parameters(*values.shape)
    del parameters["num_class"]
    return parameters | {"objective": "binary"}
