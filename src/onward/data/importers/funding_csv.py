"""Funding histories as fetched from exchanges: ``Symbol, Date, Funding Rate``.

Such files are often stamped in the local time of whoever fetched them, without saying so. Funding
that is exchanged every eight hours settles at 00:00, 08:00 and 16:00 UTC, so the stamps betray
their zone, up to multiples of eight hours; of the zones that fit, the one nearest to UTC is taken.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.data.columns import lower_columns, time_column
from onward.data.importers.base import Draft, FileFormat, Repair
from onward.data.importers.names import pair, symbol_from_name
from onward.data.importers.peek import Peek
from onward.data.stamps import to_utc
from onward.types import to_ns

__all__ = ["FORMAT", "settlement_offset_hours"]

HOUR = 3_600_000_000_000
CYCLE_HOURS = 8
AGREEMENT = 0.99
"""Share of the stamps that must agree before a hidden zone is believed."""
MIN_ROWS = 9


def settlement_offset_hours(times: pd.DatetimeIndex) -> int:
    """Return by how many hours stamps of eight-hourly settlements lie off 00/08/16 UTC.

    The answer is between -3 and 4; 0 when the stamps are on the grid, are not eight hours
    apart, are fewer than nine, or do not agree among themselves.

    Examples
    --------
    >>> settlement_offset_hours(pd.date_range("2020-01-01 03:00", periods=90, freq="8h", tz="UTC"))
    3
    """
    if len(times) < MIN_ROWS:
        return 0
    hours = np.unique(np.floor_divide(to_ns(times), HOUR))
    if np.median(np.diff(hours)) != CYCLE_HOURS:
        return 0
    phase, count = np.unique(hours % CYCLE_HOURS, return_counts=True)
    best = int(np.argmax(count))
    if count[best] < AGREEMENT * len(hours):
        return 0
    offset = int(phase[best])
    return offset if offset <= CYCLE_HOURS // 2 else offset - CYCLE_HOURS


def _probe(peek: Peek) -> str | None:
    if not peek.is_text_table or "funding_rate" not in peek.columns or "open" in peek.columns:
        return None
    if not set(peek.columns) & {"date", "time", "timestamp", "datetime"}:
        return None
    return f"columns {', '.join(peek.cells(0))}"


def _read(peek: Peek) -> Draft:
    table = lower_columns(peek.table())
    column = time_column(table)
    assert column is not None
    times = to_utc(table[column])
    # without a zone in the text the zone is a guess; with one it is known
    stated = bool(table[column].astype(str).str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$", regex=True).any())
    offset = 0 if stated else settlement_offset_hours(times)
    frame = table[["funding_rate"]].assign(timestamp=times - pd.Timedelta(offset, unit="h"))
    repairs: tuple[Repair, ...] = ()
    if offset:
        hours = ", ".join(f"{(h + offset) % 24:02d}:00" for h in (0, 8, 16))
        repairs = (
            Repair(
                "zone",
                len(frame),
                f"Settlements are stamped {hours} where 00:00, 08:00, 16:00 UTC is meant: the stamps are "
                f"UTC{offset:+d} without saying so; {abs(offset)} hours "
                f"{'subtracted' if offset > 0 else 'added'}.",
            ),
        )
    if "symbol" in table.columns:
        return Draft("funding", frame.assign(symbol=table["symbol"].astype(str).map(pair)), None, repairs)
    return Draft("funding", frame, symbol_from_name(peek.stem), repairs)


FORMAT = FileFormat("funding_csv", "funding history (CSV)", _probe, _read)
