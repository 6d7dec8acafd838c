"""Makes a stage of what users have: functions of a market, or of one symbol's bars and sources."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from onward.errors import AuditError
from onward.types import Market

__all__ = ["FunctionStage", "as_stage", "sources_of"]

Sources = Mapping[str, Any]


@dataclass(frozen=True)
class FunctionStage:
    """A plain function that looks like a causal stage.

    Attributes
    ----------
    function
        ``f(market)``, ``f(df)`` or ``f(df, sources)``.
    name
        Name of the stage, prefix of its columns.
    takes
        ``market``: called once with the market. ``frame``: called for each symbol with its bars,
        indexed by open time (UTC).
    names
        Column names; empty when the function names them itself.
    lookback_bars
        Bars that the function needs, or None when nobody has said.
    scope
        ``symbol`` or ``cross_section``.
    sources
        Turns the market of one symbol into the second argument of ``f(df, sources)``.
    """

    function: Callable[..., Any]
    name: str
    takes: Literal["market", "frame", "frame_and_sources"]
    names: tuple[str, ...] = ()
    lookback_bars: int | None = None
    scope: Literal["symbol", "cross_section"] = "symbol"
    sources: Callable[[Market], Sources] | None = None

    @property
    def lookback(self) -> int:
        """Bars needed; 0 when the function does not say."""
        return self.lookback_bars or 0

    def columns(self) -> tuple[str, ...]:
        """Return the column names; empty when only computing tells."""
        return tuple(f"{self.name}__{name}" for name in self.names)

    def compute(self, market: Market) -> pd.DataFrame:
        """Return what the function returns, as float64 columns indexed like the bars."""
        if self.takes == "market":
            return self._frame(self.function(market), market.bars.index)
        parts = []
        for symbol, rows in market.rows.items():
            own = market.select([symbol]) if len(market.symbols) > 1 else market
            bars = own.bars.droplevel(0)
            given = (bars,) if self.takes == "frame" else (bars, (self.sources or sources_of)(own))
            part = self._frame(self.function(*given), bars.index)
            parts.append(part.set_axis(market.bars.index[rows], axis=0))
        if not parts:
            return pd.DataFrame(index=market.bars.index, columns=list(self.columns()), dtype=float)
        return pd.concat(parts)

    def _frame(self, result: object, index: pd.Index) -> pd.DataFrame:
        if isinstance(result, pd.Series):
            result = result.to_frame(result.name if isinstance(result.name, str) else "value")
            if not self.names and len(result.columns) == 1:
                result.columns = ["value"]
        if isinstance(result, (np.ndarray, list, tuple)):
            result = pd.DataFrame(result, index=index)
        if not isinstance(result, pd.DataFrame):
            raise AuditError(
                f"{self.name} did not return a table",
                got=type(result).__name__,
                allowed="a Series, DataFrame or array with one row a bar",
            )
        if len(result) != len(index):
            raise AuditError(
                f"{self.name} did not return one row a bar",
                got=f"{len(result)} rows for {len(index)} bars",
                allowed="as many rows as bars, NaN where a value is not known yet",
            )
        if not isinstance(result.index, pd.RangeIndex) and not result.index.equals(index):
            raise AuditError(
                f"{self.name} returned rows in another order than the bars",
                got=f"an index that starts at {result.index[:1].tolist()}",
                allowed="the index of the bars",
            )
        names = list(self.names) or [str(column) for column in result.columns]
        if len(names) != len(result.columns):
            raise AuditError(
                f"{self.name} returned another number of columns than named",
                got=len(result.columns),
                allowed=f"{len(names)}: {', '.join(names[:5])}",
            )
        frame = result.set_axis(index, axis=0).set_axis([f"{self.name}__{n}" for n in names], axis=1)
        return frame.astype(np.float64)


def as_stage(
    function: Callable[..., Any],
    columns: Sequence[str] | None = None,
    *,
    name: str | None = None,
    lookback: int | None = None,
    scope: Literal["symbol", "cross_section"] = "symbol",
    takes: Literal["market", "frame", "frame_and_sources"] | None = None,
    sources: Callable[[Market], Sources] | None = None,
) -> FunctionStage:
    """Wrap a function so that it can be audited.

    Parameters
    ----------
    function
        ``f(market)``, or ``f(df)`` or ``f(df, sources)`` of one symbol: ``df`` has the columns
        ``open high low close volume`` indexed by open time (UTC), ``sources`` is a dict of
        DataFrames indexed by their stamp, each with ``available_at``. It returns a Series,
        DataFrame or array with one row a bar.
    columns
        Column names without prefix, when the function does not name them.
    name
        Prefix of the columns; the function's name when None.
    lookback
        Bars that the function needs; None when unknown (then nothing is said about live = batch).
    scope
        ``cross_section`` when symbols are meant to see each other.
    takes
        What the function is called with; read from its signature when None: two parameters mean
        bars and sources, one parameter called ``market`` (or annotated `Market`) the market,
        any other one the bars.
    sources
        Makes the second argument from the market of one symbol, instead of `sources_of`.

    Raises
    ------
    AuditError
        It is not callable, or needs other parameters.
    """
    if not callable(function):
        raise AuditError(
            "This is not a function",
            got=type(function).__name__,
            allowed="f(market), f(df) or f(df, sources)",
        )
    label = name or getattr(function, "__name__", type(function).__name__).strip("<>")
    return FunctionStage(
        function, label, takes or _takes(function, label), tuple(columns or ()), lookback, scope, sources
    )


def sources_of(market: Market) -> dict[str, pd.DataFrame]:
    """Return the side series of a one-symbol market as frames indexed by their stamp.

    Rows of other symbols are left out; every frame keeps ``available_at``.
    """
    symbol = market.symbols[0] if market.symbols else ""
    frames = {}
    for name, side in market.series.items():
        own = side.frame[side.frame["symbol"].isin(["", symbol])]
        frame = own.drop(columns="symbol").set_index("timestamp").sort_index(kind="stable")
        frames[name] = frame
    return frames


def _takes(function: Callable[..., Any], label: str) -> Literal["market", "frame", "frame_and_sources"]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = [p for p in inspect.signature(function).parameters.values() if p.kind in kinds]
    except (TypeError, ValueError):  # builtins and ufuncs show no signature
        return "frame"
    needed = [p for p in parameters if p.default is inspect.Parameter.empty]
    if len(needed) == 2:
        return "frame_and_sources"
    if len(needed) > 2 or not parameters:
        raise AuditError(
            f"{label} cannot be called with market data",
            got=f"{len(needed)} parameters without a default",
            allowed="f(market), f(df) or f(df, sources)",
            remedy="Bind the other parameters with functools.partial.",
        )
    first = parameters[0]
    named = first.name == "market" or first.annotation in (Market, "Market", "ow.Market")
    return "market" if named else "frame"
