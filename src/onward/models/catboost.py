"""CatBoost: gradient-boosted symmetric trees, held back as strongly as the default model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import ModelError
from onward.models.contrast import ContrastModel
from onward.models.libraries import import_library
from onward.models.ranges import require_finite
from onward.models.rows import feature_matrix
from onward.models.softmax import softmax, three_columns
from onward.models.state_file import damaged
from onward.models.threads import threads_for
from onward.types import FloatArray, IntArray

__all__ = ["CatBoostModel"]

MODEL_FILE = "model.cbm"
PASSING = ("model_guid", "output_options", "params", "train_finish_time", "training")
"""What CatBoost notes about the hour, the machine and the threads of a training: no part of it
predicts, and two trainings of the same rows are to be the same bytes."""


class CatBoostModel(ContrastModel):
    """CatBoost (Prokhorenkova et al. 2018) with a fixed number of rounds and shallow symmetric trees.

    A symmetric tree asks the same questions of every row, which holds it back further than a
    tree with as many leaves; on few independent outcomes that is an advantage. Plain boosting,
    one Newton step a leaf, no early stopping. Parameters that `LightGBMModel` has too mean the same.

    Parameters
    ----------
    n_rounds
        Boosting rounds (one tree each, a value a class in every leaf).
    learning_rate
        Shrinkage of each tree.
    depth
        Questions a tree asks: 2 gives four leaves.
    bagging_fraction
        Share of the rows each round sees.
    feature_fraction
        Share of the columns each question may be about.
    lambda_l2
        L2 penalty on leaf values.
    random_strength
        How much noise, falling with the rounds, is added to the score of a split.
    balance_directions
        Weigh up and down rows so that both count the same in sum.
    class_weight
        ``balanced`` lets all classes count the same in sum; ``none`` leaves them as they are.
    seed
        Seed of sampling and of the noise.
    n_threads
        Most threads to use; 0 means as many as there are cores. Neither the result nor the saved
        files depend on it; a loaded model starts with 0.
    """

    name = "catboost"
    library = "catboost"
    native_files = (MODEL_FILE,)

    def __init__(
        self,
        *,
        n_rounds: int = 100,
        learning_rate: float = 0.03,
        depth: int = 2,
        bagging_fraction: float = 0.25,
        feature_fraction: float = 0.5,
        lambda_l2: float = 10.0,
        random_strength: float = 1.0,
        balance_directions: bool = True,
        class_weight: str = "none",
        seed: int = 0,
        n_threads: int = 0,
    ) -> None:
        self.n_rounds = n_rounds
        self.learning_rate = learning_rate
        self.depth = depth
        self.bagging_fraction = bagging_fraction
        self.feature_fraction = feature_fraction
        self.lambda_l2 = lambda_l2
        self.random_strength = random_strength
        self.balance_directions = balance_directions
        self.class_weight = class_weight
        self.seed = seed
        self.n_threads = n_threads

    def native_parameters(self, n_rows: int, n_columns: int) -> dict[str, Any]:
        """Return the parameters that `catboost.CatBoost` gets for a matrix of training rows."""
        return {
            "loss_function": "MultiClass",
            "iterations": self.n_rounds,
            "learning_rate": self.learning_rate,
            "depth": self.depth,
            "bootstrap_type": "Bernoulli",
            "subsample": self.bagging_fraction,
            "rsm": self.feature_fraction,
            "l2_leaf_reg": self.lambda_l2,
            "random_strength": self.random_strength,
            "boosting_type": "Plain",
            "leaf_estimation_iterations": 1,
            "border_count": 63,
            "random_seed": self.seed,
            "thread_count": threads_for(n_rows * n_columns, self.n_threads),
            "allow_writing_files": False,
            "logging_level": "Silent",
        }

    def contributions(self, X: pd.DataFrame | npt.NDArray[Any]) -> FloatArray:
        """Return what each feature adds to each class's raw margin, shape (n, n_features + 1, 3).

        CatBoost's own (``ShapValues``): down, range, up; the last entry of the second axis is the
        base. Summed over that axis they are the raw margins, in natural-log units; a class that
        the training rows did not have gets 0.

        Raises
        ------
        ModelError
            Before ``fit``, or when the columns are not those of the training rows.
        """
        catboost = import_library("catboost")
        self._check_fitted()
        self._check_columns(X)
        values = feature_matrix(X)
        every = np.zeros((len(values), self.n_features_in_ + 1, len(self.present_)))
        if not len(values):
            return every
        # Left to itself, it computes many rows otherwise than few, and the last digits differ.
        every[:, :, self.present_] = self.booster_.get_feature_importance(
            catboost.Pool(values),
            type="ShapValues",
            shap_mode="UsePreCalc",
            thread_count=threads_for(values.size, self.n_threads),
        ).transpose(0, 2, 1)
        return every

    def _learn(self, data: npt.NDArray[np.float32], codes: IntArray, weight: FloatArray | None) -> None:
        catboost = import_library("catboost")
        require_finite("random_strength", self.random_strength)
        parameters = self.native_parameters(*data.shape)
        # It complains aloud about classes that are declared and absent, so it is told of the others.
        labels = (np.cumsum(self.present_) - 1)[codes]
        try:
            rows = catboost.Pool(data, labels, weight=weight, thread_count=parameters["thread_count"])
            self.booster_ = catboost.CatBoost(parameters).fit(rows)
            self.gain_ = np.asarray(
                self.booster_.get_feature_importance(
                    type="PredictionValuesChange", thread_count=parameters["thread_count"]
                ),
                dtype=np.float64,
            )
        except catboost.CatBoostError as error:
            raise ModelError(
                "CatBoost refused to train", got=str(error), remedy="Check the model's parameters."
            ) from error

    def _probabilities(self, values: npt.NDArray[np.float32]) -> FloatArray:
        scores = self.booster_.predict(
            values, prediction_type="RawFormulaVal", thread_count=threads_for(values.size, self.n_threads)
        )
        return softmax(three_columns(scores, self.present_), self.present_)

    def _gain(self) -> FloatArray:
        return self.gain_

    def _state(self) -> dict[str, Any]:
        return {**super()._state(), "gain": self.gain_.tolist()}

    def _restore(self, state: dict[str, Any]) -> None:
        super()._restore(state)
        self.gain_ = np.array(state["gain"], dtype=np.float64)

    def _write_native(self, directory: Path) -> None:
        metadata = self.booster_.get_metadata()
        for key in PASSING:
            if key in metadata.keys():  # noqa: SIM118 - it knows no other way to ask
                del metadata[key]
        self.booster_.save_model(str(directory / MODEL_FILE), format="cbm")

    def _read_native(self, directory: Path) -> None:
        catboost = import_library("catboost")
        path = directory / MODEL_FILE
        try:
            self.booster_ = catboost.CatBoost().load_model(str(path), format="cbm")
        except catboost.CatBoostError as error:
            raise damaged(path, "CatBoost cannot read it") from error
        if len(self.booster_.feature_names_) != self.n_features_in_:
            raise damaged(path, f"a model of {len(self.booster_.feature_names_)} columns")
