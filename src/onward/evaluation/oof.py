"""Out-of-fold predictions: what every row's fold predicted for it without having seen it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd

from onward.errors import ModelError
from onward.types import CLASSES, FloatArray, Fold, IntArray, Spans, from_ns

__all__ = ["CLASS_NAMES", "OutOfFold", "mutual_training"]

CLASS_NAMES = ("down", "range", "up")


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Pooled predictions of the scored rows.

    Attributes
    ----------
    spans
        Spans of the scored rows, in row order.
    fold
        Number of the fold that scored each row, shape (n,).
    y
        What came true: -1, 0, 1, shape (n,), as the fold's own labeler saw it.
    probability
        Predicted probabilities of down, range and up, shape (n, 3).
    prior
        Class frequencies of the training rows of each row's fold, shape (n, 3).
    baselines
        Probabilities of naive rules on the same rows, by name, each of shape (n, 3).
    mutual
        How mutually the folds were trained, from `mutual_training`: 1 when each fold learnt from
        the outcomes of all others (k-fold, and the careful assumption when nothing is said), 0
        when none did so both ways (walk-forward).

    Raises
    ------
    ModelError
        When shapes disagree, a class is unknown, or rows are not probabilities.
    """

    spans: Spans
    fold: IntArray
    y: IntArray
    probability: FloatArray
    prior: FloatArray
    baselines: Mapping[str, FloatArray] = field(default_factory=dict)
    mutual: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "baselines", MappingProxyType(dict(self.baselines)))
        n = len(self.spans)
        if not 0.0 <= self.mutual <= 1.0:
            raise ModelError("mutual is no share", got=self.mutual, allowed="0 to 1")
        if n == 0:
            raise ModelError("no row was scored", remedy="Use a longer time range or fewer folds.")
        if np.shape(self.y) != (n,) or np.shape(self.fold) != (n,):
            raise ModelError(
                "scored rows disagree in number",
                got=f"{n} spans, outcomes {np.shape(self.y)}, folds {np.shape(self.fold)}",
                allowed="one of each a row",
                remedy="Pass the test rows of all folds in one order.",
            )
        if not np.isin(self.y, CLASSES).all():
            raise ModelError(
                "outcomes are not classes",
                got=f"values {np.unique(self.y)[:5].tolist()}",
                allowed="one of -1, 0, 1 a row",
                remedy="Score class labels only.",
            )
        _check_probabilities("predictions", self.probability, n)
        _check_probabilities("priors", self.prior, n)
        for name, probability in self.baselines.items():
            _check_probabilities(f"baseline {name!r}", probability, n)

    def __len__(self) -> int:
        return len(self.y)

    def __reduce__(self) -> tuple[object, ...]:
        arrays = (self.spans, self.fold, self.y, self.probability, self.prior)
        return (OutOfFold, (*arrays, dict(self.baselines), self.mutual))

    @property
    def folds(self) -> tuple[int, ...]:
        """Numbers of the folds that scored rows, ascending."""
        return tuple(int(f) for f in np.unique(self.fold))

    def take(self, rows: IntArray | np.ndarray) -> OutOfFold:
        """Return the predictions of some rows, given by position or mask."""
        return OutOfFold(
            self.spans.take(rows),
            self.fold[rows],
            self.y[rows],
            self.probability[rows],
            self.prior[rows],
            {name: probability[rows] for name, probability in self.baselines.items()},
            self.mutual,
        )

    def frame(self) -> pd.DataFrame:
        """Return one row a scored bar, indexed like the spans.

        Columns: ``decision_time`` and ``outcome_time`` (UTC), ``fold``, ``outcome`` (-1, 0, 1),
        ``down range up``, ``prior_down prior_range prior_up``, and ``<name>_down`` and so on for
        each naive rule.
        """
        columns: dict[str, object] = {
            "decision_time": from_ns(self.spans.start),
            "outcome_time": from_ns(self.spans.end),
            "fold": self.fold,
            "outcome": self.y,
        }
        parts = {"": self.probability, "prior_": self.prior}
        parts |= {f"{name}_": probability for name, probability in self.baselines.items()}
        for prefix, probability in parts.items():
            for j, class_name in enumerate(CLASS_NAMES):
                columns[prefix + class_name] = probability[:, j]
        return pd.DataFrame(columns, index=self.spans.index)


def mutual_training(folds: Sequence[Fold]) -> float:
    """Return how mutually folds are trained, 0 (walk-forward) to 1 (k-fold).

    Of all training that a fold gets from the rows that another one is scored on, the share that
    goes both ways. When fold A learns from B and B from A, one chance likeness of the two counts
    twice in the pooled score, which the null band has to know (see `onward.evaluation.null`).
    """
    learns = np.array(
        [
            [np.isin(other.test, fold.train).mean() if other is not fold else 0.0 for other in folds]
            for fold in folds
        ]
    )
    given = float((learns**2).sum())
    return min(1.0, float((learns * learns.T).sum()) / given) if given > 0 else 0.0


def _check_probabilities(what: str, probability: FloatArray, n_rows: int) -> None:
    shape = np.shape(probability)
    if shape != (n_rows, len(CLASSES)):
        raise ModelError(f"{what} have the wrong shape", got=shape, allowed=f"({n_rows}, {len(CLASSES)})")
    if not (np.isfinite(probability).all() and (probability >= 0).all()):
        raise ModelError(f"{what} hold negative or unknown values", allowed="probabilities between 0 and 1")
    if np.abs(probability.sum(axis=1) - 1.0).max() > 1e-6:
        raise ModelError(
            f"{what} do not sum to 1", got=float(probability.sum(axis=1).min()), allowed="1 a row"
        )
