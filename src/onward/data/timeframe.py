"""Timeframes (``1h``) and time ranges (``20200101-20251231``), spelt as ccxt and freqtrade spell them."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from onward.errors import DataError, NotEnoughDataError, TimeframeError
from onward.types import to_ns

__all__ = ["TimeRange", "format_timeframe", "infer_timeframe", "parse_timeframe", "parse_timerange"]

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_ALLOWED = "a whole number and a unit: 15s, 1m, 5m, 15m, 1h, 4h, 1d, 1w"


class TimeRange(NamedTuple):
    """A half-open interval of open times: ``start <= open time < end``; None means no bound.

    Attributes
    ----------
    start
        First moment that belongs to the range, UTC.
    end
        First moment that no longer belongs to it, UTC.
    """

    start: pd.Timestamp | None = None
    end: pd.Timestamp | None = None


def parse_timeframe(text: str | pd.Timedelta) -> pd.Timedelta:
    """Return the length of a bar.

    Parameters
    ----------
    text
        ccxt spelling (``1m 5m 1h 4h 1d 1w``); a Timedelta of whole seconds is passed through.

    Raises
    ------
    TimeframeError
        When the spelling is unknown, the length is not positive, or the unit has no fixed
        length (months and years).
    """
    if isinstance(text, pd.Timedelta):
        if text <= pd.Timedelta(0) or text.value % 1_000_000_000:
            raise TimeframeError("A bar must last a whole number of seconds", got=text, allowed=_ALLOWED)
        return text.as_unit("ns")
    found = re.fullmatch(r"(\d{1,6})([smhdw])", str(text).strip())
    if found is None:
        months = re.fullmatch(r"\d+\s*(M|y|mo|month|months|year|years)", str(text).strip())
        remedy = (
            "Months and years differ in length; use days or weeks."
            if months
            else f"Write it like {_guess(str(text))!r}."
        )
        raise TimeframeError("Unknown timeframe", got=repr(text), allowed=_ALLOWED, remedy=remedy)
    count, unit = int(found[1]), found[2]
    if count == 0:
        raise TimeframeError("A bar must last longer than nothing", got=repr(text), allowed=_ALLOWED)
    return pd.Timedelta(count * _UNITS[unit], unit="s").as_unit("ns")


def format_timeframe(timeframe: pd.Timedelta) -> str:
    """Return the shortest spelling of a bar length: ``format_timeframe(60 minutes) == "1h"``."""
    seconds = parse_timeframe(timeframe).value // 1_000_000_000
    unit = next(u for u, length in _UNITS.items() if seconds % length == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


def infer_timeframe(times: pd.DatetimeIndex | pd.Series) -> pd.Timedelta:
    """Return the bar length that timestamps of one symbol suggest: their most frequent spacing.

    Sub-second jitter is rounded away, duplicates and order do not matter. Of equally frequent
    spacings the shortest is taken.

    Raises
    ------
    NotEnoughDataError
        With fewer than two distinct timestamps.
    """
    # sorting nearly sorted times is much faster than a hash of them
    steps = np.diff(np.sort(np.round(to_ns(times) / 1e9).astype(np.int64), kind="stable"))
    steps = steps[steps > 0]
    if not len(steps):
        raise NotEnoughDataError(
            "A timeframe cannot be inferred from fewer than two distinct timestamps",
            got=f"{min(len(times), 1)}",
            remedy="Give the timeframe, for example timeframe='1h'.",
        )
    spacing, count = np.unique(steps, return_counts=True)
    return pd.Timedelta(int(spacing[np.argmax(count)]), unit="s").as_unit("ns")


def parse_timerange(text: str | None) -> TimeRange:
    """Return the bounds that a freqtrade-style range names: start included, end excluded.

    Parameters
    ----------
    text
        ``"20200101-20251231"``, ``"20200101-"`` or ``"-20251231"``. Each side is a UTC date
        ``YYYYMMDD`` (its 00:00), a year ``YYYY`` (its beginning), a minute ``YYYYMMDDTHHMM``, or
        Unix seconds (10 digits) or milliseconds (13 digits). None, ``""`` and ``"-"`` mean everything.

    Raises
    ------
    DataError
        When a side cannot be read, or the range is empty.
    """
    if text is None or not text.strip():
        return TimeRange()
    sides = [side.strip() for side in text.split("-")]
    if len(sides) != 2:
        raise _bad_timerange(text)
    start, end = (_moment(side, text) if side else None for side in sides)
    if start is not None and end is not None and start >= end:
        raise DataError(
            "The time range is empty",
            got=repr(text),
            allowed="start before end (the start is included, the end is not)",
            settings=("timerange",),
        )
    return TimeRange(start, end)


def _moment(side: str, text: str) -> pd.Timestamp:
    try:
        if re.fullmatch(r"\d{4}", side):
            return pd.to_datetime(side, format="%Y", utc=True).as_unit("ns")
        if re.fullmatch(r"\d{8}", side):
            return pd.to_datetime(side, format="%Y%m%d", utc=True).as_unit("ns")
        if re.fullmatch(r"\d{8}T\d{4}", side):
            return pd.to_datetime(side, format="%Y%m%dT%H%M", utc=True).as_unit("ns")
        if re.fullmatch(r"\d{10}|\d{13}", side):
            unit: Literal["s", "ms"] = "s" if len(side) == 10 else "ms"
            return pd.Timestamp(int(side), unit=unit, tz="UTC").as_unit("ns")
    except ValueError:
        raise _bad_timerange(text) from None
    raise _bad_timerange(text)


def _bad_timerange(text: str) -> DataError:
    return DataError(
        "Unreadable time range",
        got=repr(text),
        allowed="20200101-20251231, 20200101- or -20251231 (also YYYYMMDDTHHMM, Unix s or ms)",
        remedy="The start is included, the end is not; both are UTC.",
        settings=("timerange",),
    )


def _guess(text: str) -> str:
    found = re.match(r"\s*(\d+)?\s*([a-zA-Z])", text)
    if found is None or found[2].lower() not in _UNITS:
        return "1h"
    return f"{int(found[1] or 1) or 1}{found[2].lower()}"
