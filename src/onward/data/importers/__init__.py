"""Importers: foreign files in, clean rows out, with the story of what was recognised and repaired.

Add a format by adding one file that makes a `FileFormat` and one line in `CATALOG`; the first
entry whose probe recognises a file reads it.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path

import pandas as pd
import pyarrow

from onward.data.importers import (
    binance_klines,
    binance_metrics,
    cryptodatadownload,
    day_first,
    freqtrade_feather,
    freqtrade_json,
    funding_csv,
    table,
)
from onward.data.importers.base import Draft, FileFormat, ImportResult, Kind, Recognition, Repair
from onward.data.importers.cleaning import clean
from onward.data.importers.peek import Peek
from onward.data.timeframe import infer_timeframe
from onward.errors import DataError, FormatError, NotEnoughDataError, OnwardError, nearest

__all__ = [
    "CATALOG",
    "Draft",
    "FileFormat",
    "ImportResult",
    "Kind",
    "Peek",
    "Recognition",
    "Repair",
    "read",
    "recognise",
]

CATALOG: tuple[FileFormat, ...] = (
    freqtrade_feather.FUNDING,
    freqtrade_feather.CANDLES,
    freqtrade_json.FORMAT,
    binance_klines.FORMAT,
    binance_metrics.FORMAT,
    cryptodatadownload.FORMAT,
    day_first.FORMAT,
    funding_csv.FORMAT,
    table.FORMAT,
)
"""All formats, the most particular first."""


def recognise(path: str | os.PathLike[str]) -> Recognition:
    """Return the format of a file and what gave it away, reading no more than its beginning.

    Raises
    ------
    FormatError
        When the file does not exist, is empty or damaged, or no format fits.
    """
    peek = Peek(Path(path))
    for one in CATALOG:
        evidence = one.probe(peek)
        if evidence is not None:
            return Recognition(one.name, one.description, evidence)
    seen = peek.binary or ", ".join(peek.columns[:12]) or peek.head[:80].strip().replace("\n", " ")
    raise FormatError(
        "Nobody recognises this file",
        got=f"{peek.path.name}: {seen}",
        allowed=", ".join(one.name for one in CATALOG),
        remedy="Name the columns timestamp, open, high, low, close, volume (one row a symbol and moment), "
        "or name the format when you know it: --format (in Python format=...).",
    )


def read(path: str | os.PathLike[str], format: str | None = None) -> ImportResult:
    """Read a file of any known format into clean rows.

    Parameters
    ----------
    path
        CSV (also ``.gz`` and ``.zip``), Parquet, feather or JSON.
    format
        Name of a format in `CATALOG`; None recognises it.

    Returns
    -------
    ImportResult
        Clean rows, what the file was taken for, and every repair with its rule
        (`onward.data.importers.cleaning`).

    Raises
    ------
    FormatError
        When no format fits, the named one does not, or the file is damaged.
    DataError
        When its timestamps break the rules of time.
    """
    if format is None:
        recognition = recognise(path)
    else:
        recognition = Recognition(format, _named(format).description, "named by the user")
    chosen = _named(recognition.format)
    try:
        draft = chosen.read(Peek(Path(path)))
    except OnwardError:
        raise
    except (
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AssertionError,
        ArithmeticError,
        RuntimeError,
        OSError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
        pyarrow.ArrowException,
    ) as e:
        raise FormatError(
            f"The file is not {chosen.description}, or it is damaged",
            got=f"{Path(path).name}: {str(e).splitlines()[0][:160] if str(e) else type(e).__name__}",
            remedy="Let the format be recognised, or fetch the file again.",
        ) from e
    return _finish(draft, recognition, Path(path))


def _named(name: str) -> FileFormat:
    for one in CATALOG:
        if one.name == name:
            return one
    names = [one.name for one in CATALOG]
    guess = nearest(name, names)
    raise FormatError(
        "Unknown format" + (f"; did you mean {guess!r}?" if guess else ""),
        got=repr(name),
        allowed=", ".join(names),
    )


def _finish(draft: Draft, recognition: Recognition, path: Path) -> ImportResult:
    frame = draft.frame.reset_index(drop=True)
    if len(frame) == 0:
        raise FormatError("The file holds no rows", got=path.name)
    if "symbol" not in frame.columns:
        frame = frame.assign(symbol=draft.symbol or "")
    values = [c for c in frame.columns if c not in ("symbol", "timestamp")]
    try:
        numbers = {c: pd.to_numeric(frame[c]).astype("float64") for c in values}
    except (ValueError, TypeError) as error:
        raise DataError(
            "A column holds something that is not a number",
            got=f"{path.name}: {error}",
            remedy="Correct those cells (decimal point, no thousands separators).",
        ) from error
    frame = pd.DataFrame(
        {"symbol": frame["symbol"].astype(object), "timestamp": frame["timestamp"], **numbers}
    )
    frame, repairs = clean(draft.kind, frame)
    symbols = frame["symbol"].unique()
    symbol = str(symbols[0]) if len(symbols) == 1 and symbols[0] else None
    story = (*draft.repairs, *repairs)
    return ImportResult(draft.kind, symbol, _spacing(frame), frame, recognition, story, path.name)


def _spacing(frame: pd.DataFrame) -> pd.Timedelta | None:
    largest = frame["symbol"].value_counts().index[0]
    try:
        return infer_timeframe(pd.DatetimeIndex(frame.loc[frame["symbol"] == largest, "timestamp"]))
    except NotEnoughDataError:
        return None
