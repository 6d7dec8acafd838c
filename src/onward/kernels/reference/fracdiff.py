"""Fractional differences from the definition, row by row."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["fractional_difference_reference", "fractional_weights_reference"]

FloatArray = npt.NDArray[np.float64]


def fractional_weights_reference(order: float, width: int) -> FloatArray:
    """Return ``(-1)^k binom(order, k)`` as the product that defines the binomial coefficient."""
    return np.array(
        [math.prod((j - order) / (j + 1.0) for j in range(k)) for k in range(width)], dtype=np.float64
    )


def fractional_difference_reference(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Take each window by itself: the reference of `onward.kernels.fracdiff.fractional_difference`."""
    width = len(weights)
    out = np.full(len(values), np.nan)
    for i in range(width - 1, len(values)):
        window = values[i - width + 1 : i + 1][::-1]
        out[i] = math.fsum(weights * window) if np.isfinite(window).all() else np.nan
    return out
