"""The retraining schedule that folds amount to: when each model was fitted, on what, and what it scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from onward.errors import SplitError
from onward.types import Fold, IntArray, Spans, from_ns

__all__ = ["RetrainingSchedule"]


@dataclass(frozen=True, eq=False)
class RetrainingSchedule:
    """What a walk-forward run did, one entry a retrain, in order of time.

    Attributes
    ----------
    fold
        Number of the fold, shape (n,).
    trained_from, trained_until
        First and last decision time of its training rows, ns UTC, shape (n,).
    known_at
        Moment at which the last of their outcomes was known, ns UTC: before ``scored_from``.
    scored_from, scored_until
        First and last decision time that it scored, ns UTC, shape (n,).
    n_train, n_test
        Its training and scored rows, shape (n,).
    n_unscored
        Labelled rows before the first retrain: they are learnt from and never scored.
    """

    fold: IntArray
    trained_from: IntArray
    trained_until: IntArray
    known_at: IntArray
    scored_from: IntArray
    scored_until: IntArray
    n_train: IntArray
    n_test: IntArray
    n_unscored: int

    def __len__(self) -> int:
        return len(self.fold)

    @classmethod
    def of(cls, spans: Spans, folds: Sequence[Fold]) -> Self:
        """Return the schedule of walk-forward folds of spans.

        Raises
        ------
        SplitError
            When there is no fold, or one has no training rows.
        """
        if len(folds) == 0 or any(len(fold.train) == 0 for fold in folds):
            raise SplitError(
                "a schedule needs folds that learn something",
                got=f"{len(folds)} folds, training rows {[len(fold.train) for fold in folds][:5]}",
                allowed="at least one fold, none without training rows",
                remedy="Use more data, or a later first retrain.",
            )
        start, end = spans.start, spans.end
        first = min(int(start[fold.test].min()) for fold in folds)

        def column(values: list[Any]) -> IntArray:
            return np.array(values, dtype=np.int64)

        return cls(
            fold=column([fold.number for fold in folds]),
            trained_from=column([start[fold.train].min() for fold in folds]),
            trained_until=column([start[fold.train].max() for fold in folds]),
            known_at=column([end[fold.train].max() for fold in folds]),
            scored_from=column([start[fold.test].min() for fold in folds]),
            scored_until=column([start[fold.test].max() for fold in folds]),
            n_train=column([len(fold.train) for fold in folds]),
            n_test=column([len(fold.test) for fold in folds]),
            n_unscored=int(np.count_nonzero(start < first)),
        )

    @property
    def first_scored(self) -> pd.Timestamp:
        """First decision time that is scored, UTC."""
        return pd.Timestamp(int(self.scored_from[0]), tz="UTC")

    @property
    def sentence(self) -> str:
        """The schedule in words."""
        fewest, most = int(self.n_train.min()), int(self.n_train.max())
        rows = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
        many = len(self) > 1
        last = pd.Timestamp(int(self.scored_from[-1]), tz="UTC")
        return (
            f"{len(self)} retrain{'s' if many else ''}, {'each ' if many else ''}on {rows} rows"
            f"{f', the last on {_moment(last)}' if many else ''}. The first scored decision is of "
            f"{_moment(self.first_scored)}; the {self.n_unscored:,} rows before it are never scored."
        )

    def frame(self) -> pd.DataFrame:
        """Return one row a retrain, indexed by fold, times in UTC."""
        times = ("trained_from", "trained_until", "known_at", "scored_from", "scored_until")
        columns: dict[str, Any] = {name: from_ns(getattr(self, name)) for name in times}
        columns |= {"n_train": self.n_train, "n_test": self.n_test}
        return pd.DataFrame(columns, index=pd.Index(self.fold, name="fold"))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, times as ISO 8601 text."""
        rows = [
            {
                name: value.isoformat() if isinstance(value, pd.Timestamp) else value
                for name, value in row.items()
            }
            for row in self.frame().reset_index().to_dict("records")
        ]
        return {
            "n_retrains": len(self),
            "first_scored": self.first_scored.isoformat(),
            "n_unscored": self.n_unscored,
            "retrains": rows,
        }


def _moment(moment: pd.Timestamp) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
