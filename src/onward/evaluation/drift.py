"""Drift: whether a feature's test rows look like its training rows.

Two measures, each beside what it would show without drift. A market feature holds far fewer
independent values than rows, so the textbook p-value of Kolmogorov and Smirnov calls every slow
column drifted, and the population stability index of a stationary one exceeds its thumb rules
(0.1, 0.25) by itself. Both are corrected here for the column's own autocorrelation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from onward.errors import ConfigError, NotEnoughDataError
from onward.evaluation.displacement import symbol_codes
from onward.evaluation.effective_size import crossing_time, occupancy_times, sorted_quantiles
from onward.types import FloatArray, Fold, IntArray, Spans

__all__ = [
    "drift_of_folds",
    "feature_drift",
    "kolmogorov_smirnov",
    "kolmogorov_smirnov_p",
    "population_stability",
]

COLUMNS = [
    *("column", "psi", "psi_expected", "ks", "ks_p", "ks_q", "median_shift", "autocorrelation_bars"),
    *("effective_train", "effective_test", "nan_train", "nan_test"),
]
FEWEST_ROWS = 2


def feature_drift(
    train: pd.DataFrame,
    test: pd.DataFrame,
    *,
    train_spans: Spans,
    test_spans: Spans,
    n_bins: int = 10,
) -> pd.DataFrame:
    """Compare each feature's test rows with its training rows.

    Parameters
    ----------
    train, test
        Rows of one fold with the same columns; NaN means "not known yet".
    train_spans, test_spans
        Their spans: which rows follow each other.
    n_bins
        Bins of the population stability index.

    Returns
    -------
    DataFrame
        One row a column:

        - ``column``
        - ``psi``: see `population_stability`
        - ``psi_expected``: its mean without drift, the ``(bins - 1) (1 / n + 1 / m)`` of Yurdakul &
          Naranjo 2020 (Statistical properties of the population stability index), each bin inflated
          by its own autocorrelation time (as Rao & Scott 1981 do for surveys)
        - ``ks``: largest distance of the two distribution functions over known values
        - ``ks_p``: chance of it without drift, from the effective sizes
        - ``ks_q``: smallest false discovery rate at which the column would be called drifted, over
          the columns of the table (Benjamini & Hochberg 1995)
        - ``median_shift``: test median - training median, in training interquartile ranges
        - ``autocorrelation_bars``: see `onward.evaluation.effective_size.crossing_time`; of the
          training rows, so that the drift itself does not count as rhythm, of the test rows where
          the training rows do not know two values
        - ``effective_train``, ``effective_test``: moments with a known value / that time, at least
          1; symbols of one moment count as one, the careful assumption
        - ``nan_train``, ``nan_test``: share of rows

        NaN where a figure is not defined.

    Raises
    ------
    ConfigError
        When columns differ or there are fewer than two bins.
    NotEnoughDataError
        When either side has fewer than two rows.
    """
    _check(train, test, train_spans, test_spans, n_bins)
    moments = np.unique(np.concatenate((train_spans.start, test_spans.start)))
    sides = [
        (np.searchsorted(moments, spans.start).astype(np.int64), symbol_codes(spans.index))
        for spans in (train_spans, test_spans)
    ]
    n_moments = [len(np.unique(step)) for step, _ in sides]
    columns = [np.ascontiguousarray(table.to_numpy(np.float64).T) for table in (train, test)]
    records: list[dict[str, Any]] = []
    for name, before, after in zip(train.columns, *columns, strict=True):
        known = [np.sort(values[~np.isnan(values)]) for values in (before, after)]
        time = crossing_time(before, *sides[0])
        if np.isnan(time):
            time = crossing_time(after, *sides[1])
        sizes = [
            max(1.0, _moments(step, values, of) / (1.0 if np.isnan(time) else time))
            for values, (step, _), of in zip((before, after), sides, n_moments, strict=True)
        ]
        edges = _edges(known[0], n_bins)
        binned = _bins(before, edges)
        distance = _distance(*known)
        records.append(
            {
                "column": str(name),
                "psi": _index_of_bins(binned, _bins(after, edges)),
                "psi_expected": _expected_index(binned, *sides[0], *n_moments),
                "ks": distance,
                "ks_p": kolmogorov_smirnov_p(distance, *sizes),
                "ks_q": float("nan"),
                "median_shift": _median_shift(*known),
                "autocorrelation_bars": time,
                "effective_train": sizes[0],
                "effective_test": sizes[1],
                "nan_train": float(np.isnan(before).mean()),
                "nan_test": float(np.isnan(after).mean()),
            }
        )
    table = pd.DataFrame(records, columns=COLUMNS)
    return table.assign(ks_q=_false_discovery(table["ks_p"].to_numpy(np.float64)))


def drift_of_folds(X: pd.DataFrame, spans: Spans, folds: Iterable[Fold], *, n_bins: int = 10) -> pd.DataFrame:
    """Return `feature_drift` of every fold, one row a fold and column, ``fold`` first.

    Parameters
    ----------
    X
        Features of all labelled rows, aligned with ``spans``; the columns worth looking at.
    spans
        Of all labelled rows.
    folds
        Positions into them, purged.
    n_bins
        As for `feature_drift`.
    """
    tables: list[pd.DataFrame] = []
    for fold in folds:
        table = feature_drift(
            X.iloc[fold.train],
            X.iloc[fold.test],
            train_spans=spans.take(fold.train),
            test_spans=spans.take(fold.test),
            n_bins=n_bins,
        )
        table.insert(0, "fold", fold.number)
        tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["fold", *COLUMNS])


def population_stability(train: FloatArray, test: FloatArray, *, n_bins: int = 10) -> float:
    """Return the population stability index of a column (Siddiqi 2006, Credit risk scorecards).

    ``sum((q - p) * log(q / p))`` over bins, p and q the shares of training and test rows: the
    symmetrised Kullback-Leibler divergence of the binned values. Bins are the quantiles of the
    *training* rows, ties merged, with one more below the smallest training value (a value never
    seen is no likeness) and one for NaN. A share of zero counts as half a row; bins that are
    empty on both sides are left out.

    Parameters
    ----------
    train, test
        Shapes (n,) and (m,), NaN where not known.
    n_bins
        Quantile bins.

    Returns
    -------
    float
        0 when the shares are alike, in nats; NaN when a side has no rows.

    Raises
    ------
    ConfigError
        With fewer than two bins: one bin tells nothing apart.
    """
    _check_bins(n_bins)
    before, after = np.asarray(train, np.float64), np.asarray(test, np.float64)
    edges = _edges(np.sort(before[~np.isnan(before)]), n_bins)
    return _index_of_bins(_bins(before, edges), _bins(after, edges))


def kolmogorov_smirnov(left: FloatArray, right: FloatArray) -> float:
    """Return the largest distance of two samples' distribution functions, 0 to 1.

    Parameters
    ----------
    left, right
        Shapes (n,) and (m,), without NaN.

    Returns
    -------
    float
        NaN when a side is empty.
    """
    return _distance(np.sort(left), np.sort(right))


def kolmogorov_smirnov_p(distance: float, effective_left: float, effective_right: float) -> float:
    """Return the chance of a distance this large between samples of one distribution.

    The limit distribution with the correction for small samples of Stephens (1970), the sizes
    being those of independent values.

    Parameters
    ----------
    distance
        From `kolmogorov_smirnov`.
    effective_left, effective_right
        Independent values on each side; fractions are fine.

    Returns
    -------
    float
        0 to 1; NaN when a side holds no independent value, or anything is NaN.
    """
    from scipy.special import kolmogorov

    if not (effective_left > 0.0 and effective_right > 0.0):
        return float("nan")
    root = np.sqrt(effective_left * effective_right / (effective_left + effective_right))
    return float(kolmogorov((root + 0.12 + 0.11 / root) * distance))


def _distance(left: FloatArray, right: FloatArray) -> float:
    """Return the largest distance of two sorted samples' distribution functions; NaN when a side is empty."""
    if not len(left) or not len(right):
        return float("nan")
    # The functions rise at values of their own side only, so those of both sides are where to look.
    apart = 0.0
    for one, other in ((left, right), (right, left)):
        share = np.searchsorted(one, other, side="right") / len(one)
        apart = max(
            apart, float(np.abs(share - np.searchsorted(other, other, side="right") / len(other)).max())
        )
    return apart


