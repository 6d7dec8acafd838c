"""What a forest of binary trees says of rows in which some columns hold other values.

A tree asks a row about a handful of columns, each question independent of the others. The answers
are kept as sets of leaves that are still possible, one bit a leaf: a value that goes right rules out
the leaves to the left. The leaf that is reached is the leftmost that no answer rules out (QuickScorer:
Lucchese et al. 2015, A fast algorithm to rank documents with additive ensembles of regression trees).
To exchange a column is then to exchange one set of leaves, and one pass over the trees answers for
every group of columns, where prediction would walk through all trees for each.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel

__all__ = [
    "MISSING_NAN",
    "MISSING_ZERO",
    "MOST_LEAVES",
    "exchanged_margins",
    "exchanged_margins_reference",
]

MOST_LEAVES = 64
"""Leaves of a tree, at most: a set of them is one word."""

MISSING_ZERO = 1
MISSING_NAN = 2
"""Which values a split sends its own way, whatever its threshold: zeros and NaN, or NaN alone. Other
splits take NaN for a zero."""

NEARLY_ZERO = 1e-35

EVERY = np.uint64(0xFFFFFFFFFFFFFFFF)
ONE = np.uint64(1)
DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
TOP_SIX = np.uint64(58)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def _positions() -> IntArray:
    """Return the position of a lone bit, by the six top bits of its product with the constant."""
    table = np.empty(64, dtype=np.int64)
    for position in range(64):
        table[((1 << position) * int(DE_BRUIJN) & int(EVERY)) >> int(TOP_SIX)] = position
    return table


POSITION = _positions()


@kernel
def exchanged_margins(
    values: FloatArray,
    sources: IntArray,
    group: IntArray,
    n_groups: int,
    n_classes: int,
    n_leaves: IntArray,
    column: IntArray,
    threshold: FloatArray,
    left: IntArray,
    right: IntArray,
    missing: IntArray,
    default_left: IntArray,
    leaf: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the margins of rows as they are, and with each group of columns exchanged.

    Parameters
    ----------
    values
        Columns of the rows, shape (n_columns, n); NaN where not known.
    sources
        The rows that each row gets the values of exchanged columns from, shape (n_repeats, n).
    group
        Group of each column, -1 for columns that are never exchanged, shape (n_columns,).
    n_groups, n_classes
        Numbers of groups, and of classes; tree t speaks of class ``t % n_classes``.
    n_leaves
        Leaves of each tree, 1 to `MOST_LEAVES`, shape (n_trees,); it has one node less.
    column, threshold, left, right, missing, default_left
        Nodes of all trees, one after the other, the root of each first and parents before their
        children: a value up to the threshold goes left. Children count from the first node of their
        tree, negative ones are the leaf ``-child - 1``. ``missing``: 0, `MISSING_ZERO` or `MISSING_NAN`.
    leaf
        Values of the leaves of all trees.

    Returns
    -------
    tuple
        Shapes (n_classes, n) and (n_groups, n_classes, n_repeats, n). Leaves are added up in the order
        of the trees, so that rows that reach the same leaves have the same bits.
    """
    n, n_repeats = values.shape[1], sources.shape[0]
    margins = np.zeros((n_classes, n))
    exchanged = np.zeros((n_groups, n_classes, n_repeats, n))
    place = np.full(n_groups + 1, -1, dtype=np.int64)
    asked = np.empty(MOST_LEAVES, dtype=np.int64)
    size, first = np.empty(MOST_LEAVES, dtype=np.int64), np.empty(MOST_LEAVES, dtype=np.int64)
    ordered = np.empty(MOST_LEAVES)
    possible = np.empty((MOST_LEAVES, n), dtype=np.uint64)
    after = np.empty((MOST_LEAVES + 1, n), dtype=np.uint64)
    before, reached = np.empty(n, dtype=np.uint64), np.empty(n)
    node_0 = leaf_0 = 0
    for tree in range(len(n_leaves)):
        n_nodes = n_leaves[tree] - 1
        which = tree % n_classes
        if n_nodes == 0:
            margins[which] += leaf[leaf_0]
            exchanged[:, which] += leaf[leaf_0]
        else:
            # Leaves from left to right: how many lie under each node, and where they begin.
            for node in range(n_nodes - 1, -1, -1):
                down, up = left[node_0 + node], right[node_0 + node]
                size[node] = (size[down] if down >= 0 else 1) + (size[up] if up >= 0 else 1)
            first[0] = 0
            n_asked = 0
            for node in range(n_nodes):
                at = node_0 + node
                down, up = left[at], right[at]
                on_left = size[down] if down >= 0 else 1
                if down >= 0:
                    first[down] = first[node]
                else:
                    ordered[first[node]] = leaf[leaf_0 - down - 1]
                if up >= 0:
                    first[up] = first[node] + on_left
                else:
                    ordered[first[node] + on_left] = leaf[leaf_0 - up - 1]
                kept = EVERY ^ (((ONE << np.uint64(on_left)) - ONE) << np.uint64(first[node]))
                one = group[column[at]] + 1
                if place[one] < 0:
                    place[one] = n_asked
                    asked[n_asked] = one
                    possible[n_asked] = EVERY
                    n_asked += 1
                _rule_out(
                    possible[place[one]],
                    values[column[at]],
                    threshold[at],
                    missing[at],
                    default_left[at] != 0,
                    kept,
                )
            after[n_asked] = EVERY
            for k in range(n_asked - 1, -1, -1):
                for i in range(n):
                    after[k, i] = after[k + 1, i] & possible[k, i]
            for i in range(n):
                before[i] = EVERY
                reached[i] = ordered[_leftmost(after[0, i])]
                margins[which, i] += reached[i]
            for k in range(n_asked):
                one = asked[k] - 1
                if one >= 0:
                    for repeat in range(n_repeats):
                        for i in range(n):
                            left_over = before[i] & after[k + 1, i] & possible[k, sources[repeat, i]]
                            exchanged[one, which, repeat, i] += ordered[_leftmost(left_over)]
                for i in range(n):
                    before[i] &= possible[k, i]
            for one in range(n_groups):
                if place[one + 1] < 0:
                    for repeat in range(n_repeats):
                        exchanged[one, which, repeat] += reached
            for k in range(n_asked):
                place[asked[k]] = -1
        node_0 += n_nodes
        leaf_0 += n_nodes + 1
    return margins, exchanged


