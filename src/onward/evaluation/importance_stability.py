"""Whether folds agree on what counts: rank correlation and overlap of their importances.

Folds share training rows, so agreement is no proof of a cause; disagreement is a proof of its
absence: a column that counts in one fold only was found in that fold's noise, or has had its day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.errors import ConfigError
from onward.kernels.statistics import midranks
from onward.types import BoolArray, FloatArray

__all__ = [
    "ImportanceStability",
    "importance_stability",
    "jaccard_index",
    "kendall_w",
    "kuncheva_index",
    "selection_stability",
    "spearman",
]

FINAL_FIT = -1


@dataclass(frozen=True, eq=False)
class ImportanceStability:
    """How far folds agree.

    Attributes
    ----------
    n_folds, n_columns, top
        Folds and columns compared; size of the sets of most important columns.
    kendall_w
        Concordance of all rankings, 0 (none) to 1 (all the same); chance alone gives about
        ``1 / n_folds``.
    spearman
        Mean rank correlation over pairs of folds, -1 to 1; chance gives 0.
    jaccard
        Mean overlap of the top sets: shared / in either, 0 to 1.
    kuncheva
        Mean overlap of the top sets above chance; chance gives 0, the same sets 1.
    selection
        Agreement on which columns count at all (importance above 0), chance corrected:
        Nogueira's measure; NaN when all columns count everywhere or none does.
    pairs
        One row a pair of folds: ``fold``, ``other``, ``spearman``, ``jaccard``, ``kuncheva``.
    columns
        One row a column: ``column``, ``counts`` (share of folds with an importance above 0),
        ``in_top`` (share of folds in whose top set it is), ``mean_rank`` (1 = most important) and
        ``rank_deviation``; sorted by mean rank.

    A figure is NaN where it is not defined: one fold, or folds in which all columns tie.
    """

    n_folds: int
    n_columns: int
    top: int
    kendall_w: float
    spearman: float
    jaccard: float
    kuncheva: float
    selection: float
    pairs: pd.DataFrame
    columns: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values, NaN as None."""
        names = ("kendall_w", "spearman", "jaccard", "kuncheva", "selection")
        figures = {name: getattr(self, name) for name in names}
        return {
            "n_folds": self.n_folds,
            "n_columns": self.n_columns,
            "top": self.top,
            **{name: None if np.isnan(value) else float(value) for name, value in figures.items()},
        }


def importance_stability(
    table: pd.DataFrame, *, top: int = 10, column: str = "column", value: str = "importance"
) -> ImportanceStability:
    """Return how far the folds of an importance table agree.

    Parameters
    ----------
    table
        One row a fold and column: ``fold`` (rows of the final fit, -1, are left out), the column's
        name and its importance; the ledgers' table (`ledgers_frame`) has this form, and one score
        of `importance_of_folds` has it with ``column="subject", value="decrease"``. A column that
        a fold lacks, or whose importance is NaN there, counts 0 in it.
    top
        Size of the sets of most important columns; half of the columns when there are fewer than
        twice as many, because larger sets overlap by necessity.
    column, value
        Names of the columns of ``table``.

    Raises
    ------
    ConfigError
        When a column is missing, a fold names a column twice, or ``top`` is below 1.
    """
    missing = [name for name in ("fold", column, value) if name not in table.columns]
    if missing or top < 1:
        raise ConfigError(
            "importances cannot be compared",
            got=f"no column {missing[0]!r}" if missing else f"top {top}",
            allowed=f"columns fold, {column} and {value}; a top of 1 or more",
            remedy="Pass a table with one row a fold and column.",
        )
    rows = table[table["fold"] != FINAL_FIT]
    if rows.duplicated(["fold", column]).any():
        raise ConfigError(
            "a fold gives two importances for a column",
            got=rows.loc[rows.duplicated(["fold", column]), column].iloc[0],
            allowed="one row a fold and column",
            remedy="Choose one score of the table first.",
        )
    wide = rows.pivot_table(index="fold", columns=column, values=value, sort=False, dropna=False)
    return _compare(wide.fillna(0.0).sort_index(), top)


