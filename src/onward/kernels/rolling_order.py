"""Order statistics of windows: extremes by a monotonic queue, ranks by a sorted window.

Both restart after a NaN: a window that contains one has no value, and a window that begins after
it need not know of it.
"""

from __future__ import annotations

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.rolling_input import FloatArray

__all__ = ["queue_extreme", "sorted_window"]


@kernel
def queue_extreme(values: FloatArray, window: int, sign: float) -> tuple[FloatArray, FloatArray]:
    """Return the extreme of each full window and its position, the oldest row being 0.

    ``sign`` is 1.0 for the maximum, -1.0 for the minimum. Among equals the oldest counts. Every
    row enters and leaves the queue once, so the cost does not grow with the window.
    """
    n = len(values)
    extreme = np.full(n, np.nan)
    position = np.full(n, np.nan)
    queue = np.empty(n, np.int64)
    head, tail, known = 0, 0, 0
    for row in range(n):
        value = sign * values[row]
        if np.isnan(value):
            head, tail, known = 0, 0, 0
            continue
        known += 1
        while tail > head and sign * values[queue[tail - 1]] < value:
            tail -= 1
        queue[tail] = row
        tail += 1
        if queue[head] <= row - window:
            head += 1
        if known >= window:
            extreme[row] = values[queue[head]]
            position[row] = queue[head] - (row - window + 1)
    return extreme, position


@kernel
def _first_not_less(ordered: FloatArray, count: int, value: float) -> int:
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def sorted_window(
    values: FloatArray, window: int, probabilities: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the newest row's percentile rank, and quantiles (one row a probability).

    The rank is (rows below + half of the equal others + 1 - the half step of an average tie) /
    window, that is pandas' ``rank(pct=True)``; quantiles interpolate linearly between order
    statistics (Hyndman and Fan 1996, type 7).
    """
    n = len(values)
    rank = np.full(n, np.nan)
    quantile = np.full((len(probabilities), n), np.nan)
    ordered = np.empty(window)
    count = 0
    for row in range(n):
        value = values[row]
        if np.isnan(value):
            count = 0
            continue
        if count < window:
            place = _first_not_less(ordered, count, value)
            for i in range(count, place, -1):
                ordered[i] = ordered[i - 1]
            ordered[place] = value
            count += 1
        else:
            # The leaving row's place is closed and the newest's opened in one move.
            gone = _first_not_less(ordered, count, values[row - window])
            place = _first_not_less(ordered, count, value)
            if place > gone:
                place -= 1
                for i in range(gone, place):
                    ordered[i] = ordered[i + 1]
            else:
                for i in range(gone, place, -1):
                    ordered[i] = ordered[i - 1]
            ordered[place] = value
        if count < window:
            continue
        below = _first_not_less(ordered, window, value)
        equal = 1
        while below + equal < window and ordered[below + equal] == value:
            equal += 1
        rank[row] = (below + 0.5 * (equal + 1)) / window
        for k in range(len(probabilities)):
            exact = probabilities[k] * (window - 1)
            lower = min(int(exact), window - 1)
            upper = min(lower + 1, window - 1)
            step = ordered[upper] - ordered[lower]
            quantile[k, row] = ordered[lower] + (exact - lower) * step
    return rank, quantile