def _moments(step: IntArray, values: FloatArray, n_moments: int) -> int:
    """Return at how many moments a value is known."""
    unknown = np.isnan(values)
    return len(np.unique(step[~unknown])) if unknown.any() else n_moments


def _edges(known: FloatArray, n_bins: int) -> FloatArray:
    """Return the upper edges of the bins of sorted values, the last bin being open; empty without any."""
    if not len(known):
        return np.empty(0)
    lowest, highest = np.nextafter(known[0], -np.inf), known[-1]
    if known[0] == highest:
        return np.array([lowest, highest])
    # Edges are values that occur: interpolation would invent some between ties.
    inner = sorted_quantiles(known, np.arange(1, n_bins) / n_bins)
    edges = np.unique(np.concatenate(([lowest], inner)))
    return np.compress(edges < highest, edges)


def _index_of_bins(train: IntArray, test: IntArray) -> float:
    """Return the population stability index of rows given by their bins; NaN when a side is empty."""
    if not len(train) or not len(test):
        return float("nan")
    n_bins = int(max(train.max(), test.max())) + 1
    counts = [np.bincount(side, minlength=n_bins).astype(np.float64) for side in (train, test)]
    held = (counts[0] + counts[1]) > 0
    p, q = (np.maximum(c[held], 0.5) / c.sum() for c in counts)
    return float(((q - p) * np.log(q / p)).sum())


