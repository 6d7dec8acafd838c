"""Markets of a few bars whose backtests can be reckoned by hand."""

import numpy as np
import pandas as pd

from onward.evaluation.backtest import BacktestSettings
from onward.types import INDEX_NAMES, Market, SideSeries

__all__ = ["FREE", "HOUR", "market_of", "panel", "random_probabilities", "random_signal", "with_funding"]

FREE = BacktestSettings(fee_bps=0.0, slippage_bps=0.0)
HOUR = pd.Timedelta(hours=1)


def market_of(opens, *, symbol="A", start="2024-01-01", skip=(), closes=None):
    """Return a market with these opens; each close is the next open. ``skip``: hours without a bar."""
    hours = [h for h in range(len(opens) + len(skip)) if h not in skip]
    times = pd.DatetimeIndex([pd.Timestamp(start, tz="UTC") + h * HOUR for h in hours]).as_unit("ns")
    opens = np.asarray(opens, dtype=float)
    closes = np.append(opens[1:], opens[-1]) if closes is None else np.asarray(closes, dtype=float)
    bars = pd.DataFrame(
        {
            "open": opens,
            "high": np.maximum(opens, closes),
            "low": np.minimum(opens, closes),
            "close": closes,
            "volume": 1.0,
        },
        index=pd.MultiIndex.from_product([[symbol], times], names=INDEX_NAMES),
    )
    return Market(bars, HOUR)


def panel(*markets):
    return Market(pd.concat([m.bars for m in markets]).sort_index(), HOUR)


def with_funding(market, prints, symbol=""):
    """Add settlements, given as hours from the first bar and rates."""
    times = market.open_time[0] + pd.to_timedelta([h for h, _ in prints], unit="h").as_unit("ns")
    frame = pd.DataFrame(
        {
            "symbol": symbol,
            "timestamp": times,
            "available_at": times,
            "funding_rate": [float(r) for _, r in prints],
        }
    )
    return market.replace(series={"funding": SideSeries("funding", frame)})


def random_signal(market, seed=0):
    sides = np.random.default_rng(seed).integers(-1, 2, len(market)).astype(float)
    return pd.Series(sides, index=market.index)


def random_probabilities(market, seed=0):
    raw = np.random.default_rng(seed).dirichlet([2.0, 2.0, 2.0], len(market))
    return pd.DataFrame(raw, columns=["down", "range", "up"], index=market.index)
