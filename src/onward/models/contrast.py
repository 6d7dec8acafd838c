"""What the models that learn differences share: two classes at least, balanced as asked."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from onward.errors import ModelError
from onward.models.classifier import ThreeClassModel
from onward.models.weighting import balanced_weights
from onward.types import FloatArray, IntArray

__all__ = ["ContrastModel"]


class ContrastModel(ThreeClassModel):
    """Base of the models that need at least two classes to learn from.

    A subclass gives ``_learn`` instead of ``_fit``, and keeps the parameters
    ``balance_directions`` and ``class_weight``.

    Attributes
    ----------
    present_
        Which of down, range, up the training rows had, shape (3,).
    """

    balance_directions: bool
    class_weight: str

    def _fit(self, data: Any, codes: IntArray, weight: FloatArray | None) -> None:
        self.present_ = np.bincount(codes, minlength=3) > 0
        if int(self.present_.sum()) < 2:
            raise ModelError(
                "the training rows hold one class only",
                got=f"class {int(codes[0]) - 1} in {len(codes)} rows",
                allowed="at least two of -1, 0, 1",
                remedy="Train on a longer time range, use fewer folds, or change the label threshold.",
            )
        weight = balanced_weights(
            codes, weight, directions=self.balance_directions, class_weight=self.class_weight
        )
        self._learn(data, codes, weight)

    @abstractmethod
    def _learn(self, data: Any, codes: IntArray, weight: FloatArray | None) -> None:
        """Learn from rows of at least two classes, weights balanced."""

    def _state(self) -> dict[str, Any]:
        return {"present": self.present_.tolist()}

    def _restore(self, state: dict[str, Any]) -> None:
        self.present_ = np.array(state["present"], dtype=np.bool_)
