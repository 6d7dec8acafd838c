"""Permutation importance over the folds of a training: every fold's table, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.evaluation.importance import FOLD_COLUMNS, Predict, block_permutation_importance
from onward.evaluation.importance_trees import Forest
from onward.types import FloatArray, IntArray, Spans

__all__ = ["FoldRows", "importance_of_folds", "importance_summary", "used_columns"]


@dataclass(frozen=True, eq=False)
class FoldRows:
    """What importance needs of one fold.

    Attributes
    ----------
    number
        Of the fold.
    predict
        From rows of ``X`` to probabilities of down, range, up, shape (n, 3).
    X
        Test rows, as ``predict`` takes them.
    y
        Their outcomes, -1, 0, 1, as this fold labels them, shape (n,).
    spans
        Their spans.
    prior
        Class frequencies of the training rows, shape (3,).
    columns
        Columns that the model uses; the others are not displaced, nothing hangs on them.
        None takes all.
    forest
        The trees behind ``predict``, where it is nothing but trees.
    """

    number: int
    predict: Predict
    X: pd.DataFrame
    y: IntArray
    spans: Spans
    prior: FloatArray | None = None
    columns: tuple[str, ...] | None = None
    forest: Forest | None = None


def importance_of_folds(
    folds: Iterable[FoldRows],
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Return `block_permutation_importance` of every fold, one row a fold, subject and score.

    Parameters
    ----------
    folds
        Taken one by one, so a generator keeps one fold in memory. Folds may see different
        columns; a column that a fold lacks has an importance of 0 there.
    groups
        The same for all folds; None takes each column that any fold has.
    options
        Of `block_permutation_importance`, ``prior``, ``columns`` and ``forest`` excepted.

    Raises
    ------
    ConfigError, ModelError, NotEnoughDataError
        As `block_permutation_importance`.
    """
    tables: list[pd.DataFrame] = []
    for fold in folds:
        own = groups
        if groups is not None:
            own = {name: [c for c in members if c in fold.X.columns] for name, members in groups.items()}
        table = block_permutation_importance(
            fold.predict,
            fold.X,
            fold.y,
            fold.spans,
            prior=fold.prior,
            columns=fold.columns,
            groups=own,
            forest=fold.forest,
            **options,
        )
        table.insert(0, "fold", fold.number)
        tables.append(table)
    if not tables:
        return pd.DataFrame(columns=["fold", *FOLD_COLUMNS])
    return pd.concat(tables, ignore_index=True)


def importance_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return the importances over the folds, one row a subject and score, most important first.

    Parameters
    ----------
    table
        From `importance_of_folds`.

    Returns
    -------
    DataFrame
        ``subject``, ``score``, ``decrease`` (mean over all folds, 0 where a fold's model lacks the
        subject), ``standard_error`` (deviation over the folds / sqrt(folds), as López de Prado
        2018, snippet 8.3; NaN with one fold; folds share training rows, so it is a lower bound),
        ``positive`` (share of folds in which the score fell), ``used`` (folds whose model uses
        it), ``folds``. Sorted by score in order of appearance, then by decrease.
    """
    columns = ["subject", "score", "decrease", "standard_error", "positive", "used", "folds"]
    if table.empty:
        return pd.DataFrame(columns=columns)
    parts: list[pd.DataFrame] = []
    for score, rows in table.groupby("score", sort=False):
        wide = rows.pivot_table(index="fold", columns="subject", values="decrease", sort=False, dropna=False)
        present = rows.pivot_table(index="fold", columns="subject", values="n_columns", sort=False)
        undefined = rows.groupby("fold")["base"].first().isna()
        wide = wide.fillna(0.0).loc[~undefined.reindex(wide.index)]
        n = len(wide)
        part = pd.DataFrame(
            {
                "subject": wide.columns,
                "score": score,
                "decrease": wide.mean().to_numpy(),
                "standard_error": (wide.std(ddof=1) / np.sqrt(max(n, 1))).to_numpy(),
                "positive": (wide > 0).mean().to_numpy(),
                "used": (present.reindex(columns=wide.columns).fillna(0) > 0).sum().to_numpy(),
                "folds": n,
            }
        )
        parts.append(part.sort_values("decrease", ascending=False, kind="stable"))
    return pd.concat(parts, ignore_index=True)[columns]


def used_columns(gain: pd.Series) -> tuple[str, ...]:
    """Return the columns with a gain; all of them when the model has no notion of gain."""
    used = gain[gain > 0] if bool((gain > 0).any()) else gain
    return tuple(str(c) for c in used.index)
