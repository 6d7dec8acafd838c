"""Which market data a run uses."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field, field_validator
from pydantic.config import JsonDict
from pydantic_settings import SettingsConfigDict

from onward.config.base import Section
from onward.config.text import DURATION

__all__ = ["DataProcessingConfig"]

YEARS = (1678, 2261)
"""Whole years that nanoseconds of 64 bits can count."""
FINDS: JsonDict = {"identity": False}
"""Marks how data are found: what was found has a hash of its own."""


class DataProcessingConfig(Section):
    """Which market data a run uses. Everything left at ``none`` means: all that is there.

    How data are found is no part of a plan's identity: what was found has a hash of its own, which
    stands beside that of the plan. So a run that names its timeframe and one that leaves it to the
    data are the same configuration.
    """

    model_config = SettingsConfigDict(env_prefix="ONWARD_DATA__")

    symbols: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        None,
        description="Symbols to use, such as BTC/USDT (venue:symbol where several venues are stored); "
        "none = every symbol that is given or stored.",
        json_schema_extra=FINDS,
    )
    timeframe: Annotated[str, Field(pattern=DURATION)] | None = Field(
        None, description="Length of a bar, such as 1h; none = that of the data.", json_schema_extra=FINDS
    )
    timerange: str | None = Field(
        None,
        description="Open times to use, UTC, either side optional, the end exclusive; a side is "
        "YYYYMMDD, YYYYMMDDTHHMM, or Unix seconds or milliseconds; none = everything.",
        json_schema_extra={**FINDS, "allowed": "text such as 20200101-20251231, 20200101- or -20251231"},
    )
    series: tuple[str, ...] | None = Field(
        None,
        description="Side series to use, such as funding, open_interest, fear_greed; none = every "
        "series that is given or stored, an empty list = no series.",
        json_schema_extra=FINDS,
    )

    @field_validator("timerange")
    @classmethod
    def _is_a_range(cls, value: str | None) -> str | None:
        if value is None:
            return None
        sides = value.split("-")
        if len(sides) != 2 or value == "-":
            raise ValueError("is no range of time")
        start, end = (_moment(side) if side else None for side in sides)
        if start is not None and end is not None and start >= end:
            raise ValueError("ends before it begins (the end is exclusive)")
        return value


def _moment(text: str) -> datetime:
    """Return one side of a range; the spelling is that of `onward.data.parse_timerange`."""
    try:
        moment = _read(text)
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError(f"{text} is no moment of the calendar")
    if not YEARS[0] <= moment.year <= YEARS[1]:
        raise ValueError(f"{text} lies outside the years {YEARS[0]} to {YEARS[1]}")
    return moment


def _read(text: str) -> datetime | None:
    if re.fullmatch(r"\d{4}", text):
        return datetime.strptime(text, "%Y").replace(tzinfo=UTC)
    if re.fullmatch(r"\d{8}", text):
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)
    if re.fullmatch(r"\d{8}T\d{4}", text):
        return datetime.strptime(text, "%Y%m%dT%H%M").replace(tzinfo=UTC)
    if re.fullmatch(r"\d{10}|\d{13}", text):
        return datetime.fromtimestamp(int(text) / (1_000 if len(text) == 13 else 1), UTC)
    return None
