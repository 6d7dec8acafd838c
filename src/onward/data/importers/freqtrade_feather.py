"""freqtrade's feather files: candles, and funding rates in the layout of candles."""

from __future__ import annotations

import pandas as pd

from onward.data.importers.base import Draft, FileFormat, Repair
from onward.data.importers.names import symbol_from_name
from onward.data.importers.peek import Peek
from onward.data.stamps import to_utc
from onward.errors import FormatError
from onward.types import OHLCV

__all__ = ["CANDLES", "FUNDING"]

_LAYOUT = ["date", *OHLCV]


def _probe_candles(peek: Peek) -> str | None:
    if peek.suffix != ".feather" or peek.columns != _LAYOUT or _is_funding(peek):
        return None
    return "feather with the columns date, open, high, low, close, volume"


def _probe_funding(peek: Peek) -> str | None:
    if peek.suffix != ".feather" or peek.columns != _LAYOUT or not _is_funding(peek):
        return None
    return "candle columns with the rate in open and nothing in the others"


def _is_funding(peek: Peek) -> bool:
    rest = peek.table()[["high", "low", "close", "volume"]]
    return "funding_rate" in peek.stem or (len(rest) > 0 and bool((rest == 0).all(axis=None)))


def _table(peek: Peek) -> pd.DataFrame:
    if peek.suffix != ".feather" or peek.columns != _LAYOUT:
        raise FormatError(
            "The file is not one of freqtrade's feather files",
            got=f"{peek.path.name}: {', '.join(peek.columns[:9])}",
            allowed=f"feather with the columns {', '.join(_LAYOUT)}",
        )
    return peek.table()


def _read_candles(peek: Peek) -> Draft:
    table = _table(peek)
    frame = table[list(OHLCV)].assign(timestamp=to_utc(table["date"]))
    return Draft("candles", frame, symbol_from_name(peek.stem))


def _read_funding(peek: Peek) -> Draft:
    table = _table(peek)
    frame = table[["open"]].rename(columns={"open": "funding_rate"}).assign(timestamp=to_utc(table["date"]))
    moved = Repair("layout", len(frame), "The funding rate was taken from the column open.")
    return Draft("funding", frame, symbol_from_name(peek.stem), (moved,))


CANDLES = FileFormat("freqtrade_feather", "freqtrade candles (feather)", _probe_candles, _read_candles)
FUNDING = FileFormat("freqtrade_funding", "freqtrade funding rates (feather)", _probe_funding, _read_funding)
