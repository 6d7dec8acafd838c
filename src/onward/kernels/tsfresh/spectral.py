"""The window's frequencies: Fourier coefficients, moments of the spectrum, Welch density, its entropy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import Chunk
from onward.kernels.tsfresh.entropy import histogram_entropy
from onward.kernels.tsfresh.family import Calculator, Family, whole
from onward.kernels.tsfresh.inner import inner_kernel
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntVector

__all__ = ["Density", "Spectrum"]

COEFFICIENT, MOMENT = range(2)
REAL, IMAGINARY, MAGNITUDE, ANGLE = range(4)
CENTROID, SPREAD, SKEW, KURTOSIS = range(4)
ATTRIBUTES = {"real": REAL, "imag": IMAGINARY, "abs": MAGNITUDE, "angle": ANGLE}
MOMENTS = {"centroid": CENTROID, "variance": SPREAD, "skew": SKEW, "kurtosis": KURTOSIS}
SMALLEST_SPREAD = 0.5
"""Spectra narrower than this have no skewness or kurtosis in tsfresh."""
DEGREES = 180.0 / np.pi


@inner_kernel
def spectrum_moments(magnitudes: FloatVector, out: FloatVector) -> None:
    """Write centroid, variance, skewness and kurtosis of a magnitude spectrum, as tsfresh defines them.

    Its third and fourth moments are not the textbook's; they are kept as they are.
    """
    mass = first = second = third = fourth = 0.0
    for k in range(len(magnitudes)):
        weight = magnitudes[k]
        mass += weight
        first += weight * k
        second += weight * (k * k)
        third += weight * float(k) ** 3
        fourth += weight * float(k) ** 4
    first, second, third, fourth = first / mass, second / mass, third / mass, fourth / mass
    spread = second - first * first
    out[CENTROID] = first
    out[SPREAD] = spread
    out[SKEW] = np.nan
    out[KURTOSIS] = np.nan
    if not spread < SMALLEST_SPREAD:
        out[SKEW] = (third - 3.0 * first * spread - first**3) / spread**1.5
        out[KURTOSIS] = (
            fourth - 4.0 * first * third + 6.0 * second * first * first - 3.0 * first
        ) / spread**2


@kernel
def spectrum_columns(
    spectrum: npt.NDArray[np.complex128],
    codes: IntVector,
    numbers: FloatMatrix,
    slots: IntVector,
    wants_moments: bool,
    out: FloatMatrix,
) -> None:
    """Write every column of every window."""
    rows, bins = spectrum.shape
    magnitudes, moments = np.empty(bins), np.empty(4)
    for row in range(rows):
        if wants_moments:
            for k in range(bins):
                magnitudes[k] = math.hypot(spectrum[row, k].real, spectrum[row, k].imag)
            spectrum_moments(magnitudes, moments)
        for column in range(len(codes)):
            which = int(numbers[column, 0])
            value = np.nan
            if codes[column] == MOMENT:
                value = moments[which]
            else:
                k = int(numbers[column, 1])
                if k < bins:
                    coefficient = spectrum[row, k]
                    if which == REAL:
                        value = coefficient.real
                    elif which == IMAGINARY:
                        value = coefficient.imag
                    elif which == MAGNITUDE:
                        value = math.hypot(coefficient.real, coefficient.imag)
                    else:
                        value = math.atan2(coefficient.imag, coefficient.real) * DEGREES
            out[row, slots[column]] = value


@kernel
def density_columns(
    density: FloatMatrix, codes: IntVector, numbers: FloatMatrix, slots: IntVector, out: FloatMatrix
) -> None:
    """Write Welch densities (code 0) and entropies of their histogram (code 1) of every window."""
    rows, frequencies = density.shape
    relative = np.empty(frequencies)
    for row in range(rows):
        peak = density[row, 0]
        for k in range(1, frequencies):
            peak = max(peak, density[row, k])
        for k in range(frequencies):
            relative[k] = density[row, k] / peak
        for column in range(len(codes)):
            which = int(numbers[column, 0])
            if codes[column] == 1:
                value = histogram_entropy(relative, which) if 0.0 < peak < np.inf else np.nan
            else:
                value = density[row, which] if which < frequencies else np.nan
            out[row, slots[column]] = value


def coefficient(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode one figure of one Fourier coefficient."""
    which, k = ATTRIBUTES.get(parameters["attr"]), whole(parameters["coeff"])
    return None if which is None or k is None or k < 0 else (float(which), float(k))


def moment(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode a moment of the magnitude spectrum."""
    which = MOMENTS.get(parameters["aggtype"])
    return None if which is None else (float(which),)


def counted(name: str, at_least: int) -> Any:
    """Return an encoder of one whole number."""

    def encode(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
        value = whole(parameters[name])
        return None if value is None or value < at_least else (float(value),)

    return encode


class Spectrum(Family):
    """Calculators on the discrete Fourier transform of the window."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {
        "fft_coefficient": Calculator(COEFFICIENT, coefficient),
        "fft_aggregated": Calculator(MOMENT, moment),
    }

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        wants_moments = bool((self.codes == MOMENT).any())
        spectrum_columns(chunk.spectrum, self.codes, self.numbers, self.slots, wants_moments, out)


class Density(Family):
    """Calculators on Welch's power spectral density."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {
        "spkt_welch_density": Calculator(0, counted("coeff", 0)),
        "fourier_entropy": Calculator(1, counted("bins", 1)),
    }

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        density_columns(chunk.density, self.codes, self.numbers, self.slots, out)
