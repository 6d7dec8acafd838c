"""Gradient-boosted trees, strongly regularised: the default model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import BundleError, ModelError
from onward.models.contrast import ContrastModel
from onward.models.libraries import import_library
from onward.models.rows import feature_matrix
from onward.models.threads import threads_for
from onward.types import FloatArray, IntArray

__all__ = ["LightGBMModel"]

MODEL_FILE = "model.txt"
THREADS = re.compile(r"^\[num_threads: \d+\]$", flags=re.MULTILINE)

BINNING = {
    "max_bin": 63,
    "data_random_seed": 1,  # the seed of a fit must not move the bins that fits share
    "feature_pre_filter": False,  # else the bins would depend on the least size of a leaf
}
"""What shapes the bins: alike for every fit, so that all fits of the same rows can share them."""


class LightGBMModel(ContrastModel):
    """LightGBM with a fixed number of rounds and small trees.

    Overlapping labels make a market history much shorter than it looks (4,000 hourly bars at a
    24-bar horizon hold some 167 independent outcomes), so the defaults are far stronger
    regularised than the library's: four leaves, a quarter of the rows and half of the columns a
    tree, leaves of at least a fixed share of the rows. The number of rounds is fixed because a
    validation tail short enough to spare is too noisy to stop on.

    Parameters
    ----------
    n_rounds
        Boosting rounds (three trees each, one a class).
    learning_rate
        Shrinkage of each tree.
    num_leaves
        Leaves a tree.
    bagging_fraction
        Share of the rows each round sees.
    feature_fraction
        Share of the columns each tree sees.
    min_leaf_fraction
        Least share of a round's rows in a leaf.
    lambda_l2
        L2 penalty on leaf values.
    extra_trees
        Try one random threshold a column at each split (Geurts, Ernst & Wehenkel 2006). Averaged over
        many small trees this gives smoother functions than always taking the threshold that fits
        the few independent labels best: on the planted signal the AUC rises from 0.681 to 0.685.
    balance_directions
        Weigh up and down rows so that both count the same in sum. The drift of the training rows
        says little about the next ones, and in a k-fold it is opposed to the drift of the rows
        held out: left in, it ranks whole folds against each other the wrong way round.
    class_weight
        ``balanced`` lets all classes count the same in sum; ``none`` leaves them as they are.
    seed
        Seed of bagging and column sampling.
    n_threads
        Most threads to use; 0 means as many as there are cores. Neither the result nor the saved
        files depend on it; a loaded model starts with 0.
    """

    name = "lightgbm"
    library = "lightgbm"
    native_files = (MODEL_FILE,)

    def __init__(
        self,
        *,
        n_rounds: int = 100,
        learning_rate: float = 0.03,
        num_leaves: int = 4,
        bagging_fraction: float = 0.25,
        feature_fraction: float = 0.5,
        min_leaf_fraction: float = 0.1,
        lambda_l2: float = 10.0,
        extra_trees: bool = True,
        balance_directions: bool = True,
        class_weight: str = "none",
        seed: int = 0,
        n_threads: int = 0,
    ) -> None:
        self.n_rounds = n_rounds
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.bagging_fraction = bagging_fraction
        self.feature_fraction = feature_fraction
        self.min_leaf_fraction = min_leaf_fraction
        self.lambda_l2 = lambda_l2
        self.extra_trees = extra_trees
        self.balance_directions = balance_directions
        self.class_weight = class_weight
        self.seed = seed
        self.n_threads = n_threads

    def native_parameters(self, n_rows: int, n_columns: int) -> dict[str, Any]:
        """Return the parameters that `lightgbm.train` gets for a matrix of training rows."""
        return {
            "objective": "multiclass",
            "num_class": 3,
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "bagging_fraction": self.bagging_fraction,
            "bagging_freq": 1,
            "feature_fraction": self.feature_fraction,
            "min_data_in_leaf": max(1, int(self.min_leaf_fraction * self.bagging_fraction * n_rows)),
            "lambda_l2": self.lambda_l2,
            "extra_trees": self.extra_trees,
            **BINNING,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": threads_for(n_rows * n_columns, self.n_threads),
            "verbosity": -1,
        }

    def contributions(self, X: pd.DataFrame | npt.NDArray[Any]) -> FloatArray:
        """Return what each feature adds to each class's raw margin, shape (n, n_features + 1, 3).

        LightGBM's own (TreeSHAP): down, range, up; the last entry of the second axis is the base.
        Summed over that axis they are the raw margins, in natural-log units.

        Raises
        ------
        ModelError
            Before ``fit``, or when the columns are not those of the training rows.
        """
        self._check_fitted()
        self._check_columns(X)
        values = feature_matrix(X)
        if not len(values):
            return np.empty((0, self.n_features_in_ + 1, 3))
        threads = threads_for(values.size, self.n_threads)
        flat = np.asarray(self.booster_.predict(values, pred_contrib=True, num_threads=threads))
        return np.ascontiguousarray(flat.reshape(len(values), 3, -1).transpose(0, 2, 1), dtype=np.float64)

    def _preparation_settings(self) -> Mapping[str, Any]:
        return BINNING

    def _prepare(self, values: npt.NDArray[np.float32], codes: IntArray) -> Any:
        lightgbm = import_library("lightgbm")
        parameters = self.native_parameters(*values.shape)
        try:
            return lightgbm.Dataset(values, codes, params=parameters, free_raw_data=True).construct()
        except lightgbm.basic.LightGBMError as error:
            raise _refused(error) from error

    def _learn(self, data: Any, codes: IntArray, weight: FloatArray | None) -> None:  # noqa: ARG002 - the dataset holds the classes
        lightgbm = import_library("lightgbm")
        # Not set_weight: it leaves the weights of the last fit where they are when told None.
        data.set_field("weight", None if weight is None else weight.astype(np.float32))
        parameters = self.native_parameters(data.num_data(), data.num_feature())
        try:
            self.booster_ = lightgbm.train(parameters, data, num_boost_round=self.n_rounds)
        except lightgbm.basic.LightGBMError as error:
            raise _refused(error) from error

    def _probabilities(self, values: npt.NDArray[np.float32]) -> FloatArray:
        threads = threads_for(values.size, self.n_threads)
        raw = np.asarray(self.booster_.predict(values, num_threads=threads), dtype=np.float64)
        if self.present_.all():
            return raw
        raw[:, ~self.present_] = 0.0  # LightGBM gives a class it never saw about 1e-15
        probabilities: FloatArray = raw / raw.sum(axis=1, keepdims=True)
        return probabilities

    def _gain(self) -> FloatArray:
        # Total reduction of the loss by the splits on each column, over all rounds and classes.
        return np.asarray(self.booster_.feature_importance(importance_type="gain"), dtype=np.float64)

    def _write_native(self, directory: Path) -> None:
        # LightGBM notes the number of threads beside the trees; models that predict the same are
        # to be the same bytes.
        text = THREADS.sub("[num_threads: 0]", self.booster_.model_to_string())
        (directory / MODEL_FILE).write_text(text, encoding="utf-8", newline="\n")

    def _read_native(self, directory: Path) -> None:
        lightgbm = import_library("lightgbm")
        try:
            self.booster_ = lightgbm.Booster(model_str=(directory / MODEL_FILE).read_text(encoding="utf-8"))
        except lightgbm.basic.LightGBMError as error:
            raise BundleError(
                "LightGBM cannot read the model file",
                got=str(error),
                allowed="the text LightGBM wrote",
                remedy="Restore the bundle from its export, or train again.",
            ) from error


def _refused(error: Exception) -> ModelError:
    return ModelError("LightGBM refused to train", got=str(error), remedy="Check the model's parameters.")
