"""Coefficients of the continuous wavelet transform with the Mexican hat.

A coefficient is a fixed weighted sum of the window, so the transform is prepared once for a
window length as rows of weights. The weights reproduce PyWavelets 1.9 as tsfresh calls it: the
wavelet sampled at 4,096 points on [-8, 8], integrated, stretched by taking every ``j``-th sample,
and differenced after the convolution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import Chunk
from onward.kernels.tsfresh.family import Calculator, Family, Request, whole
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntVector, dot

__all__ = ["Wavelets", "mexican_hat_steps", "mexican_hat_weights"]

SAMPLES = 4096
EDGE = 8.0


def mexican_hat_steps(scale: float) -> FloatVector:
    """Return the wavelet of one scale as it is laid over a window."""
    t = np.linspace(-EDGE, EDGE, SAMPLES)
    psi = (1.0 - t * t) * np.exp(-t * t / 2.0) * (2.0 / (np.sqrt(3.0) * np.pi**0.25))
    spacing = t[1] - t[0]
    integral = np.cumsum(psi) * spacing
    samples = (np.arange(scale * (t[-1] - t[0]) + 1) / (scale * spacing)).astype(np.int64)
    stretched = integral[samples[samples < SAMPLES]][::-1]
    # np.diff of the convolution equals the convolution with differences, ends included.
    return np.asarray(-np.sqrt(scale) * np.diff(stretched))


def mexican_hat_weights(steps: FloatVector, coefficient: int, length: int) -> FloatVector:
    """Return the weights of one coefficient, shape (length,)."""
    first = (len(steps) - 1) // 2
    lags = coefficient + first - np.arange(length)
    inside = (lags >= 0) & (lags < len(steps))
    weights = np.zeros(length)
    weights[inside] = steps[lags[inside]]
    return weights


@kernel
def weighted_sums(windows: FloatMatrix, weights: FloatMatrix, slots: IntVector, out: FloatMatrix) -> None:
    """Write the inner product of every window with every row of weights."""
    for row in range(len(windows)):
        for column in range(len(slots)):
            out[row, slots[column]] = dot(windows[row], weights[column], windows.shape[1])


def coefficient(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode a coefficient of one scale, which must be among the widths."""
    k, width = whole(parameters["coeff"]), parameters["w"]
    if k is None or k < 0 or width not in tuple(parameters["widths"]) or not float(width) >= 1.0:
        return None
    return (float(k), float(width))


class Wavelets(Family):
    """Calculators on the continuous wavelet transform of the window."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {"cwt_coefficients": Calculator(0, coefficient)}

    def prepare(self, requests: Sequence[Request]) -> None:  # noqa: ARG002
        """Build one row of weights a column; NaN beyond the window's length."""
        by_scale: dict[float, FloatVector] = {}
        self.weights: FloatMatrix = np.full((len(self.slots), self.length), np.nan)
        for row, (k, scale) in enumerate(self.numbers[:, :2]):
            if scale not in by_scale:
                by_scale[scale] = mexican_hat_steps(scale)
            if k < self.length:
                self.weights[row] = mexican_hat_weights(by_scale[scale], int(k), self.length)

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        weighted_sums(chunk.windows, self.weights, self.slots, out)
