"""Importance in a boosted model against the importance under circularly shifted labels.

A column's gain in a small, strongly regularised LightGBM is compared with its gain in the same
model fitted to shifted labels (the null importances of Altmann et al., "Permutation importance: a
corrected feature importance measure", 2010, with one difference). Row-wise shuffling, the usual
way, destroys the autocorrelation of overlapping labels: every slow column then looks better than
shuffled labels, and 64 % of pure noise survives at a 24-bar horizon. Circular shifts keep it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onward.features.selection.shifted_classes import TimeShifts, shifted_classes
from onward.kernels.threads import for_each_part
from onward.types import FloatArray, IntArray

__all__ = ["Importance", "importance_against_null", "thinned_rows"]

N_REPEATS = 3
"""Fits to the true labels, averaged: row and column sampling make single gains noisy."""


@dataclass(frozen=True, eq=False)
class Importance:
    """Gain of every column, and how it stands among gains under shifted labels.

    Attributes
    ----------
    share
        Gain as a share of the total, shape (n_columns,); all zero when no split was worth it.
    z
        Gain less the null gains' mean, in their deviations, shape (n_columns,).
    beaten
        Share of the null fits whose gain is smaller, 0 to 1, shape (n_columns,); a column
        without any gain beats none.
    """

    share: FloatArray
    z: FloatArray
    beaten: FloatArray


def thinned_rows(step: IntArray, max_rows: int) -> IntArray:
    """Return rows at every k-th decision time, all symbols included, at most about ``max_rows``.

    Overlapping labels of neighbouring rows repeat each other, so little is lost.
    """
    if len(step) <= max_rows:
        return np.arange(len(step), dtype=np.int64)
    every = -(-len(step) // max_rows)
    return np.flatnonzero(step % every == 0)


def importance_against_null(
    values: npt.NDArray[np.float32],
    columns: IntArray,
    classes: IntArray,
    time: TimeShifts,
    *,
    weight: FloatArray | None = None,
    n_null: int,
    max_rows: int,
    n_rounds: int = 40,
    seed: int = 0,
    n_threads: int = 0,
) -> Importance:
    """Fit the true and ``n_null`` shifted versions of the labels and compare the columns' gains.

    Parameters
    ----------
    values
        Training rows, shape (n_rows, any); NaN goes to LightGBM as it is.
    columns
        Columns of them that the model gets.
    classes
        -1, 0, 1, shape (n_rows,).
    time
        Moments of the rows, and the shifts to choose from.
    weight
        Weights of the rows; they stay where they are when labels move.
    n_null
        Shifts to compare with.
    max_rows
        More rows are thinned (`thinned_rows`); the shift happens before.
    n_rounds
        Boosting rounds of every fit.
    seed
        Of row and column sampling.
    n_threads
        Most threads; 0 means as many as there are cores.
    """
    import lightgbm

    rows = thinned_rows(time.step, max_rows)
    versions = shifted_classes(classes, time.fewer(n_null))[rows]
    base = np.ones(len(rows)) if weight is None else np.asarray(weight, dtype=np.float64)[rows]
    matrix = np.column_stack([values[rows, j] for j in columns])
    jobs = np.concatenate((np.zeros(N_REPEATS, dtype=np.int64), np.arange(1, versions.shape[1])))
    gains = np.empty((len(jobs), len(columns)))

    def fit(first: int, last: int) -> None:
        # Small fits: one thread each and several at a time beats several threads waiting for each other.
        data = lightgbm.Dataset(matrix, label=versions[:, 0], params=_parameters(len(rows))).construct()
        for number in range(first, last):
            version = versions[:, jobs[number]]
            data.set_label(np.maximum(version, 0).astype(np.float64))
            data.set_weight(base * (version >= 0))
            sampling = {"seed": (seed * 7_919 + number) % 2**31}
            booster = lightgbm.Booster({**_parameters(len(rows)), **sampling}, data)
            for _ in range(n_rounds):
                if booster.update():
                    break
            gains[number] = booster.feature_importance("gain")

    for_each_part(fit, len(jobs), n_threads)
    real, null = gains[:N_REPEATS].mean(axis=0), gains[N_REPEATS:]
    mean, deviation = null.mean(axis=0), null.std(axis=0)
    total = real.sum()
    return Importance(
        share=real / total if total > 0 else real,
        z=(real - mean) / np.where(deviation > 0, deviation, np.inf),
        beaten=np.where(real > 0, (null < real).mean(axis=0), 0.0),
    )


def _parameters(n_rows: int) -> dict[str, Any]:
    return {
        "objective": "multiclass",
        "num_class": 3,
        "learning_rate": 0.1,
        "num_leaves": 4,
        "bagging_fraction": 0.5,
        "bagging_freq": 1,
        "feature_fraction": 0.3,
        "min_data_in_leaf": max(1, n_rows // 20),
        "lambda_l2": 10.0,
        "max_bin": 31,
        "feature_pre_filter": False,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
