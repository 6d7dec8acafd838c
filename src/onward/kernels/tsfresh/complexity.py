"""Patterns in a window: how many new phrases it holds, and how evenly its orderings occur."""

# ruff: noqa: PLR0917 - compiled functions take their arrays by position

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import MAXIMUM, MINIMUM, Chunk
from onward.kernels.tsfresh.family import Calculator, Family, whole
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntMatrix, IntVector

__all__ = ["Complexity"]

LEMPEL_ZIV, PERMUTATION = range(2)
LARGEST_DIMENSION = 15
"""Orderings of more values than this do not fit a 64-bit key."""


@kernel
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
def run_entropy(keys: IntVector, count: int) -> float:
    """Return the entropy of the runs of equal values among the first ``count`` sorted keys."""
    total = 0.0
    start = 0
    for i in range(1, count + 1):
        if i < count and keys[i] == keys[start]:
            continue
        share = (i - start) / count
        total += share * np.log(share)
        start = i
    return -total


@kernel
def permutation_entropy(x: FloatVector, step: int, dimension: int, keys: IntVector) -> float:
    """Return the entropy of the orderings of ``dimension`` neighbours (Bandt and Pompe, 2002).

    ``step`` moves from one group of neighbours to the next. The neighbours differ from each other.
    """
    n = len(x)
    if n < dimension:
        return np.nan
    count = (n - dimension) // step + 1
    for group in range(count):
        start = group * step
        key = 0
        for i in range(start, start + dimension):
            rank = 0
            for j in range(start, start + dimension):
                rank += 1 if x[j] < x[i] else 0
            key = key * dimension + rank
        keys[group] = key
    keys[:count].sort()
    return run_entropy(keys, count)


@kernel
def run_entropies(keys: IntMatrix, out: FloatVector) -> None:
    """Write the entropy of each row of sorted keys."""
    for row in range(len(keys)):
        out[row] = run_entropy(keys[row], keys.shape[1])


def tied_permutation_entropy(windows: FloatMatrix, step: int, dimension: int) -> FloatVector:
    """Return the permutation entropy of windows in which values repeat, ordered as NumPy sorts."""
    out = np.full(len(windows), np.nan)
    if windows.shape[1] >= dimension:
        groups = np.lib.stride_tricks.sliding_window_view(windows, dimension, axis=1)[:, ::step]
        ranks = np.argsort(np.argsort(groups, axis=2), axis=2)
        keys = ranks @ dimension ** np.arange(dimension, dtype=np.int64)
        run_entropies(np.sort(keys, axis=1), out)
    return out


@kernel
def complexity_columns(
    windows: FloatMatrix,
    scale: FloatMatrix,
    codes: IntVector,
    numbers: FloatMatrix,
    slots: IntVector,
    out: FloatMatrix,
) -> None:
    """Write every column of every window."""
    rows, n = windows.shape
    symbols, keys = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    child, sibling = np.empty(n + 1, dtype=np.int64), np.empty(n + 1, dtype=np.int64)
    mark = np.empty(n + 1, dtype=np.int64)
    for row in range(rows):
        x = windows[row]
        for column in range(len(codes)):
            first, second = int(numbers[column, 0]), int(numbers[column, 1])
            if codes[column] == LEMPEL_ZIV:
                discretise(x, scale[row, MINIMUM], scale[row, MAXIMUM], first, symbols)
                value = phrases(symbols, child, sibling, mark) / n
            else:
                value = permutation_entropy(x, first, second, keys)
            out[row, slots[column]] = value


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
        """Write the wanted columns of every window.

        The order of equal values is whatever NumPy's sort makes of it (on processors with AVX-512
        it is not their order in time), so windows with ties go through NumPy's sort as in tsfresh.
        """
        complexity_columns(chunk.windows, chunk.scale, self.codes, self.numbers, self.slots, out)
        orderings = np.flatnonzero(self.codes == PERMUTATION)
        tied = (np.diff(chunk.sorted, axis=1) == 0.0).any(axis=1)
        if len(orderings) and tied.any():
            windows = chunk.windows[tied]
            for column in orderings:
                step, dimension = (int(n) for n in self.numbers[column, :2])
                out[tied, self.slots[column]] = tied_permutation_entropy(windows, step, dimension)
