"""P-values of columns for a class against the others, for rows that overlap; and which to believe.

The tests are tsfresh's (Christ, Kempa-Liehr and Feindt 2016, "Distributed and parallel time series
feature extraction for industrial big data applications"): Mann and Whitney's U for columns of many
values, Fisher's exact test for columns of two, the step-up procedures of Benjamini and Hochberg
(1995) or Benjamini and Yekutieli (2001) over all columns.

What is ours is the number of observations. Labels that span h bars share outcomes, so n rows say
as much as fewer independent ones. With r the centred ranks of a column and l the centred indicator
of a class, U is sum(r l) but for a constant, and for stationary r and l that do not depend on each
other (Bartlett 1935)::

    Var U = n var(r) var(l) * sum over lags k of rho_r(k) rho_l(k)

Labels that share bars have rho_l(k) = 1 - |k|/h, which sums to h. A column that moves slowly
compared with h has rho_r(k) = 1 over that range: the variance is h times that of independent rows,
and z shrinks by sqrt(h). The average uniqueness of labels (López de Prado 2018, 4.4) is 1/h there and
follows where spans vary in length, so::

    z_effective = z * sqrt(n_effective / n),    n_effective = sum of uniqueness

For a column that moves faster than the labels this takes too much; never too little as long as
overlap is what ties the labels together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onward.kernels.tsfresh.rank_sums import SEVERAL, RankSums
from onward.types import BoolArray, FloatArray

__all__ = ["Evidence", "evidence", "false_discovery"]

EXACT_ROWS = 8
"""Up to so many rows of a class SciPy, and so tsfresh, counts arrangements when there are no ties."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """How columns stand to classes.

    Attributes
    ----------
    p
        Shape (columns, classes): chance of such a difference between the class and the rest; NaN for
        a column of fewer than two values, 1 where a class or the rest has no row.
    z
        Shape (columns, classes): size of the difference in standard deviations, not negative; orders
        what p can no longer tell from 0.
    """

    p: FloatArray
    z: FloatArray


def evidence(figures: RankSums, share: FloatArray) -> Evidence:
    """Return the p-values of every column and class.

    Parameters
    ----------
    figures
        Rank sums of the columns.
    share
        Effective rows as a part of the rows, of each column, shape (columns,), in (0, 1].
    """
    from scipy.special import ndtr

    with np.errstate(all="ignore"):
        own = figures.counts.astype(np.float64)
        n = own.sum(axis=1, keepdims=True)
        rest = n - own
        first = figures.sums - own * (own + 1.0) / 2.0
        u = np.maximum(first, own * rest - first)
        ties = figures.ties[:, None] / (n * (n - 1.0))
        deviation = np.sqrt(own * rest / 12.0 * ((n + 1.0) - ties))
        z = (u - own * rest / 2.0 - 0.5) / deviation * np.sqrt(share)[:, None]
        p = np.clip(2.0 * ndtr(-z), 0.0, 1.0)
    _count_small_samples(figures, share, u, p)
    _count_two_values(figures, share, p)
    empty = (own == 0.0) | (rest == 0.0)
    p[empty], z[empty] = 1.0, 0.0
    varies = figures.distinct >= 2
    p[~varies], z[~varies] = np.nan, 0.0
    return Evidence(p, np.maximum(np.nan_to_num(z), 0.0))


def false_discovery(p: FloatArray, level: float, *, independent: bool) -> BoolArray:
    """Return which hypotheses to reject so that false ones are at most a share ``level`` of them.

    Benjamini and Hochberg (1995) where the tests are independent; Benjamini and Yekutieli (2001), which
    divides the level by the harmonic sum, where nothing is known of that. NaN is no test.
    """
    tested = np.flatnonzero(~np.isnan(p))
    out = np.zeros(len(p), dtype=np.bool_)
    if not len(tested):
        return out
    ordered = tested[np.argsort(p[tested], kind="stable")]
    place = np.arange(1, len(ordered) + 1)
    allowed = level * place / len(ordered)
    if not independent:
        allowed = allowed / float(np.sum(1.0 / place))
    below = np.flatnonzero(p[ordered] <= allowed)
    if len(below):
        out[ordered[: below[-1] + 1]] = True
    return out


def _count_small_samples(figures: RankSums, share: FloatArray, u: FloatArray, p: FloatArray) -> None:
    """Write exact p-values where SciPy computes them: few rows, no ties, nothing overlaps."""
    own = figures.counts
    rest = own.sum(axis=1, keepdims=True) - own
    few = (np.minimum(own, rest) > 0) & ((own <= EXACT_ROWS) | (rest <= EXACT_ROWS))
    exact = few & (figures.ties == 0.0)[:, None] & (share >= 1.0)[:, None]
    for j, code in np.argwhere(exact):
        p[j, code] = exact_p_value(float(u[j, code]), int(own[j, code]), int(rest[j, code]))


def exact_p_value(u: float, n1: int, n2: int) -> float:
    """Return the two-sided chance of a U as large as ``u`` without ties, by SciPy's count.

    It depends on U and the two numbers of rows alone, so samples with that U are made up: each of the
    first beats so many of the second.
    """
    from scipy.stats import mannwhitneyu

    beaten = np.clip(u - n2 * np.arange(n1, dtype=np.float64), 0.0, n2)
    first = beaten + 0.5 + 1e-3 * np.arange(n1) / n1
    return float(mannwhitneyu(first, np.arange(1.0, n2 + 1.0), method="exact").pvalue)


def _count_two_values(figures: RankSums, share: FloatArray, p: FloatArray) -> None:
    """Write Fisher's exact p-values of columns of two values; overlapping rows count in part."""
    from scipy.stats import fisher_exact

    for j in np.flatnonzero((figures.distinct >= 2) & (figures.distinct < SEVERAL)):
        own, high = figures.counts[j], figures.largest[j]
        for code in range(len(own)):
            table = np.array(
                [
                    [high[code], own[code] - high[code]],
                    [high.sum() - high[code], own.sum() - high.sum() - own[code] + high[code]],
                ]
            )
            p[j, code] = fisher_exact(np.rint(table * share[j]).astype(np.int64)).pvalue
