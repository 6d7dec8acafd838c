"""XGBoost: gradient-boosted trees, held back as strongly as the default model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import ModelError
from onward.models.contrast import ContrastModel
from onward.models.libraries import import_library
from onward.models.rows import feature_matrix
from onward.models.softmax import softmax
from onward.models.state_file import damaged
from onward.models.threads import threads_for
from onward.types import FloatArray, IntArray

__all__ = ["XGBoostModel"]

MODEL_FILE = "model.ubj"
CURVATURE = 4 / 9
"""Second derivative of the loss of one row at equal probabilities, XGBoost's 2 p (1 - p)."""


class XGBoostModel(ContrastModel):
    """XGBoost (Chen & Guestrin 2016) with a fixed number of rounds and small trees.

    Overlapping labels leave few independent outcomes, so the defaults are those of `LightGBMModel`:
    four leaves grown best first, a quarter of the rows a round, half of the columns a tree, leaves
    of a fixed share of the rows, no early stopping. Parameters of the same name mean the same.

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
        Least share of a round's weight in a leaf. XGBoost knows no least number of rows; it is
        given the curvature of the loss that this share has before the first round, so leaves of
        rows that are already well told apart must hold more of them.
    lambda_l2
        L2 penalty on leaf values.
    balance_directions
        Weigh up and down rows so that both count the same in sum.
    class_weight
        ``balanced`` lets all classes count the same in sum; ``none`` leaves them as they are.
    seed
        Seed of row and column sampling.
    n_threads
        Most threads to use; 0 means as many as there are cores. Neither the result nor the saved
        files depend on it; a loaded model starts with 0.
    """

    name = "xgboost"
    library = "xgboost"
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
        self.balance_directions = balance_directions
        self.class_weight = class_weight
        self.seed = seed
        self.n_threads = n_threads

    def native_parameters(self, n_rows: int, n_columns: int, total_weight: float) -> dict[str, Any]:
        """Return the parameters that `xgboost.train` gets for a matrix of training rows."""
        leaf = self.min_leaf_fraction * self.bagging_fraction * total_weight
        return {
            "objective": "multi:softprob",
            "num_class": 3,
            "tree_method": "hist",
            "grow_policy": "lossguide",
            "max_depth": 0,
            "max_leaves": self.num_leaves,
            "max_bin": 63,
            "learning_rate": self.learning_rate,
            "subsample": self.bagging_fraction,
            "colsample_bytree": self.feature_fraction,
            "min_child_weight": CURVATURE * leaf,
            "reg_lambda": self.lambda_l2,
            "seed": self.seed,
            "nthread": threads_for(n_rows * n_columns, self.n_threads),
            "verbosity": 0,
        }

    def contributions(self, X: pd.DataFrame | npt.NDArray[Any]) -> FloatArray:
        """Return what each feature adds to each class's raw margin, shape (n, n_features + 1, 3).

        XGBoost's own (TreeSHAP), exact to float32: down, range, up; the last entry of the second
        axis is the base. Summed over that axis they are the raw margins, in natural-log units.

        Raises
        ------
        ModelError
            Before ``fit``, or when the columns are not those of the training rows.
        """
        xgboost = import_library("xgboost")
        self._check_fitted()
        self._check_columns(X)
        values = feature_matrix(X)
        if not len(values):
            return np.empty((0, self.n_features_in_ + 1, 3))
        threads = threads_for(values.size, self.n_threads)
        self.booster_.set_param({"nthread": threads})
        with xgboost.config_context(nthread=threads, verbosity=0):
            rows = xgboost.DMatrix(values, missing=np.nan, nthread=threads)
            each = np.asarray(self.booster_.predict(rows, pred_contribs=True, strict_shape=True))
        return np.ascontiguousarray(each.transpose(0, 2, 1), dtype=np.float64)

    def _learn(self, data: npt.NDArray[np.float32], codes: IntArray, weight: FloatArray | None) -> None:
        xgboost = import_library("xgboost")
        total = float(len(codes)) if weight is None else float(weight.sum())
        parameters = self.native_parameters(data.shape[0], data.shape[1], total)
        threads = parameters["nthread"]
        try:
            # The matrix ignores the number of threads it is told, and the training takes the matrix's.
            with xgboost.config_context(nthread=threads, verbosity=0):
                rows = xgboost.QuantileDMatrix(
                    data,
                    label=codes,
                    weight=weight,
                    missing=np.nan,
                    max_bin=parameters["max_bin"],
                    nthread=threads,
                )
                self.booster_ = xgboost.train(parameters, rows, num_boost_round=self.n_rounds)
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise ModelError(
                "XGBoost refused to train",
                got=str(error).partition("Stack trace")[0].strip(),
                remedy="Check the model's parameters.",
            ) from error

    def _probabilities(self, values: npt.NDArray[np.float32]) -> FloatArray:
        self.booster_.set_param({"nthread": threads_for(values.size, self.n_threads)})
        scores = self.booster_.inplace_predict(values, predict_type="margin", missing=np.nan)
        return softmax(scores, self.present_)  # XGBoost's own sums to 1 within float32 only

    def _gain(self) -> FloatArray:
        # Total reduction of the loss by the splits on each column, over all rounds and classes.
        totals = self.booster_.get_score(importance_type="total_gain")
        return np.array([totals.get(f"f{i}", 0.0) for i in range(self.n_features_in_)], dtype=np.float64)

    def _write_native(self, directory: Path) -> None:
        (directory / MODEL_FILE).write_bytes(self.booster_.save_raw("ubj"))

    def _read_native(self, directory: Path) -> None:
        xgboost = import_library("xgboost")
        path = directory / MODEL_FILE
        try:
            self.booster_ = xgboost.Booster(model_file=bytearray(path.read_bytes()))
            columns = self.booster_.num_features()
        except xgboost.core.XGBoostError as error:
            raise damaged(path, "XGBoost cannot read it") from error
        if columns != self.n_features_in_:
            raise damaged(path, f"a model of {columns} columns")
