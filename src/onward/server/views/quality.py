"""What a check of stored data finds, as JSON shows it. Imports pandas: for threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onward.data.quality import QualityReport, check
from onward.data.quality.report import quality_value
from onward.errors import DataError, DataNotFoundError
from onward.registry.plain import plain

if TYPE_CHECKING:
    from onward.data.repositories import DataStore

__all__ = ["quality_view"]


def quality_view(store: DataStore, kind: str, symbol: str, timeframe: str | None) -> dict[str, Any]:
    """Return what a check of one stored series finds.

    Parameters
    ----------
    store
        Stored market data.
    kind, symbol
        Of the series; an empty symbol for one that is for every symbol.
    timeframe
        Of the candles (for a side series: those that it is laid beside); every stored one when None.

    Raises
    ------
    DataNotFoundError
        When nothing of this kind and name, or of candles of this length, is stored.
    DataError
        When there are no candles to lay a side series beside.
    """
    known = [one for one in store.coverage() if one.kind == kind]
    named = [one for one in known if one.symbol == symbol]
    if kind == "candles" and timeframe is not None:
        lengths_known = ", ".join(sorted({one.timeframe for one in named}))
        named = [one for one in named if one.timeframe == timeframe]
    else:
        lengths_known = ""
    if not named:
        symbols = ", ".join(sorted({one.symbol or "-" for one in known})[:20])
        raise DataNotFoundError(
            "nothing like this is stored",
            got=f"{kind} of {symbol or 'every symbol'}" + (f", {timeframe}" if timeframe else ""),
            allowed=lengths_known or symbols or f"no {kind} is stored",
            remedy="GET /api/v1/data/series lists what is stored.",
        )
    lengths = [
        length
        for length in store.timeframes()
        if (not symbol or symbol in store.candles(length).symbols()) and timeframe in (None, length)
    ]
    if not lengths:
        raise DataError(
            "there are no candles of this symbol to lay the series beside",
            got=f"{kind} of {symbol or 'every symbol'}" + (f", {timeframe}" if timeframe else ""),
            allowed=", ".join(store.timeframes()) or "candles of some timeframe",
            remedy="Import candles of it, or name a timeframe that is stored.",
        )
    reports: dict[str, QualityReport] = {}
    for length in lengths:
        side = () if kind == "candles" else (kind,)
        market = store.market((symbol,) if symbol else None, timeframe=length, series=side)
        found = check(market)
        subjects = {symbol} if kind == "candles" else {kind}
        reports[length] = QualityReport(
            found.symbols if kind == "candles" else (),
            found.series,
            tuple(one for one in found.problems if one.subject in subjects),
        )
    shown: dict[str, Any] = plain(quality_value(reports))
    return shown
