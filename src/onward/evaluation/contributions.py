"""Why a model says what it says of one bar: what each feature adds to the log of each class's probability.

The contributions are the library's own exact ones for trees (TreeSHAP, Lundberg et al. 2020, From
local explanations to global understanding with explainable AI for trees): with the base value
they sum to the model's raw margins, whose softmax are its probabilities. They explain the model,
not the market.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from onward.errors import ConfigError, ModelError
from onward.models.softmax import softmax
from onward.types import FloatArray

__all__ = ["BASE", "OTHERS", "Contributing", "contributions", "top_contributions"]

BASE = "(base)"
OTHERS = "(all other features)"
TOLERANCE = 1e-4
COLUMNS = ["rank", "feature", "value", "down", "range", "up", "direction", "strength"]


@runtime_checkable
class Contributing(Protocol):
    """What a model offers, beyond `onward.protocols.Model`, to explain single predictions.

    Promises: the sum over features and base is the raw margin of each class, up to a constant a
    row; softmax of it over the classes that training rows had equals ``predict_proba``; a row's
    contributions ignore its batch.
    """

    def contributions(self, X: pd.DataFrame) -> FloatArray:
        """Return shape (n, n_features + 1, 3): down, range, up of each feature; the base comes last."""

    def predict_proba(self, X: pd.DataFrame) -> FloatArray:
        """Return probabilities of down, range, up, shape (n, 3)."""


def contributions(model: Any, X: pd.DataFrame) -> FloatArray:
    """Return what each feature adds to each class's raw margin, checked to add up.

    Parameters
    ----------
    model
        A fitted model with contributions of its own: LightGBM, XGBoost or CatBoost. Of a trained predictor:
        ``predictor.model``.
    X
        Rows as the model sees them, shape (n, n_features); of a trained predictor:
        ``predictor.fitted.transform(features)``. NaN means "not known yet" and has its share.

    Returns
    -------
    array
        Natural-log units, shape (n, n_features + 1, 3); the last row of the second axis is the
        base value: the margin before any feature is looked at. The margin of a class that the
        training rows did not have means nothing.

    Raises
    ------
    ModelError
        When the model has no contributions of its own, was not fitted, got other columns, or its
        contributions do not add up to its probabilities.
    """
    if not isinstance(model, Contributing):
        name = getattr(type(model), "name", type(model).__name__)
        raise ModelError(
            f"the {name} model does not say what single features contribute",
            got=name,
            allowed="a model with native contributions: lightgbm, xgboost, catboost",
            remedy="Set model.name to one of these, or use block_permutation_importance, which takes "
            "any model.",
        )
    parts = np.asarray(model.contributions(X), dtype=np.float64)
    if parts.shape != (len(X), X.shape[1] + 1, 3):
        raise ModelError(
            "contributions have the wrong shape",
            got=parts.shape,
            allowed=f"({len(X)}, {X.shape[1] + 1}, 3): one row a feature and the base, down, range, up",
            remedy="Correct the model's contributions().",
        )
    if len(parts):
        probability = np.asarray(model.predict_proba(X), dtype=np.float64)
        off = float(np.abs(softmax(parts.sum(axis=1), probability > 0) - probability).max())
        if not off <= TOLERANCE:
            raise ModelError(
                "contributions do not add up to the model's probabilities",
                got=f"a difference of {off:.2g}",
                allowed=f"{TOLERANCE:g} at most",
                remedy="Correct the model's contributions(); calibrated or bagged probabilities have none.",
            )
    return parts


def top_contributions(model: Any, X_row: pd.DataFrame | pd.Series, k: int = 10) -> pd.DataFrame:
    """Return the features that moved each prediction most, with their values.

    Parameters
    ----------
    model, X_row
        As for `contributions`; a Series is one row.
    k
        Features shown for each row.

    Returns
    -------
    DataFrame
        Indexed like ``X_row``, at most k + 2 lines a row: ``rank`` (1 = strongest; 0 for the last
        two lines), ``feature``, ``value`` (NaN = not known), ``down range up`` (what it adds to the
        log of each class's probability, the mean of the logs over the classes taken out because
        only differences count), ``direction`` (``up - down``: what it adds to ``log(p_up / p_down)``) and
        ``strength`` (root of the sum of squares of the three). The lines ``(all other features)``
        and ``(base)`` complete the sums, so that ``direction`` sums to ``log(p_up / p_down)``.

    Raises
    ------
    ConfigError
        When k is below 1.
    ModelError
        As `contributions`.
    """
    if k < 1:
        raise ConfigError("no feature to show", got=f"k = {k}", allowed="1 or more", remedy="Ask for ten.")
    X = X_row.to_frame().T if isinstance(X_row, pd.Series) else X_row
    parts = contributions(model, X)
    parts = parts - parts.mean(axis=2, keepdims=True)
    strength = np.sqrt((parts**2).sum(axis=2))
    values = X.to_numpy(np.float64)
    lines: list[dict[str, Any]] = []
    places: list[int] = []
    for row in range(len(X)):
        order = np.argsort(-strength[row, :-1], kind="stable")
        for rank, j in enumerate(order[:k], start=1):
            lines.append(_line(rank, str(X.columns[j]), float(values[row, j]), parts[row, j]))
        rest = parts[row, order[k:]].sum(axis=0)
        lines += [_line(0, OTHERS, float("nan"), rest)] if len(order) > k else []
        lines.append(_line(0, BASE, float("nan"), parts[row, -1]))
        places += [row] * (len(lines) - len(places))
    return pd.DataFrame(lines, index=X.index[places], columns=COLUMNS)


def _line(rank: int, feature: str, value: float, each: FloatArray) -> dict[str, Any]:
    down, middle, up = (float(v) for v in each)
    return {
        "rank": rank,
        "feature": feature,
        "value": value,
        "down": down,
        "range": middle,
        "up": up,
        "direction": up - down,
        "strength": float(np.sqrt((each**2).sum())),
    }
