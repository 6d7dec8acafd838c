"""Which rows and which columns autofeat is shown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.features.selection.relevance import Relevance
from onward.types import BoolArray, FloatArray, IntArray, Spans

__all__ = ["column_scales", "keep_back", "prescreen", "sample_rows"]

MAX_CORRELATION = 0.95
LEAST_COMPLETE = 0.5


def keep_back(spans: Spans, share: float) -> tuple[IntArray, IntArray]:
    """Divide training rows by time: earlier ones to search in, the latest to confirm on.

    No label of the first part shares an instant with one of the second.

    Parameters
    ----------
    spans
        Of the training rows.
    share
        Share of the distinct decision times that is kept back, 0 to 1.

    Returns
    -------
    search, confirm : ndarray
        Sorted positions.
    """
    times = np.unique(spans.start)
    border = times[min(len(times) - 1, round(len(times) * (1.0 - share)))]
    return np.flatnonzero(spans.end < border), np.flatnonzero(spans.start >= border)


def prescreen(
    X: pd.DataFrame, ranks: npt.NDArray[np.float32], relevance: Relevance, most: int
) -> tuple[list[int], BoolArray]:
    """Choose the columns that autofeat may combine.

    The targets take turns in naming the column that stands highest above shifted labels.
    Skipped are constant columns, near duplicates of a chosen one (absolute rank correlation
    above 0.95), and columns with which fewer than half of the training rows would be complete:
    autofeat takes no NaN.

    Parameters
    ----------
    X
        Training rows.
    ranks, relevance
        Of the same columns.
    most
        Places.

    Returns
    -------
    columns : list of int
        Positions, best first.
    complete : ndarray
        Rows in which all of them are known, shape (n_rows,).
    """
    queues = [list(np.argsort(-z, kind="stable")) for z in relevance.z.T]
    varies = np.asarray((ranks != 0).any(axis=1))
    complete = np.ones(len(X), dtype=np.bool_)
    chosen: list[int] = []
    seen: set[int] = set()
    while len(chosen) < most and any(queues):
        for queue in queues:
            while queue:
                column = int(queue.pop(0))
                if column in seen or not varies[column]:
                    continue
                seen.add(column)
                known = complete & np.isfinite(X.iloc[:, column].to_numpy(dtype=np.float64))
                twin = len(chosen) > 0 and np.abs(ranks[chosen] @ ranks[column]).max() > MAX_CORRELATION
                if not twin and known.sum() >= LEAST_COMPLETE * len(X):
                    chosen.append(column)
                    complete = known
                    break
            if len(chosen) == most:
                break
    return chosen, complete


def sample_rows(rows: IntArray, times: IntArray, most: int, seed: int) -> IntArray:
    """Draw rows evenly over time: time is cut into blocks, and each block gives one row.

    Neighbouring labels share most of their outcome, so rows that stand apart tell more than
    contiguous ones, and fewer of them overlap.

    Parameters
    ----------
    rows
        Positions to draw from.
    times
        Decision time of every row, ns UTC.
    most
        Rows to draw; all are taken when there are no more.
    seed
        Seed of the place within each block.

    Returns
    -------
    ndarray
        Sorted positions.
    """
    if len(rows) <= most:
        return rows
    in_time = rows[np.argsort(times[rows], kind="stable")]
    edges = np.linspace(0, len(rows), most + 1).astype(np.int64)
    within = np.random.default_rng(seed).random(most)
    places = edges[:-1] + np.floor(within * np.diff(edges)).astype(np.int64)
    return np.sort(in_time[places])


def column_scales(values: FloatArray) -> FloatArray:
    """Return the power of two next to each column's median magnitude; 1 where that is 0.

    autofeat drops what varies by less than 1e-5 and exponentiates only what stays below 10, so
    columns have to be of comparable size. Dividing by a power of two changes no digit, and
    leaving out the centring keeps signs and zeros where they are.

    Parameters
    ----------
    values
        Finite, shape (n_rows, n_columns).
    """
    size = np.median(np.abs(values), axis=0)
    spread = values.std(axis=0)
    size = np.where(size > 0, size, spread)
    with np.errstate(divide="ignore"):
        exponent = np.round(np.log2(np.where(size > 0, size, 1.0)))
    return np.asarray(np.exp2(np.clip(exponent, -300, 300)), dtype=np.float64)
