"""When the values of well-known series became available: one stated rule each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from onward.data.stamps import floor_jitter

__all__ = ["RULES", "SeriesRule"]

FUNDING_JITTER = pd.Timedelta(5, unit="s")


@dataclass(frozen=True)
class SeriesRule:
    """How the timestamps of a well-known series turn into moments of availability.

    Attributes
    ----------
    name
        Name of the series.
    column
        The value column that must be there.
    also
        Columns that are kept when they are there.
    stated
        The rule in words, for reports and documentation.
    clean
        Publisher's stamps -> timestamps (jitter floored).
    available
        Timestamps and the length of one bar -> moments of availability.
    """

    name: str
    column: str
    also: tuple[str, ...]
    stated: str
    clean: Callable[[pd.DatetimeIndex], pd.DatetimeIndex]
    available: Callable[[pd.DatetimeIndex, pd.Timedelta], pd.DatetimeIndex]
    needs_bar: bool = False


RULES: Mapping[str, SeriesRule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            SeriesRule(
                "funding",
                "funding_rate",
                (),
                "known at its settlement; stamps up to 5 s late are floored to the minute",
                lambda times: floor_jitter(times, FUNDING_JITTER),
                lambda times, _bar: times,
            ),
            SeriesRule(
                "open_interest",
                "open_interest",
                ("open_interest_value",),
                "known one bar after its timestamp (the longer of the market's bar and its own step)",
                lambda times: floor_jitter(times, FUNDING_JITTER),
                lambda times, bar: times + bar,
                needs_bar=True,
            ),
            SeriesRule(
                "fear_greed",
                "fear_greed",
                (),
                "known from 00:00 UTC of the day after the one it is dated with",
                lambda times: times,
                lambda times, _bar: times.floor("D") + pd.Timedelta(1, unit="D"),
            ),
        )
    }
)
