"""What has become of a price from one bar to a later one, bar by bar of the caller's choice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["span_log_return", "span_log_return_reference"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


def span_log_return(price: FloatArray, first: IntArray, last: IntArray) -> FloatArray:
    """Return ``log(price[last] / price[first])``.

    Parameters
    ----------
    price
        Prices of one symbol in time order, shape (n,).
    first, last
        Positions of bars, shape (m,).

    Returns
    -------
    Shape (m,); NaN wherever one of the two prices is NaN, infinite or not positive.
    """
    usable = np.isfinite(price) & (price > 0.0)
    logarithm = np.log(price, out=np.full(len(price), np.nan), where=usable)
    out: FloatArray = logarithm[last] - logarithm[first]
    return out


def span_log_return_reference(price: FloatArray, first: IntArray, last: IntArray) -> FloatArray:
    """Go span by span: the definition of `span_log_return`."""
    out = np.full(len(first), np.nan)
    for i in range(len(first)):
        now, then = price[first[i]], price[last[i]]
        if np.isfinite(now) and np.isfinite(then) and now > 0.0 and then > 0.0:
            out[i] = np.log(then) - np.log(now)
    return out
