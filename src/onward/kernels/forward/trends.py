"""The forward window in which a price follows a straight line most clearly.

López de Prado, *Machine Learning for Asset Managers* (Cambridge 2020), 5.4 (snippets 5.1, 5.2).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel

__all__ = ["largest_trend", "largest_trend_reference"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

PERFECT = 1e-12
"""Share of unexplained variance below which a path counts as a straight line."""


@kernel
def largest_trend(
    price: FloatArray, shortest_bars: int, longest_bars: int, step_bars: int
) -> tuple[FloatArray, IntArray]:
    """Return the t-value of largest size among forward line fits, and its window.

    A window of ``k`` bars fits ``price[i] ... price[i + k]`` (``k + 1`` prices, the decision's own
    included) by least squares on 0, 1, ..., k; its t-value is the slope over the slope's standard
    error. Windows are ``longest_bars``, ``longest_bars - step_bars``, ... down to
    ``shortest_bars``. Sums run along with each path, taken from its first price, so a window costs
    O(1) and nothing cancels that is not of the path's own size.

    Parameters
    ----------
    price
        Prices of one symbol in time order, shape (n,).
    shortest_bars, longest_bars, step_bars
        Windows, ``2 <= shortest_bars <= longest_bars``, ``step_bars >= 1``.

    Returns
    -------
    t_value
        Shape (n,); 0 for a path that does not move; NaN where a price within the longest window
        is NaN or lies beyond the data. A straight line would have an infinite t-value: variance
        left unexplained counts as at least 1e-12 of the path's own.
    window
        Bars of the window that was chosen, the shortest of equals, shape (n,); 0 where not known.
    """
    n = len(price)
    t_value = np.full(n, np.nan)
    window = np.zeros(n, dtype=np.int64)
    for row in range(n - longest_bars):
        total, product, square = 0.0, 0.0, 0.0
        best, chosen = 0.0, 0
        for step in range(1, longest_bars + 1):
            move = price[row + step] - price[row]
            total += move
            product += step * move
            square += move * move
            if step < shortest_bars or (longest_bars - step) % step_bars != 0:
                continue
            count = step + 1.0
            moved = square - total * total / count
            value = 0.0
            if moved > 0.0:
                spread = count * (count * count - 1.0) / 12.0
                together = product - 0.5 * step * total
                slope = together / spread
                unexplained = max(moved - slope * together, PERFECT * moved)
                value = slope * np.sqrt((count - 2.0) * spread / unexplained)
            if chosen == 0 or abs(value) > abs(best):
                best, chosen = value, step
        if not np.isnan(total):
            t_value[row] = best
            window[row] = chosen
    return t_value, window


def largest_trend_reference(
    price: FloatArray, shortest_bars: int, longest_bars: int, step_bars: int
) -> tuple[FloatArray, IntArray]:
    """Fit every window by itself, with centred values: the reference of `largest_trend`."""
    n = len(price)
    t_value = np.full(n, np.nan)
    window = np.zeros(n, dtype=np.int64)
    for row in range(n - longest_bars):
        if np.isnan(price[row : row + longest_bars + 1]).any():
            continue
        for bars in reversed(range(longest_bars, shortest_bars - 1, -step_bars)):
            x = np.arange(bars + 1) - bars / 2.0
            y = price[row : row + bars + 1] - price[row]
            y = y - y.mean()
            moved = float(y @ y)
            slope = float(x @ y) / float(x @ x)
            residual = y - slope * x
            unexplained = max(float(residual @ residual), PERFECT * moved)
            error = np.sqrt(unexplained / (bars - 1.0) / float(x @ x))
            value = slope / error if moved > 0.0 else 0.0
            if window[row] == 0 or abs(value) > abs(t_value[row]):
                t_value[row], window[row] = value, bars
    return t_value, window
