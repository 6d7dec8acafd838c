"""Which kind of market a bar was decided in: calm or wild, falling or rising."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.types import FloatArray, Market

__all__ = ["regimes"]

VOLATILITY_NAMES = ("calm", "normal", "wild")
TREND_NAMES = ("falling", "sideways", "rising")


def regimes(market: Market, *, window_bars: int = 168) -> pd.DataFrame:
    """Return the volatility and trend regime of every bar, for tables in reports only.

    Volatility is the trailing standard deviation of log returns, trend the trailing log return
    over it x sqrt(window); both use ``window_bars`` bars up to the bar itself. The borders between
    calm, normal and wild are the terciles over all bars of the symbol: they describe the past
    as a whole and are therefore no feature.

    Returns
    -------
    DataFrame
        Indexed like the bars: ``volatility`` and ``trend``; empty text where the window is short.
    """
    volatility = np.full(len(market), "", dtype=object)
    trend = np.full(len(market), "", dtype=object)
    for rows in market.rows.values():
        log_close = np.log(market.bars["close"].to_numpy(np.float64)[rows])
        deviation = pd.Series(log_close).diff().rolling(window_bars).std().to_numpy()
        drift = pd.Series(log_close).diff(window_bars).to_numpy() / (deviation * np.sqrt(window_bars))
        volatility[rows] = _cut(deviation, _terciles(deviation), VOLATILITY_NAMES)
        trend[rows] = _cut(drift, (-0.43, 0.43), TREND_NAMES)
    return pd.DataFrame({"volatility": volatility, "trend": trend}, index=market.bars.index)


def _terciles(values: FloatArray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return (0.0, 0.0)
    low, high = np.quantile(known, [1 / 3, 2 / 3])
    return float(low), float(high)


def _cut(values: FloatArray, borders: tuple[float, float], names: tuple[str, str, str]) -> list[str]:
    low, high = borders
    return [
        "" if not np.isfinite(v) else names[0] if v < low else names[2] if v > high else names[1]
        for v in values
    ]
