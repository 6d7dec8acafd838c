"""Binance's public futures metrics: five-minute open interest and long/short ratios."""

from __future__ import annotations

from onward.data.importers.base import Draft, FileFormat
from onward.data.importers.names import pair
from onward.data.importers.peek import Peek
from onward.data.stamps import to_utc

__all__ = ["FORMAT"]

_RENAMED = {
    "sum_open_interest": "open_interest",
    "sum_open_interest_value": "open_interest_value",
    "count_toptrader_long_short_ratio": "top_trader_account_ratio",
    "sum_toptrader_long_short_ratio": "top_trader_position_ratio",
    "count_long_short_ratio": "long_short_ratio",
    "sum_taker_long_short_vol_ratio": "taker_volume_ratio",
}


def _probe(peek: Peek) -> str | None:
    if not peek.is_text_table or not {"create_time", "sum_open_interest"} <= set(peek.columns):
        return None
    return "columns create_time and sum_open_interest"


def _read(peek: Peek) -> Draft:
    table = peek.table()
    frame = table[[c for c in _RENAMED if c in table.columns]].rename(columns=_RENAMED)
    frame = frame.assign(timestamp=to_utc(table["create_time"]), symbol=table["symbol"].map(pair))
    return Draft("open_interest", frame)


FORMAT = FileFormat(
    "binance_metrics", "Binance futures metrics (open interest, long/short ratios)", _probe, _read
)
