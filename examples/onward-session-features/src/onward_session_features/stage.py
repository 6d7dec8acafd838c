"""`SessionStage`: how far the price has come since the sessions of the day opened."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd

from onward.errors import StageError, TimeframeError
from onward.features.description import FeatureInfo
from onward.types import Market
from onward_session_features.measures import MEASURES, Session
from onward_session_features.opening import Opening

__all__ = ["SessionStage"]

OPENINGS = {"day": "00:00", "europe": "08:00 Europe/London", "us": "09:30 America/New_York"}
LONGEST_SESSION = pd.Timedelta("25h")
"""The session in which a clock is set back; the others are shorter."""

MICROSECONDS = 0.06
"""CPU time of one column, a row, measured on 70,000 hourly bars."""


class SessionStage:
    """Gap, move, VWAP distance and range position of each trading session so far.

    A session begins at the first bar that opens at or after its opening, and lasts until the
    next one. Satisfies `onward.features.catalog.BuildableStage`.

    Parameters
    ----------
    openings
        Sessions by name: ``{"us": "09:30 America/New_York"}``, or a time in UTC.
    measures
        Some of ``gap``, ``from_open``, ``from_vwap``, ``range_position``.
    timeframe
        Length of a bar, shorter than a day.

    Raises
    ------
    StageError
        If an opening or a measure is not one.
    TimeframeError
        If bars are as long as a session.
    """

    name: ClassVar[str] = "sessions"
    scope: ClassVar[Literal["symbol"]] = "symbol"

    same_values_as: ClassVar[tuple[str, ...]] = ()
    """Earlier versions of this package whose models may be used with this one."""

    def __init__(
        self,
        openings: Mapping[str, str] | None = None,
        measures: Sequence[str] | None = None,
        *,
        timeframe: pd.Timedelta,
    ) -> None:
        self.openings = {name: Opening.parse(text) for name, text in (openings or OPENINGS).items()}
        self.measures = tuple(MEASURES if measures is None else measures)
        self.timeframe = timeframe
        unknown = [name for name in self.measures if name not in MEASURES]
        unnamed = [name for name in self.openings if not re.fullmatch(r"[a-z][a-z0-9_]*", name)]
        if unknown or unnamed or not self.measures or len(set(self.measures)) < len(self.measures):
            raise StageError(
                "the stage 'sessions' does not know what to measure",
                got=", ".join(map(repr, unnamed or unknown or self.measures)) or "no measure",
                allowed=f"sessions in lower case; measures out of {', '.join(MEASURES)}, each once",
                remedy="Correct features.options.sessions.",
            )
        if not pd.Timedelta(0) < timeframe < pd.Timedelta("1D"):
            raise TimeframeError(
                "the stage 'sessions' looks inside the day",
                got=f"bars of {timeframe}",
                allowed="bars shorter than a day",
                remedy="Leave sessions out of features.stages, or use shorter bars.",
            )

    @classmethod
    def for_market(cls, market: Market, **options: Any) -> Self:
        """Return the stage for the timeframe of a market, with the options of a plan."""
        return cls(**options, timeframe=market.timeframe)

    @classmethod
    def examples(cls, market: Market) -> Sequence[Self]:
        """Return the stages on which the contract suite runs."""
        # New York sets its clock back at 02:00: one of its sessions begins twice, and counts once.
        odd = {"night": "01:30 America/New_York", "tokyo": "09:00 Asia/Tokyo"}
        return (cls.for_market(market), cls.for_market(market, openings=odd, measures=["gap", "from_vwap"]))

    @property
    def lookback(self) -> int:
        """Bars of the longest session, and the one before it."""
        return int(-(-LONGEST_SESSION // self.timeframe)) + 1

    def columns(self) -> tuple[str, ...]:
        """Return the full column names, session by session."""
        return tuple(f"sessions__{name}_{measure}" for name in self.openings for measure in self.measures)

    def describe(self) -> tuple[FeatureInfo, ...]:
        """Return one line a column, for ``onward features list``."""
        return tuple(
            FeatureInfo(f"sessions__{name}_{measure}", self.name, name, self.lookback, MICROSECONDS)
            for name in self.openings
            for measure in self.measures
        )

    def compute(self, market: Market) -> pd.DataFrame:
        """Return the columns, float64; NaN in a session of which the data miss the beginning.

        Raises
        ------
        TimeframeError
            If the market's timeframe is not the stage's.
        """
        if market.timeframe != self.timeframe:
            raise TimeframeError(
                "the stage 'sessions' was made for another timeframe",
                got=f"bars of {market.timeframe}",
                allowed=f"bars of {self.timeframe}",
                remedy="Build the stage with the market's timeframe.",
            )
        values = np.full((len(market), len(self.columns())), np.nan)
        for rows in market.rows.values():
            bars, times = market.bars.iloc[rows], market.open_time[rows]
            for number, opening in enumerate(self.openings.values()):
                session = Session(bars, opening.first_rows(times))
                for place, measure in enumerate(self.measures, number * len(self.measures)):
                    known = session.first > 0  # the first session may have begun before the data
                    values[rows, place] = np.where(known, MEASURES[measure](session), np.nan)
        return pd.DataFrame(values, index=market.bars.index, columns=list(self.columns()))

    def restricted(self, columns: Sequence[str]) -> SessionStage:
        """Return a stage with at least these columns: predictions need not compute the others."""
        wanted = {column.removeprefix("sessions__") for column in columns}
        return type(self)(
            {
                name: str(opening)
                for name, opening in self.openings.items()
                if any(f"{name}_{measure}" in wanted for measure in self.measures)
            },
            [m for m in self.measures if any(f"{name}_{m}" in wanted for name in self.openings)],
            timeframe=self.timeframe,
        )

    def spec(self) -> dict[str, Any]:
        """Return plain JSON values, defaults spelt out: a later version may have others."""
        return {
            "stage": self.name,
            "openings": {name: str(opening) for name, opening in self.openings.items()},
            "measures": list(self.measures),
            "timeframe_ns": int(self.timeframe.value),
        }

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Rebuild the stage from what `spec` returned."""
        timeframe = pd.Timedelta(spec["timeframe_ns"], unit="ns")
        return cls(spec["openings"], spec["measures"], timeframe=timeframe)
