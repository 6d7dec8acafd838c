"""Which kind of market a bar was decided in: calm or wild, falling or rising."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import ConfigError
from onward.types import FloatArray, Market

__all__ = ["TREND_NAMES", "VOLATILITY_NAMES", "regimes"]

VOLATILITY_NAMES = ("calm", "normal", "wild")
TREND_NAMES = ("falling", "sideways", "rising")

STEEP = 0.43
"""Deviations beyond which two thirds of the trends of a random walk lie, one third a side."""
THIRDS = (1.0 / 3.0, 2.0 / 3.0)


def regimes(market: Market, *, window_bars: int = 168) -> pd.DataFrame:
    """Return the volatility and trend regime of every bar, as it could be known at the bar's close.

    Volatility is the trailing standard deviation of log returns, trend the trailing log return
    over it x sqrt(window); both use ``window_bars`` returns up to the bar itself, of its symbol
    alone. Calm, normal and wild are the thirds of the symbol's own deviations **up to that bar**:
    nothing later moves a regime. The first bars have little past to be compared with, and a
    symbol's very first deviation is called normal.

    Parameters
    ----------
    market
        The bars.
    window_bars
        Returns in a window, at least 2.

    Returns
    -------
    DataFrame
        Indexed like the bars: ``volatility`` (`VOLATILITY_NAMES`) and ``trend`` (`TREND_NAMES`);
        empty text where the window is short, or nothing moved in it (trend).

    Raises
    ------
    ConfigError
        When the window is shorter than 2.
    """
    if window_bars < 2:
        raise ConfigError("a regime needs a window", got=window_bars, allowed="2 returns or more")
    volatility = np.full(len(market), "", dtype=object)
    trend = np.full(len(market), "", dtype=object)
    close = market.bars["close"].to_numpy(dtype=np.float64)
    for rows in market.rows.values():
        log_close = pd.Series(np.log(close[rows]))
        # Rounding leaves specks in a window without movement, which would read as a deviation.
        deviation = log_close.diff().rolling(window_bars).std(ddof=1).to_numpy().round(12)
        drift = log_close.diff(window_bars).to_numpy()
        with np.errstate(invalid="ignore", divide="ignore"):
            steepness = np.where(deviation > 0.0, drift / (deviation * np.sqrt(window_bars)), np.nan)
        volatility[rows] = _named(_place_so_far(deviation), THIRDS, VOLATILITY_NAMES)
        trend[rows] = _named(steepness, (-STEEP, STEEP), TREND_NAMES)
    return pd.DataFrame({"volatility": volatility, "trend": trend}, index=market.bars.index)


def _place_so_far(values: FloatArray) -> FloatArray:
    """Return where each value stands among those up to it, 0 to 1 (ties share a middle), NaN kept."""
    expanding = pd.Series(values).expanding()
    rank = expanding.rank(method="average").to_numpy()
    known = expanding.count().to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((rank - 0.5) / known, dtype=np.float64)


def _named(
    values: FloatArray, borders: tuple[float, float], names: tuple[str, str, str]
) -> npt.NDArray[np.object_]:
    low, high = borders
    chosen = np.where(values < low, 0, np.where(values > high, 2, 1))
    return np.where(np.isnan(values), "", np.array(names, dtype=object)[chosen])
