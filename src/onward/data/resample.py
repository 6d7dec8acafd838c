"""Higher-timeframe bars that nobody sees before they close."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.data.timeframe import format_timeframe, parse_timeframe
from onward.errors import TimeframeError
from onward.types import OHLCV, Market, SideSeries, from_ns

__all__ = ["closed_bars"]

DAY = 86_400_000_000_000
MONDAY = 4 * DAY  # 1970-01-05; the epoch itself was a Thursday


def closed_bars(market: Market, timeframe: str | pd.Timedelta) -> SideSeries:
    """Return the bars of a higher timeframe, each available when it closes.

    Bars are aligned to 1970-01-01 00:00 UTC, whole weeks to Monday. A bar is made from the bars
    that exist: one that is only partly covered because of a gap is shown all the same, once its
    time is over. A bar whose time is not over at the market's last decision time is left out.

    Parameters
    ----------
    market
        Bars of the lower timeframe.
    timeframe
        A multiple of the market's timeframe.

    Returns
    -------
    SideSeries
        Named ``bars_<timeframe>``; ``timestamp`` is the open of the higher bar, ``available_at``
        its close (or the close of its last part, should that reach further); float64 columns
        ``open high low close volume``. A NaN within a bar makes that field NaN.

    Raises
    ------
    TimeframeError
        When the timeframe is no multiple of the market's.
    """
    length = parse_timeframe(timeframe)
    if length < market.timeframe or length.value % market.timeframe_ns:
        raise TimeframeError(
            "A higher timeframe must be a multiple of the market's",
            got=format_timeframe(length),
            allowed=f"multiples of {format_timeframe(market.timeframe)}",
        )
    name = f"bars_{format_timeframe(length)}"
    if len(market) == 0:
        empty = pd.DataFrame({"symbol": pd.Series(dtype=object), "timestamp": from_ns(np.empty(0, np.int64))})
        return SideSeries(
            name, empty.assign(available_at=empty["timestamp"], **{c: np.empty(0) for c in OHLCV})
        )
    step = length.value
    anchor = MONDAY if step % (7 * DAY) == 0 else 0
    opens = market.open_time_ns - (market.open_time_ns - anchor) % step
    codes = np.asarray(market.index.codes[0])
    change = (np.diff(opens) != 0) | (np.diff(codes) != 0)
    first = np.concatenate(([0], np.flatnonzero(change) + 1))
    last = np.concatenate((first[1:], [len(opens)])) - 1
    values = {c: np.ascontiguousarray(market.bars[c].to_numpy(np.float64)) for c in OHLCV}
    available = np.maximum(opens[first] + step, market.decision_time_ns[last])
    frame = pd.DataFrame(
        {
            "symbol": market.index.get_level_values(0).astype(object)[first],
            "timestamp": from_ns(opens[first]),
            "available_at": from_ns(available),
            "open": values["open"][first],
            "high": np.maximum.reduceat(values["high"], first),
            "low": np.minimum.reduceat(values["low"], first),
            "close": values["close"][last],
            "volume": np.add.reduceat(values["volume"], first),
        }
    )
    over = available <= market.decision_time_ns.max()
    return SideSeries(name, frame[over].reset_index(drop=True))
