"""Whether a stated probability comes true as often as it says."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.types import BoolArray, FloatArray

__all__ = ["calibration_error", "calibration_table"]


def calibration_table(probability: FloatArray, came_true: BoolArray, n_bins: int = 10) -> pd.DataFrame:
    """Return stated and realised frequencies in equal-width bins.

    Parameters
    ----------
    probability
        Stated probabilities of one event, shape (n,).
    came_true
        Whether it happened, shape (n,).
    n_bins
        Bins ``[k/n_bins, (k+1)/n_bins)``; 1 belongs to the last one.

    Returns
    -------
    DataFrame
        One row a bin that holds rows: ``low high n stated realised``.
    """
    # Rounding first: 0.3 * 10 is 2.999..., and 0.3 belongs to the bin that starts at 0.3.
    bins = np.minimum(np.floor(np.round(probability * n_bins, 9)).astype(np.int64), n_bins - 1)
    n = np.bincount(bins, minlength=n_bins)
    stated = np.bincount(bins, weights=probability, minlength=n_bins)
    realised = np.bincount(bins, weights=came_true.astype(np.float64), minlength=n_bins)
    held = np.flatnonzero(n)
    return pd.DataFrame(
        {
            "low": held / n_bins,
            "high": (held + 1) / n_bins,
            "n": n[held],
            "stated": stated[held] / n[held],
            "realised": realised[held] / n[held],
        }
    )


def calibration_error(probability: FloatArray, came_true: BoolArray, n_bins: int = 10) -> float:
    """Return the expected calibration error: the mean gap of `calibration_table`, weighted by rows.

    Naeini, Cooper & Hauskrecht (2015), equal-width bins.
    """
    table = calibration_table(probability, came_true, n_bins)
    gap = np.abs(table["stated"].to_numpy() - table["realised"].to_numpy())
    return float(np.average(gap, weights=table["n"].to_numpy()))
