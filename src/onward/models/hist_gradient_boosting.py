"""Histogram gradient boosting of scikit-learn, held back as strongly as the default model."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onward.models.libraries import import_library
from onward.models.scikit import ScikitModel, refusals
from onward.models.softmax import softmax, three_columns
from onward.models.threads import limited, threads_for
from onward.models.tree_arrays import walkable
from onward.types import FloatArray, IntArray

__all__ = ["HistGradientBoostingModel"]

NOT_KEPT = ("_feature_subsample_rng", "_label_encoder")
"""What the estimator needs for training only."""


class HistGradientBoostingModel(ScikitModel):
    """scikit-learn's histogram gradient boosting: no row sampling, no extra to install.

    The defaults are those of `LightGBMModel` (the reasons are there): four leaves, half of the
    columns a split, leaves of a fixed share of the rows, a fixed number of rounds. As every
    round sees every row, it is held back by the size of its leaves and the shrinkage alone.

    Parameters
    ----------
    n_rounds
        Boosting rounds (three trees each, one a class).
    learning_rate
        Shrinkage of each tree.
    num_leaves
        Leaves a tree.
    feature_fraction
        Share of the columns each split may choose from.
    min_leaf_fraction
        Least share of the rows in a leaf.
    lambda_l2
        L2 penalty on leaf values.
    balance_directions
        Weigh up and down rows so that both count the same in sum.
    class_weight
        ``balanced`` lets all classes count the same in sum; ``none`` leaves them as they are.
    seed
        Seed of column sampling.
    n_threads
        Most threads to use; 0 means as many as there are cores. Neither the result nor the saved
        files depend on it; a loaded model starts with 0.
    """

    name = "hist_gradient_boosting"
    estimator_type = (
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier"
    )
    part_types = (
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss._loss.CyHalfMultinomialLoss",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    )

    def __init__(
        self,
        *,
        n_rounds: int = 100,
        learning_rate: float = 0.03,
        num_leaves: int = 4,
        feature_fraction: float = 0.5,
        min_leaf_fraction: float = 0.1,
        lambda_l2: float = 10.0,
        balance_directions: bool = True,
        class_weight: str = "none",
        seed: int = 0,
        n_threads: int = 0,
    ) -> None:
        self.n_rounds = n_rounds
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.feature_fraction = feature_fraction
        self.min_leaf_fraction = min_leaf_fraction
        self.lambda_l2 = lambda_l2
        self.balance_directions = balance_directions
        self.class_weight = class_weight
        self.seed = seed
        self.n_threads = n_threads

    def native_parameters(self, n_rows: int) -> dict[str, Any]:
        """Return the arguments of the scikit-learn estimator for a number of training rows."""
        return {
            "max_iter": self.n_rounds,
            "learning_rate": self.learning_rate,
            "max_leaf_nodes": self.num_leaves,
            "max_features": self.feature_fraction,
            "min_samples_leaf": max(1, int(self.min_leaf_fraction * n_rows)),
            "l2_regularization": self.lambda_l2,
            "max_bins": 63,
            "early_stopping": False,
            "random_state": self.seed,
        }

    def _learn(self, data: npt.NDArray[np.float32], codes: IntArray, weight: FloatArray | None) -> None:
        # Columns that are never known are left out: they cannot be cut into bins.
        self.known_ = ~np.isnan(data).all(axis=0)
        known = data if self.known_.all() else np.ascontiguousarray(data[:, self.known_])
        if known.shape[1] == 0:
            known = np.zeros((len(data), 1), dtype=np.float32)
        ensemble = import_library("sklearn.ensemble")
        with limited("openmp", threads_for(data.size, self.n_threads)), refusals(self.name):
            booster = ensemble.HistGradientBoostingClassifier(**self.native_parameters(len(data)))
            self.estimator_ = booster.fit(known, codes, sample_weight=weight)
        for attribute in NOT_KEPT:
            self.estimator_.__dict__.pop(attribute, None)
        self.estimator_._bin_mapper.n_threads = 1  # part of the file, and no part of the model

    def _probabilities(self, values: npt.NDArray[np.float32]) -> FloatArray:
        known = values if self.known_.all() else np.ascontiguousarray(values[:, self.known_])
        if known.shape[1] == 0:
            known = np.zeros((len(values), 1), dtype=np.float32)
        with limited("openmp", threads_for(values.size, self.n_threads)):
            scores = self.estimator_.decision_function(known)
        if scores.ndim == 1:  # two classes: the score is the log-odds of the second
            scores = np.column_stack([np.zeros(len(scores)), scores])
        return softmax(three_columns(scores, self.present_), self.present_)

    def _gain(self) -> FloatArray:
        # Total reduction of the loss by the splits on each column, over all rounds and classes.
        totals = np.zeros(max(1, int(self.known_.sum())))
        for trees in self.estimator_._predictors:
            for tree in trees:
                inner = tree.nodes[tree.nodes["is_leaf"] == 0]
                np.add.at(totals, inner["feature_idx"], np.maximum(inner["gain"], 0.0))
        gain = np.zeros(self.n_features_in_)
        gain[self.known_] = totals[: int(self.known_.sum())]
        return gain

    def _state(self) -> dict[str, Any]:
        return {**super()._state(), "known": self.known_.tolist()}

    def _restore(self, state: dict[str, Any]) -> None:
        super()._restore(state)
        self.known_ = np.array(state["known"], dtype=np.bool_)

    def _check_estimator(self) -> str | None:
        columns = max(1, int(self.known_.sum()))
        for trees in self.estimator_._predictors:
            for tree in trees:
                nodes = tree.nodes
                inner = nodes["is_leaf"] == 0
                if nodes["is_categorical"].any() or not walkable(
                    nodes["left"], nodes["right"], nodes["feature_idx"], inner, columns
                ):
                    return "a tree leads outside itself"
        return None
