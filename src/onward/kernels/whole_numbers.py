"""Real numbers as whole ones, so that sums of their products are exact and come out the same everywhere.

A linear algebra library adds a product up in an order that depends on its threads and on the
processor, and the last bits of the result with it. Sums of whole numbers are exact in float64 as
long as they stay below 2^53: no order can change them. Numbers of 20 bits leave room for 8,192
rows; what their rounding costs is a millionth of the largest value, once a value.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["EXACT_ROWS", "LARGEST_WHOLE", "whole_numbers", "whole_units"]

FloatArray = npt.NDArray[np.float64]

LARGEST_WHOLE = 2**20
"""Size of the largest whole number."""

EXACT_ROWS = 2**12
"""Rows over which products of two of them may be summed in any order, with a factor 2 to spare."""


def whole_units(values: npt.NDArray[np.floating]) -> FloatArray:
    """Return the unit of each row in which its largest value is `LARGEST_WHOLE`; 0 for a row of zeros.

    Parameters
    ----------
    values
        Shape (n_rows, n_columns), finite.

    Returns
    -------
    Shape (n_rows, 1).
    """
    largest = np.maximum(values.max(axis=1), -values.min(axis=1)).astype(np.float64)
    return np.asarray(largest[:, None] / LARGEST_WHOLE, dtype=np.float64)


def whole_numbers(values: npt.NDArray[np.floating], unit: FloatArray) -> FloatArray:
    """Return rows of numbers in their units, rounded; shape as given."""
    whole = values * (1.0 / np.where(unit > 0, unit, 1.0))
    return np.rint(whole, out=whole)