@kernel
def _rule_out(
    possible: npt.NDArray[np.uint64],
    values: FloatArray,
    threshold: float,
    missing: int,
    default_left: bool,
    kept: np.uint64,
) -> None:
    """Leave the leaves that a node's answers leave."""
    nan_right = not default_left if missing != 0 else threshold < 0.0
    zero_apart = missing == MISSING_ZERO
    for i in range(len(values)):
        value = values[i]
        goes_right = value > threshold or (np.isnan(value) and nan_right)
        if zero_apart and abs(value) <= NEARLY_ZERO:
            goes_right = not default_left
        possible[i] &= kept if goes_right else EVERY


@kernel
def _leftmost(leaves: np.uint64) -> int:
    lone = leaves & (~leaves + ONE)
    return int(POSITION[(lone * DE_BRUIJN) >> TOP_SIX])


def exchanged_margins_reference(
    values: FloatArray,
    sources: IntArray,
    group: IntArray,
    n_groups: int,
    n_classes: int,
    n_leaves: IntArray,
    column: IntArray,
    threshold: FloatArray,
    left: IntArray,
    right: IntArray,
    missing: IntArray,
    default_left: IntArray,
    leaf: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Exchange the values of copies of the rows and walk through every tree with each: the definition."""
    node_0, leaf_0 = np.cumsum(n_leaves - 1) - (n_leaves - 1), np.cumsum(n_leaves) - n_leaves

    def margins(columns: FloatArray) -> FloatArray:
        found = np.zeros((n_classes, columns.shape[1]))
        for i, row in enumerate(columns.T):
            for tree in range(len(n_leaves)):
                node = 0 if n_leaves[tree] > 1 else -1
                while node >= 0:
                    at = node_0[tree] + node
                    value, kind = row[column[at]], missing[at]
                    absent = bool(np.isnan(value)) and kind != 0
                    absent |= bool(np.nan_to_num(abs(value)) <= NEARLY_ZERO) and kind == MISSING_ZERO
                    goes_left = default_left[at] if absent else np.nan_to_num(value) <= threshold[at]
                    node = (left if goes_left else right)[at]
                found[tree % n_classes, i] += leaf[leaf_0[tree] - node - 1]
        return found

    exchanged = np.empty((n_groups, n_classes, *sources.shape))
    for one in range(n_groups):
        for repeat, source in enumerate(sources):
            exchanged[one, :, repeat] = margins(np.where((group == one)[:, None], values[:, source], values))
    return margins(values), exchanged