def _expected_index(bins: IntArray, step: IntArray, symbol: IntArray, n_train: int, n_test: int) -> float:
    """Return the mean index without drift, from the bins of the training rows.

    Each bin adds ``(1 - p) * time * (1 / n_train + 1 / n_test)``, ``time`` the autocorrelation time
    of being in it: the middle of a distribution is left sooner than its trend would suggest.
    """
    held, times = occupancy_times(bins, step, symbol)
    share = np.bincount(bins)[held] / len(bins)
    return float(np.nansum((1.0 - share) * times) * (1.0 / n_train + 1.0 / n_test))


def _bins(values: FloatArray, edges: FloatArray) -> IntArray:
    """Return each value's bin: 0 for values up to the first edge, the last one for NaN."""
    found = np.searchsorted(edges, values, side="left")
    return np.where(np.isnan(values), len(edges) + 1, found).astype(np.int64)


def _median_shift(before: FloatArray, after: FloatArray) -> float:
    if not len(before) or not len(after):
        return float("nan")
    low, middle, high = (_between(before, share) for share in (0.25, 0.5, 0.75))
    move = _between(after, 0.5) - middle
    return float(move / (high - low)) if high > low else (0.0 if move == 0 else float("nan"))


def _between(ordered: FloatArray, share: float) -> float:
    """Return a quantile of sorted values, interpolated linearly between two of them."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


def _false_discovery(p: FloatArray) -> FloatArray:
    """Return Benjamini-Hochberg adjusted p-values, NaN kept."""
    q = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def _check_bins(n_bins: int) -> None:
    if n_bins < 2:
        raise ConfigError("too few bins", got=f"n_bins {n_bins}", allowed="2 or more", remedy="Use ten.")


def _check(
    train: pd.DataFrame, test: pd.DataFrame, train_spans: Spans, test_spans: Spans, n_bins: int
) -> None:
    if list(train.columns) != list(test.columns):
        raise ConfigError(
            "training and test rows have different columns",
            got=f"{train.shape[1]} and {test.shape[1]} columns",
            allowed="the same columns in the same order",
            remedy="Take both from one feature matrix.",
        )
    if len(train) != len(train_spans) or len(test) != len(test_spans):
        raise ConfigError(
            "rows and spans disagree in number",
            got=f"{len(train)} rows with {len(train_spans)} spans, {len(test)} with {len(test_spans)}",
            allowed="one span a row",
            remedy="Take rows and spans by the same positions.",
        )
    _check_bins(n_bins)
    if min(len(train), len(test)) < FEWEST_ROWS:
        raise NotEnoughDataError(
            "there are too few rows to compare",
            got=f"{len(train)} training and {len(test)} test rows",
            allowed=f"{FEWEST_ROWS} of each or more",
            remedy="Use fewer folds or a longer time range.",
        )
