"""What every calibrator shares: checked probabilities, plain state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from onward.errors import BundleError, ModelError
from onward.types import CLASSES, FloatArray, IntArray

__all__ = ["Calibrator", "checked_probabilities", "dot", "log_odds", "normalised"]

SUM_TOLERANCE = 1e-6
CLOSEST = 1e-12
"""Probabilities nearer to 0 or 1 than this are taken to be this near where a logarithm needs it."""


class Calibrator(ABC):
    """Learns on rows a model was not fitted on how its probabilities come true, and corrects them.

    Promises: a row's output ignores its batch; probabilities stay between 0 and 1 and sum to 1; a
    class of probability 0 keeps it (the model never saw it); the same rows give the same
    calibrator; the JSON round trip changes no bit.
    """

    name: ClassVar[str]

    def fit(
        self,
        probability: FloatArray,
        y: npt.NDArray[Any],
        weight: FloatArray | None = None,
        effective_n: float | None = None,
    ) -> Self:
        """Learn from out-of-fold probabilities.

        Parameters
        ----------
        probability
            Probabilities of down, range, up, shape (n, 3), rows summing to 1, from models that saw
            neither these rows nor any that overlap them.
        y
            What happened: -1, 0, 1, shape (n,).
        weight
            Sample weights, shape (n,), not negative; rows of weight zero do not count.
        effective_n
            How many independent outcomes the rows hold: with overlapping labels the sum of their
            average uniqueness, far less than n. None takes n.

        Raises
        ------
        ModelError
            When the arrays disagree or hold anything else, no row counts, or there is too little
            to learn from.
        """
        values = checked_probabilities(probability)
        codes, weights = _outcomes(y, weight, len(values))
        counts = weights > 0
        n = float(counts.sum()) if effective_n is None else float(effective_n)
        if not np.isfinite(n) or n <= 0:
            raise ModelError(
                "the effective number of outcomes is unusable",
                got=n,
                allowed="a finite number above 0",
                remedy="Pass the sum of the labels' average uniqueness, or leave it out.",
            )
        weights = weights[counts]
        # A power of two apart, weights that were all multiplied by the same number give the same.
        self._fit(values[counts], codes[counts], weights / weights.mean(), min(n, float(counts.sum())))
        self.fitted_ = True
        return self

    def transform(self, probability: FloatArray) -> FloatArray:
        """Return corrected probabilities, shape (n, 3).

        Raises
        ------
        ModelError
            Before ``fit``, or when the input is not probabilities.
        """
        self._check_fitted()
        values = checked_probabilities(probability)
        return self._transform(values) if len(values) else values

    def to_json(self) -> dict[str, Any]:
        """Return name and what was learnt as plain JSON values."""
        self._check_fitted()
        return {"name": self.name, **self._state()}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        """Rebuild what `to_json` gave.

        Raises
        ------
        BundleError
            When the state is of another calibrator, or incomplete.
        """
        try:
            if state["name"] != cls.name:
                raise BundleError(
                    "the state is of another calibrator",
                    got=state["name"],
                    allowed=cls.name,
                    remedy="Rebuild it with calibrator_from_json.",
                )
            calibrator = cls()
            calibrator._restore(state)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"the state of the {cls.name} calibrator is damaged",
                got=f"{type(error).__name__}: {error}",
                allowed="what to_json gave",
                remedy="Restore the bundle from its export, or train again.",
            ) from error
        calibrator.fitted_ = True
        return calibrator

    @abstractmethod
    def _fit(self, probability: FloatArray, codes: IntArray, weight: FloatArray, n: float) -> None:
        """Learn from checked rows; ``codes`` 0, 1, 2, ``weight`` of mean 1, ``n`` effective rows."""

    @abstractmethod
    def _transform(self, probability: FloatArray) -> FloatArray:
        """Return corrected probabilities of checked rows."""

    def _state(self) -> dict[str, Any]:
        return {}

    def _restore(self, state: dict[str, Any]) -> None:  # noqa: B027 - a hook
        """Take back what `_state` gave."""

    def _check_fitted(self) -> None:
        if not hasattr(self, "fitted_"):
            raise ModelError(f"the {self.name} calibrator was not fitted yet", remedy="Call fit first.")


def dot(left: FloatArray, right: FloatArray) -> float:
    """Return the sum of products, always added up in the same order.

    BLAS shares long sums out between as many threads as it finds, and the bits follow their number.
    """
    return float((left * right).sum())


def log_odds(probability: FloatArray) -> FloatArray:
    """Return ``log(p / (1 - p))``, finite at 0 and 1 too."""
    inside = np.clip(probability, CLOSEST, 1.0 - CLOSEST)
    odds: FloatArray = np.log(inside) - np.log1p(-inside)
    return odds


def checked_probabilities(probability: FloatArray) -> FloatArray:
    """Return probabilities as a C-contiguous float64 matrix (n, 3), rows summing to 1."""
    try:
        values = np.ascontiguousarray(probability, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _no_probabilities(str(error)) from error
    if values.ndim != 2 or values.shape[1] != len(CLASSES):
        raise _no_probabilities(f"shape {values.shape}")
    # Written so that NaN fails too.
    inside = (values >= 0).all() and (values <= 1 + SUM_TOLERANCE).all()
    if not inside or not (np.abs(values.sum(axis=1) - 1.0) <= SUM_TOLERANCE).all():
        raise _no_probabilities("values below 0 or above 1, NaN, or rows that do not sum to 1")
    return values


def normalised(scores: FloatArray, original: FloatArray) -> FloatArray:
    """Return scores scaled to sum to 1 a row; classes of probability 0 keep it.

    A row whose scores are all 0 has nothing to scale and keeps its original probabilities.
    """
    kept = np.where(original > 0, scores, 0.0)
    total = kept.sum(axis=1, keepdims=True)
    empty = total[:, 0] == 0
    kept[empty] = original[empty]
    total[empty] = original[empty].sum(axis=1, keepdims=True)
    result: FloatArray = np.minimum(kept / total, 1.0)
    return result


def _outcomes(y: npt.NDArray[Any], weight: FloatArray | None, n_rows: int) -> tuple[IntArray, FloatArray]:
    classes = np.asarray(y)
    if classes.shape != (n_rows,) or not np.isin(classes, CLASSES).all():
        raise ModelError(
            "the outcomes are not classes",
            got=f"{classes.dtype} array of shape {classes.shape}",
            allowed=f"one of -1, 0, 1 for each of {n_rows} rows",
            remedy="Pass the labels of the rows the probabilities are for.",
        )
    weights = np.ones(n_rows) if weight is None else np.asarray(weight, dtype=np.float64)
    usable = weights.shape == (n_rows,) and bool(np.isfinite(weights).all()) and bool((weights >= 0).all())
    if not usable or not weights.any():
        raise ModelError(
            "there is nothing to calibrate on" if n_rows == 0 else "the sample weights are unusable",
            got=f"{n_rows} rows, weights of shape {weights.shape}",
            allowed="finite weights, none negative, not all zero",
            remedy="Use more rows, or leave the weights out.",
        )
    return classes.astype(np.int64) + 1, weights


def _no_probabilities(got: str) -> ModelError:
    return ModelError(
        "these are not probabilities of down, range, up",
        got=got,
        allowed="shape (n, 3), between 0 and 1, rows summing to 1",
        remedy="Pass what predict_proba gave.",
    )
