"""Figures without a unit are taken from values near 1, whose squares neither overflow nor vanish."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onward.types import FloatArray

__all__ = ["near_one"]


def near_one(values: FloatArray, *, each_column: bool = False) -> tuple[FloatArray, npt.NDArray[np.int32]]:
    """Return values scaled so that the largest lies between 0.5 and 1, and the exponent of the scale.

    Scales are powers of two, which change no digit: ``values == ldexp(scaled, exponent)``, as far as
    values that are smaller than the largest by more than 300 orders of magnitude can be held.

    Parameters
    ----------
    values
        Finite, shape (n,) or (n, k). Without a value other than 0 the exponent is 0.
    each_column
        Whether each column has a scale of its own; else all values share one.

    Returns
    -------
    tuple
        The scaled values, and the exponents, of shape () or (k,).
    """
    size = np.abs(values).max(axis=0 if each_column else None, initial=0.0)
    exponent = np.asarray(np.frexp(size)[1], dtype=np.int32)
    return np.asarray(np.ldexp(values, -exponent), dtype=np.float64), exponent
