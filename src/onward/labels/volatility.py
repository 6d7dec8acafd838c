"""How far a price moves in one bar, as it was known at the decision."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from onward.labels.horizon import by_symbol
from onward.types import FloatArray, Market

__all__ = ["ESTIMATORS", "Estimator", "trailing_deviation"]

Estimator: TypeAlias = Literal["rolling", "ewm"]
ESTIMATORS: tuple[str, ...] = get_args(Estimator)


def trailing_deviation(market: Market, window_bars: int, estimator: Estimator = "rolling") -> FloatArray:
    """Return the sample deviation of one-bar simple returns up to each row's own close.

    Parameters
    ----------
    market
        Bars; symbols stay apart.
    window_bars
        ``rolling``: returns in the window. ``ewm``: span of the exponential weights, which are
        ``(1 - 2 / (window_bars + 1)) ** age`` (AFML 3.3, snippet 3.1).
    estimator
        ``rolling`` forgets a return after ``window_bars`` bars, ``ewm`` gradually and never.

    Returns
    -------
    Shape (n,); NaN until ``window_bars`` returns are known. A NaN close makes ``rolling`` NaN
    while it is in the window; ``ewm`` passes it over.
    """
    if estimator == "rolling":
        from onward.kernels.rolling import rolling_std

        return by_symbol(market, lambda close: rolling_std(_returns(close), window_bars))
    return by_symbol(market, lambda close: _weighted(_returns(close), window_bars))


def _weighted(returns: FloatArray, span: int) -> FloatArray:
    weighted = pd.Series(returns).ewm(span=span, min_periods=span, adjust=True)
    return np.asarray(weighted.std(), dtype=np.float64)


def _returns(close: FloatArray) -> FloatArray:
    out = np.full(len(close), np.nan)
    usable = np.isfinite(close) & (close > 0.0)
    both = usable[1:] & usable[:-1]
    np.divide(close[1:], close[:-1], out=out[1:], where=both)
    return out - 1.0
