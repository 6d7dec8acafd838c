"""How much each column counts for the models of a training, by their own account."""

from __future__ import annotations

import pandas as pd

from onward.features.selection.across_fits import FINAL_FIT
from onward.prediction.predictor import Predictor
from onward.training.outcomes import Training

__all__ = ["gain_shares", "gain_table", "ranked_columns"]


def gain_shares(predictor: Predictor) -> pd.Series:
    """Return the share of the gain of each column that the model sees; zeros without such a notion."""
    gain = predictor.importance()
    total = gain.sum()
    return gain / total if total > 0 else gain


def gain_table(training: Training) -> pd.DataFrame:
    """Return the shares of all fits, one row a fit and column (see `Diagnosis.gain`)."""
    fits = {outcome.fold.number: outcome.predictor for outcome in training.folds}
    tables = []
    for number, predictor in (fits | {FINAL_FIT: training.predictor}).items():
        shares = gain_shares(predictor)
        names = [str(name) for name in shares.index]
        tables.append(pd.DataFrame({"fold": number, "column": names, "importance": shares.to_numpy()}))
    return pd.concat(tables, ignore_index=True)


def ranked_columns(gain: pd.DataFrame) -> list[str]:
    """Return the columns that count in some fold, the largest total share first.

    Parameters
    ----------
    gain
        From `gain_table`. Where no column has a gain, the model has no notion of it, and all are
        returned in their order.
    """
    total = gain[gain["fold"] != FINAL_FIT].groupby("column", sort=False)["importance"].sum()
    used = total[total > 0] if (total > 0).any() else total
    return [str(name) for name in used.sort_values(ascending=False, kind="stable").index]
