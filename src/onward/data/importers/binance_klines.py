"""Binance's public klines: twelve columns, with or without a header, ms until 2024 and µs from 2025."""

from __future__ import annotations

import pandas as pd

from onward.data.importers.base import Draft, FileFormat
from onward.data.importers.names import symbol_from_name
from onward.data.importers.peek import Peek
from onward.data.stamps import epoch_unit, to_utc
from onward.types import OHLCV

__all__ = ["FORMAT"]

_N_COLUMNS = 12
_COLUMNS = [
    "open_time", *OHLCV, "close_time", "quote_volume", "trades", "taker_buy_volume",
    "taker_buy_quote_volume", "ignore",
]  # fmt: skip
_UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


def _probe(peek: Peek) -> str | None:
    if not peek.is_text_table:
        return None
    header = bool(peek.cells(0)) and not peek.cells(0)[0].isdigit()
    first = peek.cells(1) if header else peek.cells(0)
    if header and peek.columns[:6] != ["open_time", *OHLCV]:
        return None
    if len(first) != _N_COLUMNS or not first[0].isdigit() or not first[6].isdigit():
        return None
    opens, closes = int(first[0]), int(first[6])
    if not opens < closes:
        return None
    unit = _UNITS[epoch_unit(pd.Series([opens]))]
    return f"twelve columns {'with' if header else 'without'} a header, open time in {unit}"


def _read(peek: Peek) -> Draft:
    header = not peek.cells(0)[0].isdigit()
    table = peek.table(header=header)
    table.columns = pd.Index(_COLUMNS)
    times = to_utc(table["open_time"])
    return Draft("candles", table[list(OHLCV)].assign(timestamp=times), symbol_from_name(peek.stem))


FORMAT = FileFormat("binance_klines", "Binance public klines", _probe, _read)
