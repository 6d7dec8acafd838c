"""What is searched when a plan names no space: the strength of regularisation of its model.

Narrow on purpose, around defaults that hold noise back: with a few hundred independent labels a wide
space finds the trial that fits the inner folds' noise best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["DEFAULT_SPACES", "default_space"]

_TREES: Mapping[str, Any] = {
    "model.min_leaf_fraction": {"low": 0.02, "high": 0.2, "log": True},
    "model.feature_fraction": {"low": 0.2, "high": 1.0},
}
_BOOSTING: Mapping[str, Any] = {
    "model.n_rounds": {"low": 50, "high": 300, "step": 50},
    "model.learning_rate": {"low": 0.01, "high": 0.1, "log": True},
}

_LEAVES: Mapping[str, Any] = {"model.num_leaves": {"low": 2, "high": 16, "log": True}}
_PENALTY: Mapping[str, Any] = {"model.lambda_l2": {"low": 1.0, "high": 100.0, "log": True}}

DEFAULT_SPACES: Mapping[str, Mapping[str, Any]] = {
    "lightgbm": {**_BOOSTING, **_LEAVES, **_TREES, **_PENALTY},
    "xgboost": {**_BOOSTING, **_LEAVES, **_TREES, **_PENALTY},
    "hist_gradient_boosting": {**_BOOSTING, **_LEAVES, **_TREES, **_PENALTY},
    "catboost": {**_BOOSTING, "model.feature_fraction": {"low": 0.2, "high": 1.0}, **_PENALTY},
    "random_forest": _TREES,
    "extra_trees": _TREES,
    "logistic": {"model.extra.penalty": {"low": 0.005, "high": 0.5, "log": True}},
    "mlp": {"model.extra.weight_decay": {"low": 0.005, "high": 0.5, "log": True}},
}
"""Default space by model."""

_ANY: Mapping[str, Any] = {"selection.max_features": {"low": 10, "high": 60, "step": 10}}


def default_space(models: Sequence[str]) -> Mapping[str, Any]:
    """Return the space of a model, or what the members of an ensemble share in theirs.

    A model that has none of its own gets the number of features that it may see.
    """
    spaces = [DEFAULT_SPACES.get(model, {}) for model in models]
    if len(spaces) == 1:
        return spaces[0] or _ANY
    joint = {path: one for space in spaces for path, one in space.items() if ".extra." not in path}
    return joint or _ANY
