"""The features that a plan makes of a server's market, shown as those of a market here."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from onward.cli.inventory import print_inventory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onward.cli.session import Session

__all__ = ["show_inventory"]

SHOWN = (
    "symbols",
    "timeframe",
    "rows",
    "columns",
    "lookback_bars",
    "seconds",
    "columns_of_unknown_cost",
    "matrix_bytes",
    "families",
    "fitted",
)


def show_inventory(session: Session, asked: Mapping[str, Any], *, columns: bool) -> None:
    """Ask the server what a plan makes of a market, and show it."""
    from onward.data.timeframe import parse_timeframe

    told = asdict(session.client.validate_plan(columns=columns, **asked))
    value = {"sample": False, **{name: told[name] for name in SHOWN}}
    if columns:
        value["features"] = told["features"]

    def render() -> None:
        found: Any = SimpleNamespace(
            rows=told["rows"],
            lookback_bars=told["lookback_bars"],
            seconds=told["seconds"],
            n_unknown=told["columns_of_unknown_cost"],
            matrix_bytes=told["matrix_bytes"],
            families=[SimpleNamespace(**one) for one in told["families"]],
            fits=[SimpleNamespace(**one) for one in told["fitted"]],
            # How many there are is known also where they were not asked for by name.
            features=[SimpleNamespace(**one) for one in told["features"] or [{}] * told["columns"]],
        )
        market: Any = SimpleNamespace(symbols=told["symbols"], timeframe=parse_timeframe(told["timeframe"]))
        print_inventory(found, market, columns=columns)

    session.show(value, render)
