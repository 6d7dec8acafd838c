"""Permutation importance on test rows: what the score loses when a column says nothing.

The mean decrease accuracy of Breiman (2001), taken on rows that the fold did not learn from
(López de Prado 2018, Advances in Financial Machine Learning, ch. 8), with columns displaced in
blocks instead of shuffled (see `onward.evaluation.displacement`), and by cluster of correlated
columns (clustered MDA, López de Prado 2020, Machine Learning for Asset Managers, ch. 6): columns
that stand in for each other hide each other's importance unless they are displaced together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import ConfigError, ModelError, nearest
from onward.evaluation.displacement import Displacement, displaced_rows
from onward.evaluation.importance_trees import Forest
from onward.evaluation.metrics import direction_auc, log_loss
from onward.types import FloatArray, IntArray, Spans

__all__ = ["FOLD_COLUMNS", "SCORES", "Predict", "block_permutation_importance"]

FOLD_COLUMNS = (
    *("subject", "n_columns", "score", "base", "decrease", "deviation", "standard_error", "z"),
    *("n_rows", "n_repeats"),
)
"""Columns of `block_permutation_importance`."""

Predict: TypeAlias = Callable[[pd.DataFrame], FloatArray]
Score: TypeAlias = Callable[[FloatArray, IntArray, FloatArray], float]

CELLS_AT_ONCE = 8_000_000


def _skill(probability: FloatArray, y: IntArray, prior: FloatArray) -> float:
    of_prior = log_loss(np.broadcast_to(prior, probability.shape), y)
    return 1.0 - log_loss(probability, y) / of_prior if of_prior > 0 else float("nan")


def _accuracy(probability: FloatArray, y: IntArray, prior: FloatArray) -> float:  # noqa: ARG001 - one shape for all scores
    return float((probability.argmax(axis=1) - 1 == y).mean())


SCORES: Mapping[str, Score] = MappingProxyType(
    {
        "log_loss_skill": _skill,
        "direction_auc": lambda probability, y, prior: direction_auc(probability, y),  # noqa: ARG005
        "accuracy": _accuracy,
    }
)
"""Scores whose decrease is measured, by name: of probabilities, outcomes and training prior."""


def block_permutation_importance(
    predict: Predict,
    X: pd.DataFrame,
    y: IntArray,
    spans: Spans,
    *,
    prior: FloatArray | None = None,
    columns: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    forest: Forest | None = None,
    scores: Sequence[str] = ("log_loss_skill", "direction_auc", "accuracy"),
    method: Displacement = "blocks",
    block_bars: int | None = None,
    n_repeats: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how much each score falls when columns are displaced in time, on one fold's test rows.

    All columns meet the same displacements, so they are compared without the noise of the draw. A
    column that the model does not use has an importance of exactly 0 and costs no prediction.

    Parameters
    ----------
    predict
        From rows of ``X`` to probabilities, shape (n, 3); a pure function of each row.
    X
        Test rows of a purged fold, shape (n, n_columns); NaN moves with the values.
    y
        Outcomes -1, 0, 1, shape (n,).
    spans
        Of the rows; they say how long labels are and which rows follow each other.
    prior
        Class frequencies of the fold's training rows, shape (3,), for ``log_loss_skill``; equal
        shares when None.
    columns
        Columns that the model uses (see `onward.evaluation.importance_folds.used_columns`); None
        takes all of ``X``.
    groups
        Columns to be displaced together, by name (see `onward.evaluation.importance_clusters`);
        None takes each alone.
    forest
        The trees behind ``predict``, where it is nothing but trees (see `Forest.of`): the same figures
        up to rounding, some forty times sooner.
    scores
        Names of `SCORES`.
    method, block_bars, n_repeats, seed
        See `onward.evaluation.displacement.displaced_rows`.

    Returns
    -------
    DataFrame
        One row a subject (column, or name of a group) and score: ``subject``, ``n_columns`` of it
        that the model uses, ``score``, ``base`` (the score as it is), ``decrease`` (mean over the
        repeats), ``deviation`` (of the score over the repeats: its play when the subject says
        nothing; NaN with one repeat), ``standard_error`` (of ``decrease`` as an estimate over
        draws, not over markets), ``z`` (decrease / deviation), ``n_rows`` scored, ``n_repeats``.
        A score that is not defined (no row moved) gives NaN.

    Raises
    ------
    ConfigError
        When a score, column or method is unknown, or blocks are shorter than labels.
    ModelError
        When shapes disagree or ``predict`` returns something else than probabilities.
    NotEnoughDataError
        When the rows hold fewer than four blocks.
    """
    y = np.asarray(y, dtype=np.int64)
    _check(X, y, spans, scores)
    subjects = _subjects(list(X.columns), columns, groups)
    rows, sources = displaced_rows(
        spans, method=method, block_bars=block_bars, n_repeats=n_repeats, seed=seed
    )
    of_prior = np.full(3, 1 / 3) if prior is None else np.asarray(prior, dtype=np.float64)
    values = np.ascontiguousarray(X.to_numpy())
    scorer = _Scorer(predict, X.index, list(X.columns), y[rows], of_prior, tuple(scores))
    if forest is None:
        base = scorer.score(values[rows][None], X.index[rows])[0]
        found = [
            scorer.displaced(values, rows, sources, places) if len(places) else np.tile(base, (n_repeats, 1))
            for places in subjects.values()
        ]
    else:
        base, found = scorer.of_forest(forest, values, rows, sources, list(subjects.values()))
    records: list[dict[str, Any]] = []
    for (subject, places), shuffled in zip(subjects.items(), found, strict=True):
        used = len(places) > 0
        for j, name in enumerate(scores):
            deviation = float(shuffled[:, j].std(ddof=1)) if n_repeats > 1 else float("nan")
            decrease = float(base[j] - shuffled[:, j].mean())
            records.append(
                {
                    "subject": subject,
                    "n_columns": len(places),
                    "score": name,
                    "base": float(base[j]),
                    "decrease": decrease if used else 0.0 * base[j],  # NaN where the score is
                    "deviation": deviation,
                    "standard_error": deviation / np.sqrt(n_repeats),
                    "z": decrease / deviation if deviation > 0 else float("nan"),
                    "n_rows": len(rows),
                    "n_repeats": n_repeats,
                }
            )
    return pd.DataFrame(records, columns=list(FOLD_COLUMNS))


