"""Draws that avoid what overlaps earlier draws.

López de Prado, *Advances in Financial Machine Learning* (Wiley 2018), 4.5 (snippets 4.4, 4.5).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel

__all__ = ["sequential_draws", "uniqueness_after"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@kernel
def sequential_draws(
    first: IntArray, last: IntArray, reach: IntArray, weight: FloatArray, uniform: FloatArray
) -> IntArray:
    """Draw intervals in proportion to their uniqueness among those drawn so far.

    A draw changes the uniqueness of the intervals that share a cell with it, and of no others.
    These are found by two binary searches and corrected through a running sum over the drawn
    cells; a Fenwick tree keeps the sums to draw from. One draw costs O(overlaps x log n), where
    the snippet of the book costs O(n x cells).

    Parameters
    ----------
    first, last
        First and last cell of each interval, both included, shape (n,), sorted by ``first``.
    reach
        Running maximum of ``last``.
    weight
        Instants that a cell stands for, shape (cells,), 0 or more; each interval's sum is positive.
    uniform
        Random numbers in [0, 1), one a draw, shape (size,).

    Returns
    -------
    Positions drawn, shape (size,), in the order of drawing.
    """
    n = len(first)
    before = np.zeros(len(weight) + 1)
    for cell in range(len(weight)):
        before[cell + 1] = before[cell] + weight[cell]
    tree = np.zeros(n + 1)
    for row in range(1, n + 1):
        tree[row] += 1.0
        parent = row + (row & -row)
        if parent <= n:
            tree[parent] += tree[row]
    highest = 1
    while highest * 2 <= n:
        highest *= 2
    count = np.zeros(len(weight), dtype=np.int64)
    loss = np.empty(len(weight) + 1)
    drawn = np.empty(len(uniform), dtype=np.int64)
    for draw in range(len(uniform)):
        total = 0.0
        row = n
        while row > 0:
            total += tree[row]
            row -= row & -row
        wanted = uniform[draw] * total
        chosen, stride = 0, highest
        while stride > 0:
            if chosen + stride <= n and tree[chosen + stride] <= wanted:
                chosen += stride
                wanted -= tree[chosen]
            stride //= 2
        chosen = min(chosen, n - 1)
        drawn[draw] = chosen
        start, stop = first[chosen], last[chosen]
        loss[start] = 0.0
        for cell in range(start, stop + 1):
            held = count[cell]
            loss[cell + 1] = loss[cell] + weight[cell] * (1.0 / (held + 1.0) - 1.0 / (held + 2.0))
            count[cell] = held + 1
        for other in range(np.searchsorted(reach, start), np.searchsorted(first, stop, side="right")):
            if last[other] < start:
                continue
            lost = loss[min(last[other], stop) + 1] - loss[max(first[other], start)]
            lost /= before[last[other] + 1] - before[first[other]]
            node = other + 1
            while node <= n:
                tree[node] -= lost
                node += node & -node
    return drawn


def uniqueness_after(first: IntArray, last: IntArray, weight: FloatArray, drawn: IntArray) -> FloatArray:
    """Return the average uniqueness each interval would have if it were drawn next.

    The definition that `sequential_draws` keeps up to date. Arguments as there, ``first`` in any
    order; ``drawn`` are positions drawn so far, with repetitions.
    """
    edges = np.zeros(len(weight) + 1, dtype=np.int64)
    np.add.at(edges, first[drawn], 1)
    np.add.at(edges, last[drawn] + 1, -1)
    count = np.cumsum(edges)[:-1]
    share = np.concatenate(([0.0], np.cumsum(weight / (count + 1.0))))
    size = np.concatenate(([0.0], np.cumsum(weight)))
    return np.asarray((share[last + 1] - share[first]) / (size[last + 1] - size[first]), dtype=np.float64)
