"""Sums over windows that never drift: block prefixes and suffixes.

A running sum (add the newest, subtract the oldest) carries the rounding error of everything it
ever saw: after a value of 1e12 has left the window, the digits it pushed out stay lost, and the
result depends on where the series began. Here rows are cut into blocks as long as the window. A
window then is the tail of one block and the head of the next, and its sum is one suffix sum plus
one prefix sum: only rows inside the window ever enter, at about three additions a row whatever
the window's length. (Gil and Werman 1993, "Computing 2-D min, median, and max filters", IEEE
PAMI 15(5), use the same cut for minima.)

Second moments are summed about an anchor: the first row of the newer block, which lies inside
every window that uses it. A member of the window can be at most sqrt(window) deviations away from
its mean, so cancellation loses no more than a factor of the window's length, and a constant
window has a variance of exactly zero.

NaN spreads through a prefix or suffix only to windows that contain it.
"""

from __future__ import annotations

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.rolling_input import FloatArray

__all__ = ["block_comoments", "block_moments", "block_regression", "block_sum"]


@kernel
def block_sum(values: FloatArray, window: int) -> FloatArray:
    """Return the sum over each full window, shape (n,)."""
    n = len(values)
    out = np.full(n, np.nan)
    suffix = np.empty(window)
    for start in range(0, n, window):
        if start > 0:
            total = 0.0
            for offset in range(window - 1, 0, -1):
                total += values[start - window + offset]
                suffix[offset] = total
        total = 0.0
        for offset in range(min(window, n - start)):
            total += values[start + offset]
            if offset == window - 1:
                out[start + offset] = total
            elif start > 0:
                out[start + offset] = suffix[offset + 1] + total
    return out


@kernel
def block_moments(values: FloatArray, window: int, ddof: int) -> tuple[FloatArray, FloatArray]:
    """Return mean and variance (divisor ``window - ddof``) over each full window."""
    n = len(values)
    mean = np.full(n, np.nan)
    variance = np.full(n, np.nan)
    suffix_1 = np.zeros(window + 1)
    suffix_2 = np.zeros(window + 1)
    for start in range(0, n, window):
        anchor = values[start]
        if start > 0:
            first, second = 0.0, 0.0
            for offset in range(window - 1, 0, -1):
                distance = values[start - window + offset] - anchor
                first += distance
                second += distance * distance
                suffix_1[offset] = first
                suffix_2[offset] = second
        first, second = 0.0, 0.0
        for offset in range(min(window, n - start)):
            distance = values[start + offset] - anchor
            first += distance
            second += distance * distance
            if start > 0 or offset == window - 1:
                sum_1 = first + suffix_1[offset + 1]
                sum_2 = second + suffix_2[offset + 1]
                spread = sum_2 - sum_1 * sum_1 / window
                spread = max(spread, 0.0)
                mean[start + offset] = anchor + sum_1 / window
                variance[start + offset] = spread / (window - ddof)
    return mean, variance


@kernel
def block_regression(
    values: FloatArray, window: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Fit a line against 0 .. window - 1 in each full window.

    Returns mean, sum of squared deviations, slope, coefficient of determination (NaN in a flat
    window) and the newest value's residual.
    """
    n = len(values)
    mean = np.full(n, np.nan)
    spread_out = np.full(n, np.nan)
    slope_out = np.full(n, np.nan)
    determination = np.full(n, np.nan)
    residual = np.full(n, np.nan)
    suffix_1 = np.zeros(window + 1)
    suffix_2 = np.zeros(window + 1)
    suffix_t = np.zeros(window + 1)
    half = 0.5 * (window - 1)
    time_spread = window * (window * window - 1.0) / 12.0
    for start in range(0, n, window):
        anchor = values[start]
        if start > 0:
            first, second, timed = 0.0, 0.0, 0.0
            for offset in range(window - 1, 0, -1):
                distance = values[start - window + offset] - anchor
                first += distance
                second += distance * distance
                timed += (offset - window) * distance
                suffix_1[offset] = first
                suffix_2[offset] = second
                suffix_t[offset] = timed
        first, second, timed = 0.0, 0.0, 0.0
        for offset in range(min(window, n - start)):
            row = start + offset
            distance = values[row] - anchor
            first += distance
            second += distance * distance
            timed += offset * distance
            if start > 0 or offset == window - 1:
                sum_1 = first + suffix_1[offset + 1]
                sum_2 = second + suffix_2[offset + 1]
                sum_t = timed + suffix_t[offset + 1]
                spread = sum_2 - sum_1 * sum_1 / window
                spread = max(spread, 0.0)
                together = sum_t - (offset - half) * sum_1
                slope = together / time_spread
                mean[row] = anchor + sum_1 / window
                spread_out[row] = spread
                slope_out[row] = slope
                residual[row] = distance - sum_1 / window - slope * half
                if spread > 0.0:
                    determination[row] = min(1.0, slope * together / spread)
    return mean, spread_out, slope_out, determination, residual


@kernel
def block_comoments(x: FloatArray, y: FloatArray, window: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the sums of squares of x, of y, and of their product, about the window means."""
    n = len(x)
    xx_out = np.full(n, np.nan)
    yy_out = np.full(n, np.nan)
    xy_out = np.full(n, np.nan)
    suffix = np.zeros((window + 1, 5))
    for start in range(0, n, window):
        x_anchor, y_anchor = x[start], y[start]
        if start > 0:
            sx, sy, sxx, syy, sxy = 0.0, 0.0, 0.0, 0.0, 0.0
            for offset in range(window - 1, 0, -1):
                dx = x[start - window + offset] - x_anchor
                dy = y[start - window + offset] - y_anchor
                sx += dx
                sy += dy
                sxx += dx * dx
                syy += dy * dy
                sxy += dx * dy
                suffix[offset, 0] = sx
                suffix[offset, 1] = sy
                suffix[offset, 2] = sxx
                suffix[offset, 3] = syy
                suffix[offset, 4] = sxy
        sx, sy, sxx, syy, sxy = 0.0, 0.0, 0.0, 0.0, 0.0
        for offset in range(min(window, n - start)):
            row = start + offset
            dx = x[row] - x_anchor
            dy = y[row] - y_anchor
            sx += dx
            sy += dy
            sxx += dx * dx
            syy += dy * dy
            sxy += dx * dy
            if start > 0 or offset == window - 1:
                tx = sx + suffix[offset + 1, 0]
                ty = sy + suffix[offset + 1, 1]
                xx = sxx + suffix[offset + 1, 2] - tx * tx / window
                yy = syy + suffix[offset + 1, 3] - ty * ty / window
                xx_out[row] = max(xx, 0.0)
                yy_out[row] = max(yy, 0.0)
                xy_out[row] = sxy + suffix[offset + 1, 4] - tx * ty / window
    return xx_out, yy_out, xy_out
