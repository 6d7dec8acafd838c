"""The trees of a LightGBM model, to be asked about displaced columns all at once.

Permutation importance asks the same trees about the same rows again and again, with one column
exchanged each time. The probabilities are those of ``predict_proba``; what is saved is walking
through the trees that do not ask about the column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from onward.kernels.trees import MOST_LEAVES, exchanged_margins
from onward.models import LightGBMModel
from onward.models.softmax import softmax
from onward.types import BoolArray, FloatArray, IntArray

__all__ = ["Forest"]

N_CLASSES = 3
DEFAULT_LEFT, MISSING_SHIFT = 2, 2
"""In LightGBM's ``decision_type``: the bit that sends missing values left, and where it is said which
values are missing, in the numbers that the kernel takes."""

NODES = ("split_feature", "threshold", "decision_type", "left_child", "right_child")


@dataclass(frozen=True, eq=False)
class Forest:
    """The trees of a three-class model as `onward.kernels.trees.exchanged_margins` takes them.

    Attributes
    ----------
    present
        Which of down, range, up the model learnt, shape (3,).
    n_columns
        Columns that it was fitted on.
    trees
        Leaves of each tree, then the nodes and leaves of all: the last arguments of the kernel.
    """

    present: BoolArray
    n_columns: int
    trees: tuple[npt.NDArray[Any], ...]

    @classmethod
    def of(cls, model: Any) -> Self | None:
        """Return the trees of a fitted model; None when there is more to it than small plain trees.

        Ensembles and calibrated models, other libraries, categories, linear leaves and trees of more
        than 64 leaves are asked through ``predict_proba``.
        """
        if type(model) is not LightGBMModel:
            return None
        text: str = model.booster_.model_to_string()
        head, *trees = text.partition("\nend of trees")[0].split("\nTree=")
        if "average_output" in head or f"num_tree_per_iteration={N_CLASSES}\n" not in head:
            return None
        nodes: dict[str, list[str]] = {name: [] for name in NODES}
        leaves: list[str] = []
        n_leaves = []
        for tree in trees:
            fields = dict(line.split("=", 1) for line in tree.split("\n") if "=" in line)
            n = int(fields["num_leaves"])
            if n > MOST_LEAVES or fields["num_cat"] != "0" or fields.get("is_linear", "0") != "0":
                return None
            n_leaves.append(n)
            leaves.append(fields["leaf_value"])
            if n > 1:
                for name, found in nodes.items():
                    found.append(fields[name])
        column, threshold, decision, left, right = (_numbers(found) for found in nodes.values())
        bits = decision.astype(np.int64)
        return cls(
            present=np.asarray(model.present_, dtype=np.bool_),
            n_columns=int(model.n_features_in_),
            trees=(
                np.array(n_leaves, dtype=np.int64),
                column.astype(np.int64),
                threshold,
                left.astype(np.int64),
                right.astype(np.int64),
                bits >> MISSING_SHIFT,
                bits & DEFAULT_LEFT,
                _numbers(leaves),
            ),
        )

    def displaced(
        self, values: npt.NDArray[Any], sources: IntArray, subjects: Sequence[IntArray]
    ) -> tuple[FloatArray, list[FloatArray]]:
        """Return the probabilities of rows as they are, and with the columns of each subject displaced.

        Parameters
        ----------
        values
            Shape (n, n_columns), as ``predict_proba`` takes them.
        sources
            The rows that each row gets the values of displaced columns from, shape (n_repeats, n).
        subjects
            Columns to be displaced together, by position.

        Returns
        -------
        tuple
            Shape (n, 3), and of each subject shape (n_repeats, n, 3).
        """
        known = np.ascontiguousarray(values.T, dtype=np.float64)
        base = np.empty((len(values), N_CLASSES))
        found: list[FloatArray] = [np.empty(0)] * len(subjects)
        for chosen in _apart(subjects, self.n_columns):
            group = np.full(self.n_columns, -1, dtype=np.int64)
            for number, subject in enumerate(chosen):
                group[subjects[subject]] = number
            margins, other = exchanged_margins(known, sources, group, len(chosen), N_CLASSES, *self.trees)
            base = softmax(margins.T, self.present)
            for number, subject in enumerate(chosen):
                said = softmax(other[number].reshape(N_CLASSES, -1).T, self.present)
                found[subject] = said.reshape(*sources.shape, N_CLASSES)
        return base, found


def _apart(subjects: Sequence[IntArray], n_columns: int) -> list[list[int]]:
    """Return the numbers of subjects in turns, so that those of one turn share no column."""
    turns: list[list[int]] = []
    taken: list[BoolArray] = []
    for number, places in enumerate(subjects):
        free = next((k for k, used in enumerate(taken) if not used[places].any()), len(turns))
        if free == len(turns):
            turns.append([])
            taken.append(np.zeros(n_columns, dtype=np.bool_))
        turns[free].append(number)
        taken[free][places] = True
    return turns or [[]]


def _numbers(parts: Sequence[str]) -> FloatArray:
    return np.array(" ".join(parts).split(), dtype=np.float64)
