"""Figures as a reader wants them: few digits, an explicit sign where it matters, "not known" for NaN."""

from __future__ import annotations

import math
from datetime import datetime

import pandas as pd

__all__ = [
    "UNKNOWN",
    "count",
    "duration",
    "moment",
    "number",
    "percent",
    "probability",
    "signed",
    "signed_percent",
    "span_of_time",
    "spoken",
]

UNKNOWN = "not known"
MINUS = "−"


def number(value: float, digits: int = 3) -> str:
    """Return a figure with a fixed number of decimals."""
    if not _known(value):
        return UNKNOWN
    # Rounding first: -0.0004 is "0.000", not "-0.000".
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", MINUS)


def signed(value: float, digits: int = 3) -> str:
    """Return a figure with its sign."""
    text = number(value, digits)
    positive = _known(value) and round(value, digits) > 0
    return f"+{text}" if positive else text


def percent(share: float, digits: int = 1) -> str:
    """Return a share (0.12) as percent (12.0 %)."""
    return f"{number(100 * share, digits)} %" if _known(share) else UNKNOWN


def signed_percent(share: float, digits: int = 1) -> str:
    """Return a share as percent with its sign."""
    return f"{signed(100 * share, digits)} %" if _known(share) else UNKNOWN


def count(value: float) -> str:
    """Return a whole number with thousands separated."""
    return f"{round(value):,}".replace("-", MINUS) if _known(value) else UNKNOWN


def probability(p: float) -> str:
    """Return a p value: two significant digits, and no claim below one in ten thousand."""
    if not _known(p):
        return UNKNOWN
    if p < 0.0001:
        return "< 0.0001"
    if p < 0.00995:
        return f"{p:.4f}"
    return f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"


def duration(seconds: float) -> str:
    """Return a time span of work: ``under 0.1 s``, ``0.4 s``, ``12 s``, ``3 min 5 s``, ``2 h 4 min``."""
    if not _known(seconds):
        return UNKNOWN
    if seconds < 0.05:
        return "under 0.1 s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60} min"


def span_of_time(delta: pd.Timedelta | None) -> str:
    """Return a distance in time: ``none``, ``3 h``, ``2 d 5 h``."""
    if delta is None or pd.isna(delta):
        return UNKNOWN
    minutes = round(delta.total_seconds() / 60)
    if minutes == 0:
        return "none"
    days, hours, rest = minutes // 1_440, minutes % 1_440 // 60, minutes % 60
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (rest, "min")) if n]
    return " ".join(parts[:2])


def moment(time: datetime | pd.Timestamp | None) -> str:
    """Return a moment in UTC to the minute."""
    if time is None or pd.isna(time):
        return UNKNOWN
    stamp = pd.Timestamp(time)
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return f"{stamp:%Y-%m-%d %H:%M}"


def spoken(name: str) -> str:
    """Return an identifier as words: ``mean_reversion`` becomes ``mean reversion``."""
    return name.replace("_", " ")


def _known(value: float) -> bool:
    return math.isfinite(value)
