"""CryptoDataDownload's CSV: a banner at times, newest first, AM/PM stamps at times, two volumes.

The two volume columns (coins and money) have changed places over the years, even within one
file, so their names are not trusted: in each row the volume in coins is the one that, multiplied
with the row's mean price, gives the other.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from onward.data.importers.base import Draft, FileFormat, Repair
from onward.data.importers.names import pair, symbol_from_name
from onward.data.importers.peek import Peek
from onward.data.stamps import to_utc
from onward.errors import FormatError
from onward.types import BoolArray, FloatArray

__all__ = ["FORMAT", "coin_volume"]

_BANNER = "cryptodatadownload.com"
_PRICES = ["open", "high", "low", "close"]
_MERIDIEM = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}-[AP]M")


def coin_volume(first: FloatArray, second: FloatArray, price: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return the volume in coins of each row, and where it stood in the second column.

    Parameters
    ----------
    first, second
        The two volumes in the order of the file, shape (n,). Where one of them is zero so is the
        volume in coins; where the price does not tell them apart the first one is taken.
    price
        A price of the row, in money a coin.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        as_named = np.abs(np.log(second / (first * price)))
        swapped = np.abs(np.log(first / (second * price)))
    second_is_coin = np.asarray(swapped < as_named, dtype=bool)
    coins = np.where(second_is_coin, second, first)
    return np.where((first == 0) | (second == 0), 0.0, coins), second_is_coin


def _probe(peek: Peek) -> str | None:
    if not peek.is_text_table or not peek.lines:
        return None
    banner = _has_banner(peek)
    names = [c.lower() for c in peek.cells(1 if banner else 0)]
    volumes = [c for c in names if c.startswith("volume")]
    if not {"date", "symbol", *_PRICES} <= set(names) or not 1 <= len(volumes) <= 2:
        return None
    if not banner and len(volumes) != 2:
        return None
    evidence = ["a banner line before the header"] if banner else []
    evidence.append("columns date, symbol, prices and two volumes")
    row = peek.lines[2 if banner else 1 :][:1]
    if row and _MERIDIEM.search(row[0]):
        evidence.append("stamps like 09-AM")
    return ", ".join(evidence)


def _read(peek: Peek) -> Draft:
    table = peek.table(skip_lines=1 if _has_banner(peek) else 0)
    table.columns = pd.Index([str(c).strip().lower() for c in table.columns])
    volumes = [c for c in table.columns if c.startswith("volume")]
    frame = table[_PRICES].assign(
        timestamp=_stamps(table["date"].astype(str)), symbol=table["symbol"].astype(str).map(pair)
    )
    repairs: tuple[Repair, ...] = ()
    if len(volumes) == 2:
        mean = table[_PRICES].mean(axis=1).to_numpy(np.float64)
        first, second = (table[c].to_numpy(np.float64) for c in volumes)
        frame["volume"], swapped = coin_volume(first, second, mean)
        repairs = (_volume_repair(volumes, swapped),)
    else:
        frame["volume"] = table[volumes[0]]
    symbols = frame["symbol"].unique()
    return Draft("candles", frame, symbols[0] if len(symbols) == 1 else symbol_from_name(peek.stem), repairs)


def _volume_repair(volumes: list[str], swapped: BoolArray) -> Repair:
    count = int(swapped.sum())
    text = (
        f"Of the volume columns {volumes[0]!r} and {volumes[1]!r} the one in coins was taken "
        "(times price it gives the other)"
    )
    where = f"; in {count} rows it was the second" if count else ""
    return Repair("volume", count, f"{text}{where}.")


def _has_banner(peek: Peek) -> bool:
    return bool(peek.lines) and _BANNER in peek.lines[0].lower()


def _stamps(text: pd.Series) -> pd.DatetimeIndex:
    meridiem = text.str.fullmatch(_MERIDIEM.pattern).to_numpy(bool)
    out = pd.Series(pd.NaT, index=text.index, dtype="datetime64[ns, UTC]")
    if meridiem.any():
        # 09-AM is nine o'clock: %I with %p, never %H
        parsed = pd.to_datetime(text[meridiem], format="%Y-%m-%d %I-%p", utc=True, errors="coerce")
        if parsed.isna().any():
            raise FormatError("A stamp cannot be read", got=repr(text[meridiem][parsed.isna()].iloc[0]))
        out[meridiem] = parsed
    if not meridiem.all():
        out[~meridiem] = to_utc(text[~meridiem])
    return pd.DatetimeIndex(out)


FORMAT = FileFormat("cryptodatadownload", "CryptoDataDownload candles (CSV)", _probe, _read)
