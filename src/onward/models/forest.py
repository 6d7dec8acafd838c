"""Forests of scikit-learn: averages of many trees, each on a share of the rows."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from onward.models.libraries import import_library
from onward.models.scikit import ScikitModel, refusals
from onward.models.softmax import three_columns
from onward.models.threads import threads_for
from onward.models.tree_arrays import walkable
from onward.types import FloatArray, IntArray

__all__ = ["ExtraTreesModel", "ForestModel", "RandomForestModel"]

TREE = "sklearn.tree._tree.Tree"
NO_CHILD = -1


class ForestModel(ScikitModel):
    """Base of the forests.

    A forest averages instead of adding up, so more trees never overfit; what overfits is the tree.
    The library's own trees grow until every leaf is pure, which on overlapping labels means
    learning single outcomes by heart (neighbouring rows share them, so the out-of-bag score does not
    notice). These stop at leaves of a fixed share of the tree's rows, and each tree sees a quarter
    of the rows, about as many as there are independent outcomes to go round.

    Parameters
    ----------
    n_trees
        Trees.
    bagging_fraction
        Rows drawn for each tree, with replacement, as a share of all.
    feature_fraction
        Share of the columns each split may choose from.
    min_leaf_fraction
        Least share of a tree's rows in a leaf.
    balance_directions
        Weigh up and down rows so that both count the same in sum.
    class_weight
        ``balanced`` lets all classes count the same in sum; ``none`` leaves them as they are.
    seed
        Seed of row and column sampling.
    n_threads
        Most threads to use; 0 means as many as there are cores. Neither the result nor the saved
        files depend on it; a loaded model starts with 0.

    Notes
    -----
    NaN is handled by the trees: each split learns to which side it sends what is not known.
    """

    part_types: ClassVar[tuple[str, ...]] = (TREE,)

    def __init__(
        self,
        *,
        n_trees: int = 200,
        bagging_fraction: float = 0.25,
        feature_fraction: float = 0.5,
        min_leaf_fraction: float = 0.1,
        balance_directions: bool = True,
        class_weight: str = "none",
        seed: int = 0,
        n_threads: int = 0,
    ) -> None:
        self.n_trees = n_trees
        self.bagging_fraction = bagging_fraction
        self.feature_fraction = feature_fraction
        self.min_leaf_fraction = min_leaf_fraction
        self.balance_directions = balance_directions
        self.class_weight = class_weight
        self.seed = seed
        self.n_threads = n_threads

    @abstractmethod
    def _forest(self, parameters: dict[str, Any]) -> Any:
        """Return the unfitted forest."""

    def native_parameters(self, n_rows: int, n_columns: int) -> dict[str, Any]:
        """Return the arguments of the scikit-learn forest for a matrix of training rows."""
        drawn = max(1, int(self.bagging_fraction * n_rows))
        return {
            "n_estimators": self.n_trees,
            "bootstrap": True,
            "max_samples": drawn,
            "max_features": self.feature_fraction,
            "min_samples_leaf": max(1, int(self.min_leaf_fraction * drawn)),
            "random_state": self.seed,
            "n_jobs": threads_for(n_rows * n_columns, self.n_threads),
        }

    def _learn(self, data: npt.NDArray[np.float32], codes: IntArray, weight: FloatArray | None) -> None:
        with refusals(self.name):
            forest = self._forest(self.native_parameters(*data.shape))
            self.estimator_ = forest.fit(data, codes, sample_weight=weight)
        self.estimator_.set_params(n_jobs=None)  # part of the file, and no part of the model

    def _probabilities(self, values: npt.NDArray[np.float32]) -> FloatArray:
        # Not forest.predict_proba: its threads add the trees up in whatever order they finish.
        # Here threads share out the rows, and every row adds the trees up in their order.
        threads = min(threads_for(values.size, self.n_threads), len(values))
        blocks = np.array_split(values, threads)
        if threads == 1:
            return self._mean_of_trees(values)
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(self._mean_of_trees, blocks)))

    def _mean_of_trees(self, values: npt.NDArray[np.float32]) -> FloatArray:
        total = np.zeros((len(values), int(self.present_.sum())))
        for tree in self.estimator_.estimators_:
            total += tree.predict_proba(values, check_input=False)
        # Divided by their own sum: rows then sum to 1 as closely as float64 allows.
        return three_columns(total / total.sum(axis=1, keepdims=True), self.present_)

    def _gain(self) -> FloatArray:
        # Mean decrease of impurity by the splits on each column. Not feature_importances_: it scales
        # every tree to 1 first, so that trees that found nothing say as much as those that did.
        decreases = [
            tree.tree_.compute_feature_importances(normalize=False) for tree in self.estimator_.estimators_
        ]
        return np.asarray(np.mean(decreases, axis=0), dtype=np.float64)

    def _check_estimator(self) -> str | None:
        forest = self.estimator_
        classes = int(self.present_.sum())
        if not forest.estimators_:
            return "a forest without trees"
        for number, estimator in enumerate(forest.estimators_):
            tree = estimator.tree_
            if (tree.n_features, tree.n_outputs, int(tree.n_classes[0])) != (self.n_features_in_, 1, classes):
                return f"tree {number} is of another shape"
            inner = (tree.children_left != NO_CHILD) | (tree.children_right != NO_CHILD)
            if not walkable(
                tree.children_left, tree.children_right, tree.feature, inner, self.n_features_in_
            ):
                return f"tree {number} leads outside itself"
        return None


class RandomForestModel(ForestModel):
    """Random forest (Breiman 2001), with small trees; `ForestModel` tells the parameters and why."""

    name = "random_forest"
    estimator_type = "sklearn.ensemble._forest.RandomForestClassifier"
    part_types = (TREE, "sklearn.tree._classes.DecisionTreeClassifier")

    def _forest(self, parameters: dict[str, Any]) -> Any:
        return import_library("sklearn.ensemble").RandomForestClassifier(**parameters)


class ExtraTreesModel(ForestModel):
    """Extremely randomised trees (Geurts, Ernst & Wehenkel 2006), with small trees.

    One random threshold a column is tried at each split instead of every one: less variance,
    smoother functions. Unlike the library's, each tree sees a share of the rows only.
    `ForestModel` tells the parameters and why.
    """

    name = "extra_trees"
    estimator_type = "sklearn.ensemble._forest.ExtraTreesClassifier"
    part_types = (TREE, "sklearn.tree._classes.ExtraTreeClassifier")

    def _forest(self, parameters: dict[str, Any]) -> Any:
        return import_library("sklearn.ensemble").ExtraTreesClassifier(**parameters)
