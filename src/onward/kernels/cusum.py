"""Moments at which a series has moved far enough since the last one.

López de Prado, *Advances in Financial Machine Learning* (Wiley 2018), 2.5.2.1 (snippet 2.4).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel

__all__ = ["cusum", "cusum_reference"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@kernel
def cusum(values: FloatArray, threshold: FloatArray) -> BoolArray:
    """Return where the symmetric CUSUM filter fires.

    ``S+ = max(0, S+ + x)`` and ``S- = min(0, S- + x)`` add up the changes ``x`` of the series. The
    filter fires when ``S- < -threshold`` (looked at first) or ``S+ > threshold``, strictly, and
    only the sum that fired begins anew. What happens at a row follows from rows up to it.

    Parameters
    ----------
    values
        One symbol's series in time order (log prices give log returns), shape (n,). A NaN is
        passed over: the change is taken from the last known value.
    threshold
        Size of a move at each row, shape (n,). NaN = not known yet: nothing fires there and both
        sums begin anew.

    Returns
    -------
    Shape (n,).
    """
    n = len(values)
    fired = np.zeros(n, dtype=np.bool_)
    last = np.nan
    up, down = 0.0, 0.0
    for row in range(n):
        value = values[row]
        if np.isnan(value):
            continue
        change = value - last
        last = value
        if np.isnan(threshold[row]):
            up, down = 0.0, 0.0
            continue
        if np.isnan(change):
            continue
        up = max(0.0, up + change)
        down = min(0.0, down + change)
        if down < -threshold[row]:
            down = 0.0
            fired[row] = True
        elif up > threshold[row]:
            up = 0.0
            fired[row] = True
    return fired


def cusum_reference(values: FloatArray, threshold: FloatArray) -> BoolArray:
    """Take the sums from the definition, run by run: the reference of `cusum`.

    A sum that is never pushed below zero is the largest sum of the newest changes of any number.
    """
    known = np.flatnonzero(~np.isnan(values))
    change = np.full(len(values), np.nan)
    change[known[1:]] = np.diff(values[known])
    fired = np.zeros(len(values), dtype=np.bool_)
    since_up = since_down = 0
    for place, row in enumerate(known):
        if np.isnan(threshold[row]):
            since_up = since_down = place + 1
            continue
        up = _best_suffix(change[known[max(since_up, 1) : place + 1]])
        down = _best_suffix(-change[known[max(since_down, 1) : place + 1]])
        if down > threshold[row]:
            fired[row], since_down = True, place + 1
        elif up > threshold[row]:
            fired[row], since_up = True, place + 1
    return fired


def _best_suffix(changes: FloatArray) -> float:
    return max(0.0, *np.cumsum(changes[::-1]).tolist()) if len(changes) else 0.0
