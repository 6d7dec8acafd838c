"""A few hundred windows at a time, with the work that several families share done once."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, mean_of, variance_of

__all__ = ["MAXIMUM", "MEAN", "MINIMUM", "STANDARD_DEVIATION", "VARIANCE", "Chunk"]

MEAN, VARIANCE, STANDARD_DEVIATION, MINIMUM, MAXIMUM = range(5)
"""Columns of `Chunk.scale`."""

WELCH_SEGMENT = 256


@kernel
def window_scale(windows: FloatMatrix) -> FloatMatrix:
    """Return mean, variance, standard deviation, minimum and maximum of each window."""
    rows, length = windows.shape
    scale = np.empty((rows, 5))
    scratch = np.empty(length)
    for row in range(rows):
        x = windows[row]
        low = high = x[0]
        for i in range(1, length):
            low = min(low, x[i])
            high = max(high, x[i])
        mean = mean_of(x, length)
        variance = variance_of(x, length, scratch)
        scale[row, MEAN] = mean
        scale[row, VARIANCE] = variance
        scale[row, STANDARD_DEVIATION] = np.sqrt(variance)
        scale[row, MINIMUM] = low
        scale[row, MAXIMUM] = high
    return scale


class Chunk:
    """Windows of one length, and what is computed from them at most once.

    Parameters
    ----------
    windows
        One window a row, oldest value first, shape (rows, length), C-contiguous, finite.
    hours
        Hours since each window's first moment, same shape; None without times.
    """

    def __init__(self, windows: FloatMatrix, hours: FloatMatrix | None = None) -> None:
        self.windows = windows
        self.hours = hours

    @property
    def length(self) -> int:
        """Values in a window."""
        return int(self.windows.shape[1])

    @cached_property
    def scale(self) -> FloatMatrix:
        """Mean, variance, standard deviation, minimum and maximum, shape (rows, 5)."""
        return window_scale(self.windows)

    @cached_property
    def sorted(self) -> FloatMatrix:
        """Each window in ascending order."""
        return np.sort(self.windows, axis=1)

    @cached_property
    def spectrum(self) -> npt.NDArray[np.complex128]:
        """Discrete Fourier transform of each window, shape (rows, length // 2 + 1).

        NumPy transforms row by row, so a row's bits do not depend on its neighbours.
        """
        return np.ascontiguousarray(np.fft.rfft(self.windows, axis=1))

    @cached_property
    def density(self) -> FloatMatrix:
        """Welch's power spectral density: Hann windows of at most 256 values, half overlapping.

        Method: Welch (1967), with the mean taken out of each segment and one-sided scaling.
        """
        segment = min(self.length, WELCH_SEGMENT)
        step = segment - segment // 2
        taper = hann(segment)
        starts = range(0, self.length - segment + 1, step)
        total: Any = None
        for start in starts:
            part = self.windows[:, start : start + segment]
            # One segment is the window itself. Means of several come with more than is asked for,
            # but from a kernel that is compiled anyway.
            scale = self.scale if segment == self.length else window_scale(np.ascontiguousarray(part))
            means = scale[:, MEAN]
            transform = np.fft.rfft((part - means[:, None]) * taper, axis=1)
            power = transform.real**2 + transform.imag**2
            total = power if total is None else total + power
        density = total * (1.0 / float(np.sum(taper * taper))) / len(starts)
        last = density.shape[1] if segment % 2 else density.shape[1] - 1
        density[:, 1:last] *= 2.0
        return np.ascontiguousarray(density)


def hann(length: int) -> FloatVector:
    """Return the periodic Hann taper of a length."""
    if length == 1:
        return np.ones(1)
    angles = np.linspace(-np.pi, np.pi, length + 1)
    return np.asarray(0.5 + 0.5 * np.cos(angles))[:-1]
