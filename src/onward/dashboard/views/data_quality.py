"""A check of stored data in words: what was looked at, how often it was found, and the worst of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from onward.data.quality import SeriesQuality, SymbolQuality
    from onward.types import Market

__all__ = [
    "Check",
    "Hole",
    "Move",
    "QualityView",
    "candle_quality",
    "side_quality",
    "worst_gaps",
    "worst_moves",
]

Tone = Literal["good", "calm", "fair", "bad"]
MANY_WITHOUT_VOLUME = 0.01
STALE_BARS = 12
WORST = 5


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name
        Which sentences tell of it: ``data.check.<name>.ok`` and ``.found``.
    count
        How often it was found; 0: all is well.
    tone
        How bad that is.
    missing, share, z, seconds
        Figures for its sentence.
    """

    name: str
    count: int
    tone: Tone
    missing: int = 0
    share: float = 0.0
    z: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Move:
    """A bar whose return lies far outside the rest; a share, and its robust z-score."""

    opened: datetime
    change: float
    z: float


@dataclass(frozen=True)
class Hole:
    """A stretch without bars: the last open time before it, the first one after it, bars that are missing."""

    begin: datetime
    end: datetime
    missing: int


@dataclass(frozen=True)
class QualityView:
    """What a check found.

    Attributes
    ----------
    checks
        The gravest first.
    moves, holes
        The worst findings.
    beside
        Candles that a side series was laid beside: symbol and timeframe.
    """

    checks: tuple[Check, ...]
    moves: tuple[Move, ...] = ()
    holes: tuple[Hole, ...] = ()
    beside: tuple[str, str] | None = None

    @property
    def broken(self) -> int:
        """How many rules are broken."""
        return sum(check.tone == "bad" for check in self.checks)

    @property
    def odd(self) -> int:
        """How much is lawful but suspicious."""
        return sum(check.tone == "fair" for check in self.checks)


def candle_quality(found: SymbolQuality, market: Market) -> QualityView:
    """Return the check of the bars of one symbol in words.

    Parameters
    ----------
    found
        Figures.
    market
        The bars that were looked at, of this symbol alone.
    """
    idle = found.zero_volume / max(found.rows, 1)
    still = found.longest_stale if found.longest_stale >= STALE_BARS else 0
    checks = (
        _check("ohlc", found.ohlc_violations, "bad"),
        _check("duplicates", found.duplicates, "bad"),
        _check("nan", found.nan, "fair"),
        _check("outliers", found.outliers, "fair", z=found.largest_z),
        _check("stale", still, "fair"),
        _check(
            "zero_volume", found.zero_volume, "fair" if idle > MANY_WITHOUT_VOLUME else "calm", share=idle
        ),
        _check(
            "gaps",
            found.gaps,
            "calm",
            missing=found.missing,
            seconds=found.longest_gap.total_seconds(),
        ),
    )
    return QualityView(_sorted(checks), worst_moves(market), worst_gaps(market))


def side_quality(found: SeriesQuality, n_bars: int, beside: tuple[str, str]) -> QualityView:
    """Return the check of a side series in words.

    Parameters
    ----------
    found
        Figures.
    n_bars
        Bars that it was laid beside.
    beside
        Their symbol and timeframe.
    """
    checks = [
        _check("range", found.out_of_range, "bad"),
        _check("zeros", found.zeros, "fair"),
        _check("off_grid", found.off_grid, "fair"),
        _check("unknown", found.nan, "fair"),
        _check("old", round(found.stale * n_bars), "fair", share=found.stale),
        _check("uncovered", round((1 - found.covered) * n_bars), "calm", share=1 - found.covered),
        _check("steps", found.gaps, "calm", seconds=found.longest_gap.total_seconds()),
    ]
    apply = {"zeros": found.name == "open_interest", "off_grid": found.name == "funding"}
    return QualityView(_sorted([one for one in checks if apply.get(one.name, True)]), beside=beside)


def worst_moves(market: Market, most: int = WORST) -> tuple[Move, ...]:
    """Return the returns from bar to bar that lie furthest outside, those beyond the limit of the check."""
    import numpy as np

    from onward.data.quality import OUTLIER_Z, robust_z

    if len(market) < 3:
        return ()
    change = market.bars["close"].pct_change().to_numpy(float)[1:]
    neighbours = np.diff(market.open_time_ns) == market.timeframe_ns
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.nan_to_num(robust_z(np.where(neighbours, np.log1p(change), np.nan)))
    order = np.argsort(-z, kind="stable")[:most]
    return tuple(
        Move(market.open_time[i + 1].to_pydatetime(warn=False), float(change[i]), float(z[i]))
        for i in order
        if z[i] > OUTLIER_Z
    )


def worst_gaps(market: Market, most: int = WORST) -> tuple[Hole, ...]:
    """Return the longest stretches without bars, the longest first."""
    import numpy as np

    missing = np.diff(market.open_time_ns) // market.timeframe_ns - 1
    order = np.argsort(-missing, kind="stable")[:most]
    return tuple(
        Hole(
            market.open_time[i].to_pydatetime(warn=False),
            market.open_time[i + 1].to_pydatetime(warn=False),
            int(missing[i]),
        )
        for i in order
        if missing[i] > 0
    )


def _check(
    name: str,
    count: int,
    tone: Tone,
    *,
    missing: int = 0,
    share: float = 0.0,
    z: float = 0.0,
    seconds: float = 0.0,
) -> Check:
    return Check(name, count, tone if count else "good", missing, share, z, seconds)


def _sorted(checks: Sequence[Check]) -> tuple[Check, ...]:
    order = ("bad", "fair", "calm", "good")
    return tuple(sorted(checks, key=lambda check: order.index(check.tone)))
