"""Patterns in a window: how many new phrases it holds, and how evenly its orderings occur."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import MAXIMUM, MINIMUM, Chunk
from onward.kernels.tsfresh.family import Calculator, Family, whole
from onward.kernels.tsfresh.inner import inner_kernel
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["Complexity"]

LEMPEL_ZIV, PERMUTATION = range(2)
LARGEST_DIMENSION = 15
"""Orderings of more values than this do not fit a 64-bit key."""


@inner_kernel
def discretise(x: FloatVector, low: float, high: float, bins: int, symbols: IntVector) -> None:
    """Write the number of each value's bin: the first of ``bins`` upper edges not below it."""
    step = (high - low) / bins
    for i in range(len(x)):
        value = x[i]
        first, last = 0, bins
        while first < last:
            middle = (first + last) // 2
            edge = high if middle == bins - 1 else (middle + 1) * step + low
            if edge < value:
                first = middle + 1
            else:
                last = middle
        symbols[i] = first


@kernel
def phrases(symbols: IntVector, child: IntVector, sibling: IntVector, mark: IntVector) -> int:
    """Count the phrases of Lempel and Ziv's 1978 parsing.

    Every phrase extends an earlier one by one symbol, so the phrases form a tree; ``child``,
    ``sibling`` and ``mark`` hold its nodes (one more than there are symbols) and are overwritten.
    """
    nodes = 1
    child[0] = -1
    node = 0
    for symbol in symbols:
        following = child[node]
        while following >= 0 and mark[following] != symbol:
            following = sibling[following]
        if following >= 0:
            node = following
            continue
        child[nodes] = -1
        mark[nodes] = symbol
        sibling[nodes] = child[node]
        child[node] = nodes
        nodes += 1
        node = 0
    return nodes - 1


@kernel
def phrase_columns(
    windows: FloatMatrix, scale: FloatMatrix, bins: IntVector, slots: IntVector, out: FloatMatrix
) -> None:
    """Write the share of new phrases in every window, for every number of symbols."""
    rows, n = windows.shape
    symbols, mark = np.empty(n, dtype=np.int64), np.empty(n + 1, dtype=np.int64)
    child, sibling = np.empty(n + 1, dtype=np.int64), np.empty(n + 1, dtype=np.int64)
    for row in range(rows):
        for column in range(len(bins)):
            discretise(windows[row], scale[row, MINIMUM], scale[row, MAXIMUM], bins[column], symbols)
            out[row, slots[column]] = phrases(symbols, child, sibling, mark) / n


@kernel
def ordering_keys(windows: FloatMatrix, step: int, dimension: int, keys: IntMatrix) -> None:
    """Write one number an ordering of ``dimension`` neighbours, which differ from each other.

    ``step`` moves from one group of neighbours to the next.
    """
    for row in range(len(windows)):
        x = windows[row]
        for group in range(keys.shape[1]):
            start = group * step
            key = 0
            for i in range(start, start + dimension):
                rank = 0
                for j in range(start, start + dimension):
                    rank += 1 if x[j] < x[i] else 0
                key = key * dimension + rank
            keys[row, group] = key


def tied_ordering_keys(windows: FloatMatrix, step: int, dimension: int) -> IntMatrix:
    """Return one number an ordering where neighbours may be equal, ordered as NumPy sorts them."""
    groups = np.lib.stride_tricks.sliding_window_view(windows, dimension, axis=1)[:, ::step]
    ranks = np.argsort(np.argsort(groups, axis=2), axis=2)
    return np.asarray(ranks @ dimension ** np.arange(dimension, dtype=np.int64), dtype=np.int64)


@kernel
def run_entropies(keys: IntMatrix, out: FloatVector) -> None:
    """Write the entropy of the runs of equal keys in each row of sorted keys."""
    rows, count = keys.shape
    for row in range(rows):
        total = 0.0
        start = 0
        for i in range(1, count + 1):
            if i < count and keys[row, i] == keys[row, start]:
                continue
            share = (i - start) / count
            total += share * np.log(share)
            start = i
        out[row] = -total


def permutation_entropies(
    windows: FloatMatrix, tied: npt.NDArray[np.bool_], step: int, dimension: int
) -> FloatVector:
    """Return the entropy of the orderings of neighbours in each window (Bandt and Pompe, 2002).

    The order of equal values is whatever NumPy's sort makes of it (on processors with AVX-512 it is
    not their order in time), so windows that are ``tied`` go through NumPy's sort as in tsfresh.
    """
    rows, n = windows.shape
    out = np.full(rows, np.nan)
    if n >= dimension:
        keys = np.empty((rows, (n - dimension) // step + 1), dtype=np.int64)
        ordering_keys(windows, step, dimension, keys)
        if tied.any():
            keys[tied] = tied_ordering_keys(windows[tied], step, dimension)
        run_entropies(np.sort(keys, axis=1), out)
    return out


def bins_of(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode a number of symbols."""
    bins = whole(parameters["bins"])
    return None if bins is None or bins < 1 else (float(bins),)


def ordering(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode how far groups are apart and how many values they hold."""
    step, dimension = whole(parameters["tau"]), whole(parameters["dimension"])
    if step is None or dimension is None or step < 1 or not 2 <= dimension <= LARGEST_DIMENSION:
        return None
    return (float(step), float(dimension))


class Complexity(Family):
    """Calculators that count patterns."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {
        "lempel_ziv_complexity": Calculator(LEMPEL_ZIV, bins_of),
        "permutation_entropy": Calculator(PERMUTATION, ordering),
    }

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        by_phrases = self.codes == LEMPEL_ZIV
        if by_phrases.any():
            bins = self.numbers[by_phrases, 0].astype(np.int64)
            phrase_columns(chunk.windows, chunk.scale, bins, self.slots[by_phrases], out)
        if not by_phrases.all():
            tied = (np.diff(chunk.sorted, axis=1) == 0.0).any(axis=1)
            for column in np.flatnonzero(~by_phrases):
                step, dimension = (int(number) for number in self.numbers[column, :2])
                out[:, self.slots[column]] = permutation_entropies(chunk.windows, tied, step, dimension)
