"""Recursive averages: they forget, but never entirely.

A value of the past keeps an influence that shrinks by ``1 - alpha`` a row, so whoever computes
these from a short history needs a warm-up. `ema_lookback` and `wilder_lookback` say how long:
the start's influence has then fallen below 1e-10.
"""

from __future__ import annotations

from typing import SupportsIndex

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel
from onward.kernels.rolling_input import FloatArray, as_series, as_window

__all__ = ["ema", "ema_lookback", "wilder", "wilder_lookback"]


@kernel
def _recursive_mean(values: FloatArray, window: int, alpha: float) -> FloatArray:
    n = len(values)
    out = np.full(n, np.nan)
    known, state = 0, 0.0
    for row in range(n):
        value = values[row]
        if np.isnan(value):
            known, state = 0, 0.0
            continue
        known += 1
        if known < window:
            state += value
        elif known == window:
            state = (state + value) / window
            out[row] = state
        else:
            state += alpha * (value - state)
            out[row] = state
    return out


def ema(values: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return the exponential moving average with ``alpha = 2 / (window + 1)``.

    Seeded like TA-Lib: the first value of each NaN-free run is the simple mean of its first
    ``window`` rows, at the last of them; a NaN starts a new run.
    """
    length = as_window(window)
    return _recursive_mean(as_series(values), length, 2.0 / (length + 1.0))


def wilder(values: npt.ArrayLike, window: SupportsIndex) -> FloatArray:
    """Return Wilder's smoothed average, ``alpha = 1 / window``, seeded like `ema`.

    J. Welles Wilder (1978), "New Concepts in Technical Trading Systems".
    """
    length = as_window(window)
    return _recursive_mean(as_series(values), length, 1.0 / length)


def ema_lookback(window: int) -> int:
    """Return the bars after which an EMA has forgotten its seed: (1 - alpha)^k < 1e-11."""
    return window + 13 * (window + 1)


def wilder_lookback(window: int) -> int:
    """Return the bars after which Wilder's average has forgotten its seed."""
    return window + 26 * window
