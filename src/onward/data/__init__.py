"""Market data: validation, availability, importers, repositories, quality."""

from onward.data.availability import RULES, SeriesRule, as_of, make_series
from onward.data.market import make_market
from onward.data.resample import closed_bars
from onward.data.timeframe import (
    TimeRange,
    format_timeframe,
    infer_timeframe,
    parse_timeframe,
    parse_timerange,
)

__all__ = [
    "RULES",
    "SeriesRule",
    "TimeRange",
    "as_of",
    "closed_bars",
    "format_timeframe",
    "infer_timeframe",
    "make_market",
    "make_series",
    "parse_timeframe",
    "parse_timerange",
]
