"""What has become of a price a fixed number of bars later."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["UNKNOWN_TIME", "forward_log_return", "forward_log_return_reference", "forward_time"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

UNKNOWN_TIME = np.iinfo(np.int64).min
"""Value of `forward_time` where the outcome lies beyond the data (NumPy's not-a-time)."""


def forward_log_return(price: FloatArray, horizon_bars: int) -> FloatArray:
    """Return ``log(price[i + horizon_bars] / price[i])``.

    Parameters
    ----------
    price
        Prices of one symbol in time order, shape (n,).
    horizon_bars
        Bars ahead, at least 1.

    Returns
    -------
    Shape (n,); NaN for the last ``horizon_bars`` rows and wherever one of the two prices is NaN,
    infinite or not positive.
    """
    usable = np.isfinite(price) & (price > 0.0)
    logarithm = np.log(price, out=np.full(len(price), np.nan), where=usable)
    out = np.full(len(price), np.nan)
    if horizon_bars < len(price):
        out[:-horizon_bars] = logarithm[horizon_bars:] - logarithm[:-horizon_bars]
    return out


def forward_log_return_reference(price: FloatArray, horizon_bars: int) -> FloatArray:
    """Go row by row: the definition of `forward_log_return`."""
    out = np.full(len(price), np.nan)
    for i in range(len(price) - horizon_bars):
        now, then = price[i], price[i + horizon_bars]
        if np.isfinite(now) and np.isfinite(then) and now > 0.0 and then > 0.0:
            out[i] = np.log(then) - np.log(now)
    return out


def forward_time(time: IntArray, horizon_bars: int) -> IntArray:
    """Return the time ``horizon_bars`` bars ahead: when a fixed-horizon outcome becomes known.

    Parameters
    ----------
    time
        Decision times of one symbol's bars, ns UTC, ascending, shape (n,).
    horizon_bars
        Bars ahead, at least 1.

    Returns
    -------
    Shape (n,); `UNKNOWN_TIME` for the last ``horizon_bars`` rows.
    """
    out = np.full(len(time), UNKNOWN_TIME, dtype=np.int64)
    if horizon_bars < len(time):
        out[:-horizon_bars] = time[horizon_bars:]
    return out
