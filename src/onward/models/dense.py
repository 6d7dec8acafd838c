"""A matrix product whose rows do not depend on each other, down to the last bit."""

from __future__ import annotations

import numpy as np

from onward.types import FloatArray

__all__ = ["affine"]

ROWS_AT_ONCE = 4_096


def affine(values: FloatArray, weights: FloatArray, bias: FloatArray) -> FloatArray:
    """Return ``values @ weights + bias``, each row summed column by column in their order.

    BLAS chooses its order of summation by the shape of the matrix, so that a row alone and the
    same row in a batch differ in the last bits; a live prediction has to equal the batch's.

    Parameters
    ----------
    values
        Shape (n, n_inputs).
    weights
        Shape (n_inputs, n_outputs).
    bias
        Shape (n_outputs,).

    Returns
    -------
    array
        Shape (n, n_outputs).
    """
    result = np.empty((len(values), weights.shape[1]))
    for start in range(0, len(values), ROWS_AT_ONCE):
        block = np.ascontiguousarray(values[start : start + ROWS_AT_ONCE].T)
        total = np.repeat(bias[:, None], block.shape[1], axis=1)
        for column, row in zip(block, weights, strict=True):
            total += row[:, None] * column
        result[start : start + ROWS_AT_ONCE] = total.T
    return result
