"""Which of two price levels a path crosses first, and when.

López de Prado, *Advances in Financial Machine Learning* (Wiley 2018), 3.4 (snippet 3.2), with the
range of each bar taken into account where it is given.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel

__all__ = ["BOTH", "LOWER", "NOT_KNOWN", "UPPER", "VERTICAL", "first_touch", "first_touch_reference"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

NOT_KNOWN = 0
"""The row has no levels, or the data end before its path is decided."""
UPPER = 1
LOWER = 2
BOTH = 3
"""One bar, opened between the levels, crosses both; which came first cannot be told from it."""
VERTICAL = 4
"""Neither level is crossed within the horizon."""


@kernel
def first_touch(
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    upper: FloatArray,
    lower: FloatArray,
    horizon_bars: int,
) -> tuple[IntArray, IntArray]:
    """Return which level each row's path crosses first, and at which bar.

    The path of row ``i`` begins after its own bar, for the decision falls at its close, and ends
    with bar ``i + horizon_bars``. A level is crossed when a price lies strictly beyond it. The
    open is the first price of a bar, so a bar that opens beyond a level is decided by its open.
    For paths of closes alone, pass the closes as open, high and low too.

    Parameters
    ----------
    open_, high, low, close
        Prices of one symbol in time order, shape (n,); NaN = not known, crosses nothing.
    upper, lower
        Levels of each row, shape (n,); infinite = there is none, NaN = the row is left out.
    horizon_bars
        Bars until the vertical barrier, at least 1.

    Returns
    -------
    barrier
        `UPPER`, `LOWER`, `BOTH`, `VERTICAL` or `NOT_KNOWN`, shape (n,). It is not known for rows
        left out, for paths that the end of the data cuts off before a touch, and for paths
        without a touch whose last close is NaN.
    bar
        Position of the bar that decided, shape (n,); -1 where not known.
    """
    n = len(close)
    barrier = np.zeros(n, dtype=np.int64)
    bar = np.full(n, -1, dtype=np.int64)
    for row in range(n):
        top, bottom = upper[row], lower[row]
        if np.isnan(top) or np.isnan(bottom):
            continue
        last = row + horizon_bars
        found = 0
        for step in range(row + 1, min(last + 1, n)):
            if open_[step] > top:
                found = 1
            elif open_[step] < bottom:
                found = 2
            else:
                found = (1 if high[step] > top else 0) + (2 if low[step] < bottom else 0)
            if found != 0:
                barrier[row] = found
                bar[row] = step
                break
        if found == 0 and last < n and not np.isnan(close[last]):
            barrier[row] = 4
            bar[row] = last
    return barrier, bar


def first_touch_reference(
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    upper: FloatArray,
    lower: FloatArray,
    horizon_bars: int,
) -> tuple[IntArray, IntArray]:
    """Take each path by itself, as the definition has it: the reference of `first_touch`."""
    n = len(close)
    barrier = np.full(n, NOT_KNOWN, dtype=np.int64)
    bar = np.full(n, -1, dtype=np.int64)
    for row in range(n):
        if np.isnan(upper[row]) or np.isnan(lower[row]):
            continue
        path = slice(row + 1, row + horizon_bars + 1)
        above = (open_[path] > upper[row]) | (high[path] > upper[row])
        below = (open_[path] < lower[row]) | (low[path] < lower[row])
        touched = np.flatnonzero(above | below)
        if len(touched):
            bar[row] = row + 1 + touched[0]
            first = open_[bar[row]]
            if first > upper[row] or (above[touched[0]] and not below[touched[0]]):
                barrier[row] = UPPER
            elif first < lower[row] or not above[touched[0]]:
                barrier[row] = LOWER
            else:
                barrier[row] = BOTH
        elif row + horizon_bars < n and np.isfinite(close[row + horizon_bars]):
            barrier[row], bar[row] = VERTICAL, row + horizon_bars
    return barrier, bar
