"""Tables whose dates begin with the day, as FX exporters write them: ``31.01.2017 22:00:00.000``."""

from __future__ import annotations

import re

import pandas as pd

from onward.data.columns import lower_columns, time_column
from onward.data.importers.base import Draft, FileFormat
from onward.data.importers.names import symbol_from_name
from onward.data.importers.peek import Peek
from onward.errors import FormatError
from onward.types import OHLCV

__all__ = ["FORMAT"]

_DATE = re.compile(r"(\d{1,2})([./])(\d{1,2})\2(\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(\.\d+)?)?)?")
_TIME_NAMES = ("time", "gmt_time", "date", "timestamp", "datetime", "open_time")


def _probe(peek: Peek) -> str | None:
    if not peek.is_text_table or not set(OHLCV) <= set(peek.columns):
        return None
    position = next((peek.columns.index(n) for n in _TIME_NAMES if n in peek.columns), None)
    if position is None:
        return None
    stamps = [cells[position] for i in range(1, len(peek.lines)) if len(cells := peek.cells(i)) > position]
    found = [match for stamp in stamps if (match := _DATE.fullmatch(stamp))]
    if not stamps or len(found) != len(stamps):
        return None
    if found[0][2] == "/" and not any(int(match[1]) > 12 for match in found):
        return None  # 03/04/2020 alone does not say which is the day
    return f"dates that begin with the day, such as {stamps[0]}"


def _read(peek: Peek) -> Draft:
    table = lower_columns(peek.table())
    column = "gmt_time" if "gmt_time" in table.columns else time_column(table)
    assert column is not None
    parts = table[column].astype(str).str.extract(_DATE.pattern)
    bad = parts[0].isna().to_numpy()
    if bad.any():
        raise FormatError(
            "A date does not begin with the day like the others",
            got=repr(table[column][bad].iloc[0]),
            allowed="31.01.2017 or 31.01.2017 22:00:00",
        )
    dates = pd.DataFrame(
        {
            "year": parts[3],
            "month": parts[2],
            "day": parts[0],
            "hour": parts[4].fillna("0"),
            "minute": parts[5].fillna("0"),
            "second": parts[6].fillna("0"),
        }
    ).astype("int64")
    try:
        times = pd.DatetimeIndex(pd.to_datetime(dates, utc=True))
    except ValueError as error:
        raise FormatError(
            "A date is not one when its first number is the day", got=str(error).split(".", maxsplit=1)[0]
        ) from error
    return Draft("candles", table[list(OHLCV)].assign(timestamp=times), symbol_from_name(peek.stem))


FORMAT = FileFormat("day_first", "candles with day-first dates (CSV)", _probe, _read)
