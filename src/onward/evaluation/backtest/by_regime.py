"""Results told apart by the kind of market they were earned in."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from onward.evaluation.performance import sharpe_ratio
from onward.evaluation.regimes import TREND_NAMES, VOLATILITY_NAMES, regimes
from onward.types import FloatArray, Market

__all__ = ["regime_table"]

NAMES = {"volatility": VOLATILITY_NAMES, "trend": TREND_NAMES}
UNKNOWN = "not known"


def regime_table(market: Market, bars: pd.DataFrame, window_bars: int) -> pd.DataFrame:
    """Return figures of simulated bars by the regime that was known when each of them opened.

    Parameters
    ----------
    market
        The bars.
    bars
        ``net_return`` and ``exposure`` by (symbol, open time), as in a result. Symbols are pooled:
        each bar of each symbol counts once.
    window_bars
        Window of the regimes.

    Returns
    -------
    DataFrame
        Index (``kind``, ``regime``): ``volatility`` calm, normal, wild and ``trend`` falling,
        sideways, rising, each kind with ``not known`` for the bars before a window is full.
        Columns ``bars``, ``share`` (of all bars), ``exposure`` (mean gross), ``log_growth`` (sum of
        log net returns: regimes add up to the whole; minus infinity after ruin), ``mean_return``
        and ``volatility`` of a bar, ``sharpe_per_period``, ``hit_rate``.
    """
    known = regimes(market, window_bars=window_bars)
    # The regime of a bar is known at its close: the next bar of the symbol is the first to open in it.
    before = known.groupby(level=0, sort=False).shift(1, fill_value="")
    here = before.reindex(bars.index)
    net = bars["net_return"].to_numpy(dtype=np.float64)
    exposure = np.abs(bars["exposure"].to_numpy(dtype=np.float64))
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for kind, names in NAMES.items():
        values = here[kind].to_numpy(dtype=object)
        for name in (*names, UNKNOWN):
            mine = np.asarray(values == ("" if name == UNKNOWN else name), dtype=bool)
            rows[kind, name] = _figures(net[mine], exposure[mine], len(net))
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(list(rows), names=["kind", "regime"])
    return table.astype({"bars": np.int64})


def _figures(net: FloatArray, exposure: FloatArray, n_all: int) -> dict[str, float]:
    n = len(net)
    moved = int(np.count_nonzero(net))
    with np.errstate(divide="ignore"):
        growth = float(np.log1p(net).sum())
    return {
        "bars": n,
        "share": n / n_all if n_all else math.nan,
        "exposure": float(exposure.mean()) if n else math.nan,
        "log_growth": growth,
        "mean_return": float(net.mean()) if n else math.nan,
        "volatility": float(net.std(ddof=1)) if n > 1 else math.nan,
        "sharpe_per_period": sharpe_ratio(net),
        "hit_rate": float(np.count_nonzero(net > 0.0)) / moved if moved else math.nan,
    }