def _compare(wide: pd.DataFrame, top: int) -> ImportanceStability:
    values = wide.to_numpy(np.float64)
    n_folds, n_columns = values.shape
    size = max(1, min(top, n_columns // 2))
    ranks = np.array([midranks(-row) for row in values]).reshape(n_folds, n_columns)
    chosen = np.zeros(values.shape, dtype=np.bool_)
    if n_columns:
        np.put_along_axis(chosen, np.argsort(ranks, axis=1, kind="stable")[:, :size], values=True, axis=1)
        chosen &= values > 0  # a column that does not count is in no top set
    a, b = np.triu_indices(n_folds, 1)
    pairs = pd.DataFrame(
        {
            "fold": wide.index[a],
            "other": wide.index[b],
            "spearman": _rank_correlations(ranks)[a, b],
            "jaccard": [jaccard_index(chosen[i], chosen[j]) for i, j in zip(a, b, strict=True)],
            "kuncheva": [kuncheva_index(chosen[i], chosen[j]) for i, j in zip(a, b, strict=True)],
        }
    )
    columns = pd.DataFrame(
        {
            "column": list(wide.columns),
            "counts": (values > 0).mean(axis=0) if n_folds else np.zeros(n_columns),
            "in_top": chosen.mean(axis=0) if n_folds else np.zeros(n_columns),
            "mean_rank": ranks.mean(axis=0) if n_folds else np.full(n_columns, np.nan),
            "rank_deviation": ranks.std(axis=0, ddof=1) if n_folds > 1 else np.full(n_columns, np.nan),
        }
    ).sort_values("mean_rank", kind="stable", ignore_index=True)
    return ImportanceStability(
        n_folds=n_folds,
        n_columns=n_columns,
        top=size,
        kendall_w=kendall_w(values),
        spearman=float(pairs["spearman"].mean()),
        jaccard=float(pairs["jaccard"].mean()),
        kuncheva=float(pairs["kuncheva"].mean()),
        selection=selection_stability(values > 0),
        pairs=pairs,
        columns=columns,
    )


def spearman(left: FloatArray, right: FloatArray) -> float:
    """Return Spearman's rank correlation, ties sharing their rank; NaN when one side is constant."""
    ranks = np.array([midranks(np.asarray(left)), midranks(np.asarray(right))])
    return float(_rank_correlations(ranks)[0, 1])


def _rank_correlations(ranks: FloatArray) -> FloatArray:
    """Return the correlation of each pair of rankings, shape (m, m); NaN where one is constant."""
    if not ranks.size:
        return np.full((len(ranks), len(ranks)), np.nan)
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    products: FloatArray = centred @ centred.T
    squares = np.diag(products)
    size = np.sqrt(np.outer(squares, squares))
    correlations = np.full(products.shape, np.nan)
    np.divide(products, size, out=correlations, where=size > 0)
    return correlations


def kendall_w(values: FloatArray) -> float:
    """Return Kendall's coefficient of concordance, corrected for ties (Kendall & Gibbons 1990, ch. 6).

    Parameters
    ----------
    values
        One row a judge (fold), shape (m, n).

    Returns
    -------
    float
        0 to 1; NaN with fewer than two judges or when all of them tie everything.
    """
    m, n = values.shape
    if m < 2 or n < 2:
        return float("nan")
    ranks = np.array([midranks(row) for row in values])
    total = ranks.sum(axis=0)
    spread = float(((total - total.mean()) ** 2).sum())
    ties = sum(float((count**3 - count).sum()) for count in (_tie_sizes(row) for row in ranks))
    most = m**2 * (n**3 - n) - m * ties
    return 12.0 * spread / most if most > 0 else float("nan")


def jaccard_index(left: BoolArray, right: BoolArray) -> float:
    """Return shared / in either of two sets given as masks; NaN when both are empty."""
    either = int((left | right).sum())
    return int((left & right).sum()) / either if either else float("nan")


def kuncheva_index(left: BoolArray, right: BoolArray) -> float:
    """Return the overlap of two sets above what chance gives (Kuncheva 2007).

    ``(r n - k²) / (k (n - k))`` for sets of k out of n that share r; sets of different sizes
    a and b use ``(r - a b / n) / (min(a, b) - a b / n)``: the excess over chance as a share of the
    largest possible one, which is the same when a = b.

    Parameters
    ----------
    left, right
        Masks over all columns, shape (n,).

    Returns
    -------
    float
        1 for the same sets, about 0 by chance; NaN when a set is empty or holds everything.
    """
    n, a, b = len(left), int(left.sum()), int(right.sum())
    by_chance = a * b / n if n else 0.0
    most = min(a, b) - by_chance
    return (int((left & right).sum()) - by_chance) / most if most > 0 else float("nan")


def selection_stability(chosen: BoolArray) -> float:
    """Return how far selections agree, chance corrected (Nogueira, Sechidis & Brown 2018, JMLR 18).

    Parameters
    ----------
    chosen
        One row a selection, shape (m, n_columns); sizes may differ. With equal sizes it is the
        mean Kuncheva index over the pairs.

    Returns
    -------
    float
        1 when all are the same, about 0 by chance; NaN when it is not defined: one selection, or
        none or all columns chosen by all.
    """
    m, n = chosen.shape
    if m < 2 or n == 0:
        return float("nan")
    share = chosen.mean(axis=0)
    variance = float((m / (m - 1) * share * (1 - share)).mean())
    size = float(chosen.sum(axis=1).mean()) / n
    return 1.0 - variance / (size * (1 - size)) if 0.0 < size < 1.0 else float("nan")


def _tie_sizes(ranks: FloatArray) -> FloatArray:
    return np.unique(ranks, return_counts=True)[1].astype(np.float64)
