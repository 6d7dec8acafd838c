"""Drift over the folds: which columns moved, how far, and in how many folds."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["DRIFTED_AT", "drift_summary"]

DRIFTED_AT = 0.1
"""False discovery rate at which a column counts as drifted in a fold."""

COLUMNS = ["column", "folds", "drifted", "ks_q", "ks", "psi", "psi_expected", "psi_ratio", "median_shift"]


def drift_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a column, the most drifted first.

    Parameters
    ----------
    table
        From `onward.evaluation.drift.drift_of_folds`.

    Returns
    -------
    DataFrame
        ``column``; ``folds`` that were compared; ``drifted``: those with ``ks_q`` below 0.1;
        ``ks_q``: the smallest; ``ks``, ``psi``, ``psi_expected``: means; ``psi_ratio``: mean
        index / mean expected index, about 1 without drift; ``median_shift``: the largest one in
        size, with its sign. NaN where not defined. Sorted by ``ks_q``, then by ``psi_ratio``.
    """
    if table.empty:
        return pd.DataFrame(columns=COLUMNS)
    groups = table.assign(now=table["ks_q"] < DRIFTED_AT).groupby("column", sort=False)
    found = groups.agg(
        folds=("fold", "nunique"),
        drifted=("now", "sum"),
        ks_q=("ks_q", "min"),
        ks=("ks", "mean"),
        psi=("psi", "mean"),
        psi_expected=("psi_expected", "mean"),
    )
    expected = found["psi_expected"].where(found["psi_expected"] > 0)
    found["psi_ratio"] = found["psi"] / expected
    found["median_shift"] = groups["median_shift"].agg(_largest)
    order = found.sort_values(["ks_q", "psi_ratio"], ascending=[True, False], kind="stable")
    return order.reset_index()[COLUMNS]


def _largest(values: pd.Series) -> float:
    known = values.dropna()
    return float(known.iloc[int(np.abs(known.to_numpy()).argmax())]) if len(known) else float("nan")
