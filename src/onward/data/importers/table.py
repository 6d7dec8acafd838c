"""Ordinary tables with ordinary names, in CSV, Parquet, feather or JSON."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from onward.data.columns import lower_columns, symbol_column, time_column
from onward.data.importers.base import Draft, FileFormat, Kind, Repair
from onward.data.importers.cleaning import VALUES
from onward.data.importers.names import symbol_from_name
from onward.data.importers.peek import Peek
from onward.data.stamps import to_utc
from onward.errors import FormatError

__all__ = ["FORMAT"]

_SUFFIXES = {
    ".csv": "CSV", ".txt": "CSV", ".tsv": "CSV", ".parquet": "Parquet", ".feather": "feather",
    ".arrow": "feather", ".json": "JSON",
}  # fmt: skip
_ALIASES = {
    "fundingrate": "funding_rate", "funding": "funding_rate", "rate": "funding_rate",
    "openinterest": "open_interest", "sumopeninterest": "open_interest",
    "fear_and_greed": "fear_greed", "fng": "fear_greed",
    "fundingtime": "timestamp", "calctime": "timestamp", "calc_time": "timestamp",
    "last_funding_rate": "funding_rate", "opentime": "open_time", "gmt_time": "time",
}  # fmt: skip


def _probe(peek: Peek) -> str | None:
    if peek.suffix not in _SUFFIXES:
        return None
    columns = _json_columns(peek) if peek.suffix == ".json" else peek.columns
    kind = _kind(columns)
    if kind is None:
        return None
    return f"{kind.replace('_', ' ')} as {_SUFFIXES[peek.suffix]} with the columns {', '.join(columns[:9])}"


def _read(peek: Peek) -> Draft:
    table = lower_columns(_json_table(peek) if peek.suffix == ".json" else peek.table())
    if isinstance(table.index, pd.DatetimeIndex) and not time_column(table):
        table = table.rename_axis("timestamp").reset_index()
    table = table.rename(columns=_aliases(list(table.columns)))
    kind = _kind(list(table.columns))
    if kind is None:
        raise _not_understood(list(table.columns))
    column = time_column(table)
    assert column is not None
    repairs: list[Repair] = []
    if kind == "candles" and "adj_close" in table.columns:
        repairs.append(
            Repair("left_out", 1, "adj_close left out: adjusted closes know later splits and dividends.")
        )
    frame = table[list(VALUES[kind])].assign(timestamp=to_utc(_whole(table[column])))
    for extra in ("open_interest_value",):
        if kind == "open_interest" and extra in table.columns:
            frame[extra] = table[extra]
    symbols = symbol_column(table)
    if symbols is not None:
        return Draft(kind, frame.assign(symbol=symbols), None, tuple(repairs))
    guess = None if kind == "fear_greed" else symbol_from_name(peek.stem)
    return Draft(kind, frame, guess, tuple(repairs))


def _kind(columns: list[str]) -> Kind | None:
    names = {_ALIASES.get(c, c) for c in columns}
    if not names & {"open_time", "timestamp", "datetime", "date", "time", "unix"}:
        return None
    kinds: list[Kind] = ["candles", "open_interest", "fear_greed", "funding"]
    found = next((k for k in kinds if set(VALUES[k]) <= names), None)
    if found is None and {"value", "value_classification"} <= names:
        return "fear_greed"
    return found


def _aliases(columns: list[str]) -> dict[str, str]:
    renamed = {c: _ALIASES[c] for c in columns if c in _ALIASES and _ALIASES[c] not in columns}
    if "value_classification" in columns and "fear_greed" not in columns:
        renamed["value"] = "fear_greed"
    return renamed


def _whole(column: pd.Series) -> pd.Series:
    """Return Unix time that came as text as numbers."""
    if column.dtype == object and column.astype(str).str.fullmatch(r"\d{9,19}").all():
        return column.astype("int64")
    return column


def _json_columns(peek: Peek) -> list[str]:
    try:
        return list(map(str, lower_columns(_json_table(peek)).columns))
    except FormatError:
        return []


def _json_table(peek: Peek) -> pd.DataFrame:
    try:
        content: Any = json.loads(peek.text())
    except (ValueError, RecursionError) as error:  # lists nested thousands deep
        raise FormatError("The file is not valid JSON", got=f"{peek.path.name}: {error}") from error
    if isinstance(content, dict) and isinstance(content.get("data"), list):
        content = content["data"]
    if isinstance(content, list) and content and all(isinstance(row, dict) for row in content):
        return pd.DataFrame(content)
    if isinstance(content, dict) and content and all(isinstance(v, list) for v in content.values()):
        try:
            return pd.DataFrame(content)
        except ValueError as error:
            raise FormatError("The columns of the JSON table differ in length", got=str(error)) from error
    raise FormatError(
        "The JSON holds no table",
        got=type(content).__name__,
        allowed="a list of objects, an object of lists, or either under 'data'",
    )


def _not_understood(columns: list[str]) -> FormatError:
    return FormatError(
        "The columns are not those of candles, funding, open interest or fear & greed",
        got=", ".join(map(str, columns[:20])),
        allowed="; ".join(f"{kind}: {', '.join(values)}" for kind, values in VALUES.items())
        + "; each with a timestamp, date or time",
    )


FORMAT = FileFormat("table", "a table with ordinary names", _probe, _read)
