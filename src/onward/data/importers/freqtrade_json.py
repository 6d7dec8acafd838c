"""freqtrade's JSON files: a list of ``[open time in ms, open, high, low, close, volume]``."""

from __future__ import annotations

import json
import re

import pandas as pd

from onward.data.importers.base import Draft, FileFormat
from onward.data.importers.names import symbol_from_name
from onward.data.importers.peek import Peek
from onward.data.stamps import epoch_unit, to_utc
from onward.types import OHLCV

__all__ = ["FORMAT"]

_FIRST = re.compile(r"^\s*\[\s*\[\s*(\d{10,19})(?:\.0*)?\s*((?:,\s*(?:[-+.\deE]+|null)\s*){5})\]")


def _probe(peek: Peek) -> str | None:
    if peek.suffix != ".json":
        return None
    found = _FIRST.match(peek.head)
    if found is None:
        return None
    unit = epoch_unit(pd.Series([int(found[1])]))
    return f"a list of six-number lists without names, open time in {unit}"


def _read(peek: Peek) -> Draft:
    table = pd.DataFrame(json.loads(peek.text()), columns=["timestamp", *OHLCV])
    return Draft("candles", table.assign(timestamp=to_utc(table["timestamp"])), symbol_from_name(peek.stem))


FORMAT = FileFormat("freqtrade_json", "freqtrade candles (JSON)", _probe, _read)
