"""Figures about the bars of one symbol."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.data.bars import ohlc_violations
from onward.data.quality.report import Problem, SymbolQuality
from onward.types import FloatArray, IntArray, Market

__all__ = ["OUTLIER_Z", "check_bars", "robust_z"]

OUTLIER_Z = 25.0
"""Robust z-score beyond which a return is called an outlier.

Hourly crypto returns are fat-tailed: on eight years of BTC/USDT a Gaussian limit of 5 would flag
more than two bars in a hundred. 25 leaves the crashes and the misprints.
"""
STALE_BARS = 12
ZERO_VOLUME_SHARE = 0.01


def robust_z(returns: FloatArray) -> FloatArray:
    """Return |x - median| / (1.4826 MAD); NaN stays NaN; all zero when there is no spread.

    Where more than half of the returns are equal (MAD 0) the standard deviation takes the place
    of the MAD. Iglewicz & Hoaglin (1993), How to Detect and Handle Outliers.
    """
    known = returns[np.isfinite(returns)]
    if not len(known):
        return np.full(len(returns), np.nan)
    middle = float(np.median(known))
    spread = 1.4826 * float(np.median(np.abs(known - middle))) or float(np.std(known))
    if spread == 0.0:
        return np.where(np.isfinite(returns), 0.0, np.nan)
    return np.asarray(np.abs(returns - middle) / spread, dtype=np.float64)


def check_bars(
    market: Market, symbol: str, outlier_z: float = OUTLIER_Z
) -> tuple[SymbolQuality, list[Problem]]:
    """Return the figures of one symbol's bars and what is worth attention."""
    rows = market.rows[symbol]
    times = market.open_time_ns[rows]
    values = market.bars.iloc[rows].to_numpy(np.float64)
    steps = np.diff(times)
    gap = steps > market.timeframe_ns
    z = _return_z(values[:, 3], steps, market.timeframe_ns)
    widest = int(np.argmax(steps)) if len(steps) else 0
    found = SymbolQuality(
        symbol=symbol,
        first=_moment(times[0]),
        last=_moment(times[-1]),
        rows=len(times),
        gaps=int(gap.sum()),
        missing=int((steps[gap] // market.timeframe_ns - 1).sum()),
        longest_gap=pd.Timedelta(int(steps[widest]) if gap.any() else 0, unit="ns"),
        longest_gap_start=_moment(times[widest]) if gap.any() else None,
        duplicates=int((steps == 0).sum()),
        zero_volume=int((values[:, 4] == 0).sum()),
        ohlc_violations=int(ohlc_violations(values).sum()),
        nan=int(np.isnan(values).sum()),
        outliers=int((z > outlier_z).sum()),
        largest_z=float(np.nanmax(z)) if np.isfinite(z).any() else 0.0,
        longest_stale=_longest_stale(values[:, :4]),
    )
    worst = _moment(times[1:][int(np.nanargmax(z))]) if found.outliers else None
    return found, _problems(found, worst)


def _return_z(close: FloatArray, steps: IntArray, timeframe: int) -> FloatArray:
    """Score log returns; those across a gap are of another length and do not count."""
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.diff(np.log(close))
    return robust_z(np.where(steps == timeframe, returns, np.nan))


def _longest_stale(prices: FloatArray) -> int:
    flat = np.all(prices == prices[:, :1], axis=1)
    same = flat[1:] & flat[:-1] & (prices[1:, 0] == prices[:-1, 0])
    if not same.any():
        return int(flat.any())
    edges = np.flatnonzero(np.diff(same.astype(np.int8), prepend=0, append=0))
    return int((edges[1::2] - edges[::2]).max()) + 1


def _problems(q: SymbolQuality, worst: pd.Timestamp | None) -> list[Problem]:
    out = []
    if q.ohlc_violations:
        text = f"{q.ohlc_violations} bars whose high or low does not contain their open and close."
        out.append(Problem("error", q.symbol, "ohlc", q.ohlc_violations, text))
    if q.duplicates:
        out.append(
            Problem("error", q.symbol, "duplicates", q.duplicates, f"{q.duplicates} bars occur twice.")
        )
    if q.nan:
        out.append(Problem("warning", q.symbol, "nan", q.nan, f"{q.nan} cells are NaN (not known)."))
    if q.outliers:
        text = (
            f"{q.outliers} returns lie far outside the rest; the largest, with a robust z-score of "
            f"{q.largest_z:.0f}, at {worst}."
        )
        out.append(Problem("warning", q.symbol, "outliers", q.outliers, text))
    if q.longest_stale >= STALE_BARS:
        text = f"The price stands perfectly still for {q.longest_stale} bars."
        out.append(Problem("warning", q.symbol, "stale", q.longest_stale, text))
    if q.zero_volume:
        severe = q.zero_volume > ZERO_VOLUME_SHARE * q.rows
        text = f"{q.zero_volume} bars ({q.zero_volume / q.rows:.2%}) without volume."
        out.append(Problem("warning" if severe else "note", q.symbol, "zero_volume", q.zero_volume, text))
    if q.gaps:
        text = (
            f"{q.gaps} gaps, {q.missing} bars missing; the longest jump is {q.longest_gap} after "
            f"{q.longest_gap_start}. Gaps are kept: windows count bars."
        )
        out.append(Problem("note", q.symbol, "gaps", q.gaps, text))
    return out


def _moment(ns: np.int64) -> pd.Timestamp:
    return pd.Timestamp(int(ns), tz="UTC")
