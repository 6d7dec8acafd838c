"""Where a job's bars come from: written into the request as absolute paths, read by either side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onward.config.data import DataProcessingConfig
from onward.data.loading import load_market
from onward.data.repositories import DataStore
from onward.data.timeframe import format_timeframe
from onward.errors import FormatError, JobError
from onward.tasks.specs import Field
from onward.types import Market

__all__ = ["MARKET_FIELDS", "existing", "frozen_source", "market_of", "told_market"]

MARKET_FIELDS: Mapping[str, Field] = {"data": Field(), "series": Field((dict,), default={})}
"""``data``: file of candles or directory of a store, else what is stored; ``series``: files by name."""


def frozen_source(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a market with absolute paths: a worker may run in another directory.

    Raises
    ------
    FormatError
        When a file is not there.
    """
    series = {}
    for name, file in given["series"].items():
        if not isinstance(file, str):
            raise JobError(
                f"the side series {name} is no file",
                got=repr(file)[:80],
                allowed='a table of names and files, {"funding": "funding.csv"}',
            )
        series[name] = str(existing(file))
    return {"data": None if given["data"] is None else str(existing(given["data"])), "series": series}


def market_of(store: DataStore, data: DataProcessingConfig, spec: Mapping[str, Any]) -> Market:
    """Return the market of a request that `frozen_source` completed."""
    path = None if spec["data"] is None else Path(spec["data"])
    return load_market(store, data, path, spec["series"])


def told_market(market: Market) -> dict[str, Any]:
    """Return the symbols and the timeframe of a market, as a request and a job's document tell them."""
    return {"symbols": list(market.symbols), "timeframe": format_timeframe(market.timeframe)}


def existing(text: str) -> Path:
    """Return the absolute path of a file or directory; `FormatError` when nothing is there."""
    path = Path(text).expanduser().absolute()
    if not path.exists():
        raise FormatError(
            "The file does not exist",
            got=str(path),
            allowed="a path that the server can read",
            remedy="Check the path; it is looked up on the machine that runs the job.",
        )
    return path
