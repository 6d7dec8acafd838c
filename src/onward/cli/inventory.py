"""What a plan will make, as a table and as JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from onward.cli.output import print_note, print_table
from onward.cli.texts import duration, size

if TYPE_CHECKING:
    from onward.features.overview import Overview
    from onward.types import Market

__all__ = ["inventory", "print_inventory"]


def inventory(found: Overview, market: Market) -> dict[str, Any]:
    """Return an overview as what JSON knows, without the single columns."""
    from onward.data.timeframe import format_timeframe

    return {
        "symbols": list(market.symbols),
        "timeframe": format_timeframe(market.timeframe),
        "rows": found.rows,
        "columns": len(found.features),
        "lookback_bars": found.lookback_bars,
        "seconds": found.seconds,
        "columns_of_unknown_cost": found.n_unknown,
        "matrix_bytes": found.matrix_bytes,
        "families": found.families,
        "fitted": found.fits,
    }


def print_inventory(found: Overview, market: Market, *, columns: bool = False) -> None:
    """Write an overview for people: families, every column when asked for, fitted steps, totals."""
    print_table(
        ("stage", "family", "state", "columns", "lookback", "seconds"),
        [
            (
                f.stage,
                f.family,
                f"off: {f.off}" if f.off else "on",
                len(f.columns),
                f.lookback,
                _about(f.seconds),
            )
            for f in found.families
        ],
    )
    if columns:
        print_table(
            ("column", "stage", "family", "lookback", "\N{MICRO SIGN}s a row"),
            [(f.column, f.stage, f.family, f.lookback, _about(f.microseconds)) for f in found.features],
        )
    if found.fits:
        print_table(
            ("fitted in every fold", "what it does", "columns at most", "seconds"),
            [(fit.stage, fit.what, fit.max_columns, _about(fit.seconds)) for fit in found.fits],
        )
    for line in _totals(found, market):
        print_note(line)


def _totals(found: Overview, market: Market) -> list[str]:
    from onward.data.timeframe import format_timeframe

    names = list(market.symbols)
    symbols = names[0] if len(names) == 1 else f"{len(names)} symbols"
    bars = f"{found.rows:,} bars of {symbols}, {format_timeframe(market.timeframe)}"
    lines = [
        f"{len(found.features)} columns; {found.lookback_bars} bars of history a row.",
        f"For {bars}: about {duration(found.seconds)} of CPU time, {size(found.matrix_bytes)} in memory.",
    ]
    if found.n_unknown:
        lines.append(f"Not in it: {found.n_unknown} columns whose cost nobody measured.")
    return lines


def _about(value: float | None) -> str | None:
    """Return an estimate with the two digits that it deserves, and without an exponent."""
    return None if value is None else format(Decimal(f"{value:.2g}"), "f")
