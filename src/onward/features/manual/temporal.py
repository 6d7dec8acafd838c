"""Time of day and week, of the decision time: the moment at which one would act.

A bar's decision time is its open time plus its timeframe. It is known long before the bar closes,
so nothing here can look ahead; it is the time that the *next* bars will live through, which is
what the prediction is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onward.errors import StageError
from onward.features.manual.family import Bars
from onward.types import FloatArray, IntArray

__all__ = ["Temporal"]

HOUR = 3_600_000_000_000
DAY = 24 * HOUR
WEEK = 7 * DAY
MONDAY = 4 * DAY
"""1970-01-01 was a Thursday; the first Monday came four days later."""

_CLOCK = (
    "hour",
    "hour_sin",
    "hour_cos",
    "session_asia",
    "session_europe",
    "session_us",
    "overlap_asia_europe",
    "overlap_europe_us",
    "active_sessions",
)
_WEEK = ("weekday", "weekday_sin", "weekday_cos", "weekend")
_YEAR = ("month_sin", "month_cos")


@dataclass(frozen=True)
class Temporal:
    """Hour, weekday and trading sessions of the decision time, UTC.

    Sessions are fixed UTC hours, half-open (the first hour belongs to it, the last does not), on
    every day of the week: the usual hours of Tokyo, London and New York without daylight saving.
    Columns that would never change are left out: the clock on daily bars, the week on weekly ones.

    Parameters
    ----------
    timeframe
        Length of a bar, ns.
    asia, europe, us
        First and last hour of each session, UTC, 0 to 24; a session may run over midnight.
    """

    timeframe: int = HOUR
    asia: tuple[int, int] = (0, 9)
    europe: tuple[int, int] = (7, 16)
    us: tuple[int, int] = (13, 22)

    def __post_init__(self) -> None:
        for option in ("asia", "europe", "us"):
            hours = getattr(self, option)
            lawful = isinstance(hours, tuple) and len(hours) == 2 and hours[0] != hours[1]
            if lawful and all(isinstance(hour, int) and 0 <= hour <= 24 for hour in hours):
                continue
            raise StageError(
                f"the parameter {option!r} of the family 'temporal' is no session",
                got=repr(hours),
                allowed="two different whole hours from 0 to 24, UTC: (first, last)",
                remedy="Correct it or leave it out.",
            )

    @property
    def name(self) -> str:
        """Name of the switch."""
        return "temporal"

    @property
    def requires(self) -> tuple[str, ...]:
        """No side series are needed."""
        return ()

    def columns(self) -> tuple[str, ...]:
        """Return the column names, without prefix."""
        clock = _CLOCK if self.timeframe < DAY else ()
        week = _WEEK if self.timeframe < WEEK else ()
        return (*clock, *week, *_YEAR)

    def lookback(self, timeframe: int) -> int:  # noqa: ARG002  (a moment needs no history)
        """Return 1: a moment needs no history."""
        return 1

    def compute(self, bars: Bars) -> Mapping[str, FloatArray]:
        """Return float64 arrays of the length of ``bars`` by column name."""
        moment = bars.open_time + bars.timeframe
        found = {**self._clock(moment), **_week(moment), **_year(moment)}
        return {name: found[name] for name in self.columns()}

    def _clock(self, moment: IntArray) -> dict[str, FloatArray]:
        hour = (moment % DAY) / HOUR
        asia, europe, us = (_within(hour, session) for session in (self.asia, self.europe, self.us))
        return {
            "hour": np.floor(hour),
            **_circle("hour", hour / 24.0),
            "session_asia": asia,
            "session_europe": europe,
            "session_us": us,
            "overlap_asia_europe": asia * europe,
            "overlap_europe_us": europe * us,
            "active_sessions": asia + europe + us,
        }


def _within(hour: FloatArray, session: tuple[int, int]) -> FloatArray:
    first, last = session
    inside = (hour >= first) & (hour < last) if first < last else (hour >= first) | (hour < last)
    return inside.astype(np.float64)


def _week(moment: IntArray) -> dict[str, FloatArray]:
    into_week = (moment - MONDAY) % WEEK
    day = (into_week // DAY).astype(np.float64)
    return {
        "weekday": day,
        **_circle("weekday", into_week / WEEK),
        "weekend": (day >= 5.0).astype(np.float64),
    }


def _year(moment: IntArray) -> dict[str, FloatArray]:
    months = moment.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
    return _circle("month", (months % 12) / 12.0)


def _circle(name: str, turn: FloatArray) -> dict[str, FloatArray]:
    """Return sine and cosine of a share of a full turn, so that the end meets the beginning."""
    angle = 2.0 * np.pi * turn
    return {f"{name}_sin": np.sin(angle), f"{name}_cos": np.cos(angle)}
