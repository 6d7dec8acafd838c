"""Check market data: gaps, duplicates, zero volume, price rules, NaN, outliers, side series."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from onward.data import importers
from onward.data.importers.base import Repair
from onward.data.quality.bars import OUTLIER_Z, check_bars, robust_z
from onward.data.quality.report import Problem, QualityReport, SeriesQuality, SymbolQuality
from onward.data.quality.series import check_series
from onward.data.read import market_of, read_market
from onward.types import Market

__all__ = [
    "OUTLIER_Z",
    "Problem",
    "QualityReport",
    "SeriesQuality",
    "SymbolQuality",
    "check",
    "check_path",
    "robust_z",
]

_ORDER = {"error": 0, "warning": 1, "note": 2}
_GRAVE = ("conflicts", "incomplete", "zone")


def check(market: Market, *, repairs: Iterable[Repair] = (), outlier_z: float = OUTLIER_Z) -> QualityReport:
    """Check a market and the series beside it.

    Parameters
    ----------
    market
        Bars (those read with ``ohlc="keep"`` may break the rules of high and low) and series.
    repairs
        What an importer had to change; reported among the problems.
    outlier_z
        Robust z-score of a return beyond which it counts as an outlier.
    """
    problems = [
        Problem("warning" if r.name in _GRAVE else "note", "file", "repaired", r.count, r.detail)
        for r in repairs
    ]
    symbols, series = [], []
    for symbol in market.symbols:
        bars, found = check_bars(market, symbol, outlier_z)
        symbols.append(bars)
        problems += found
    for name in market.series:
        side, found = check_series(market, name)
        series.append(side)
        problems += found
    problems.sort(key=lambda problem: _ORDER[problem.severity])
    return QualityReport(tuple(symbols), tuple(series), tuple(problems))


def check_path(
    path: str | os.PathLike[str],
    *,
    timeframe: str | pd.Timedelta | None = None,
    symbol: str | None = None,
    format: str | None = None,
    outlier_z: float = OUTLIER_Z,
) -> QualityReport:
    """Check a file of candles or a repository; bars that break the rules of high and low are counted.

    Parameters are those of `onward.data.read.read_market`. What cannot be counted (prices that
    are not positive, a timeframe that does not match) is an error as everywhere.
    """
    if Path(path).is_dir():
        return check(read_market(path, timeframe=timeframe, symbol=symbol), outlier_z=outlier_z)
    result = importers.read(path, format)
    market = market_of(result, timeframe=timeframe, symbol=symbol, ohlc="keep")
    return check(market, repairs=result.repairs, outlier_z=outlier_z)