@dataclass(frozen=True, eq=False)
class _Scorer:
    """Predicts several displaced copies of the rows at once and scores each."""

    predict: Predict
    index: pd.Index
    columns: list[str]
    y: IntArray
    prior: FloatArray
    scores: tuple[str, ...]

    def displaced(
        self, values: npt.NDArray[Any], rows: IntArray, sources: IntArray, places: IntArray
    ) -> FloatArray:
        """Return the scores of each repeat, shape (n_repeats, n_scores)."""
        at_once = max(1, CELLS_AT_ONCE // max(1, len(rows) * values.shape[1]))
        parts: list[FloatArray] = []
        for first in range(0, len(sources), at_once):
            some = sources[first : first + at_once]
            copies = np.repeat(values[rows][None], len(some), axis=0)
            copies[:, :, places] = values[some[:, :, None], places[None, None, :]]
            parts.append(self.score(copies, self.index[np.tile(rows, len(some))]))
        return np.concatenate(parts)

    def of_forest(
        self,
        forest: Forest,
        values: npt.NDArray[Any],
        rows: IntArray,
        sources: IntArray,
        subjects: Sequence[IntArray],
    ) -> tuple[FloatArray, list[FloatArray]]:
        """Return the scores of the rows as they are, and of each subject's repeats."""
        base, displaced = forest.displaced(values[rows], np.searchsorted(rows, sources), subjects)
        return self._scores(base[None])[0], [self._scores(said) for said in displaced]

    def score(self, copies: npt.NDArray[Any], index: pd.Index) -> FloatArray:
        """Return the scores of copies of the rows, shape (n_copies, n_scores)."""
        frame = pd.DataFrame(copies.reshape(-1, copies.shape[2]), index=index, columns=self.columns)
        probability = np.asarray(self.predict(frame), dtype=np.float64)
        if probability.shape != (len(frame), 3) or not np.isfinite(probability).all():
            raise ModelError(
                "predict does not return probabilities",
                got=f"shape {probability.shape} for {len(frame)} rows",
                allowed="down, range, up of every row, no NaN",
                remedy="Pass the predict_proba of a model of Onward, or Predictor.from_matrix.",
            )
        return self._scores(probability.reshape(len(copies), -1, 3))

    def _scores(self, probability: FloatArray) -> FloatArray:
        return np.array([[SCORES[s](p, self.y, self.prior) for s in self.scores] for p in probability])


def _subjects(
    names: list[str], columns: Sequence[str] | None, groups: Mapping[str, Sequence[str]] | None
) -> dict[str, IntArray]:
    """Return the positions to displace for each subject, those that the model uses."""
    place = {name: i for i, name in enumerate(names)}
    asked = [*(columns or ()), *(c for members in (groups or {}).values() for c in members)]
    for name in asked:
        if name not in place:
            close = nearest(str(name), names)
            raise ConfigError(
                "there is no such column among the test rows",
                got=name,
                allowed=f"one of the {len(names)} columns of X",
                remedy=f"Did you mean {close}?" if close else "Take the names from X.columns.",
            )
    used = set(names if columns is None else columns)
    members = {name: [name] for name in names} if groups is None else {g: list(m) for g, m in groups.items()}
    return {
        subject: np.array([place[c] for c in chosen if c in used], dtype=np.int64)
        for subject, chosen in members.items()
    }


def _check(X: pd.DataFrame, y: IntArray, spans: Spans, scores: Sequence[str]) -> None:
    if not len(X) == len(y) == len(spans):
        raise ModelError(
            "rows, outcomes and spans disagree in number",
            got=f"{len(X)}, {len(y)} and {len(spans)}",
            allowed="one of each a row",
            remedy="Pass the test rows of one fold.",
        )
    if not np.isin(y, (-1, 0, 1)).all():
        raise ModelError(
            "outcomes are not classes",
            got=f"values {np.unique(y)[:5].tolist()}",
            allowed="one of -1, 0, 1 a row",
            remedy="Score class labels only.",
        )
    for name in scores:
        if name not in SCORES:
            close = nearest(name, SCORES)
            raise ConfigError(
                "there is no such score",
                got=name,
                allowed=", ".join(SCORES),
                remedy=f"Did you mean {close}?" if close else "Choose one of them.",
            )
