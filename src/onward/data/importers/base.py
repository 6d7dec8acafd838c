"""What an importer offers and what an import gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from onward.data.importers.peek import Peek

__all__ = ["Draft", "FileFormat", "ImportResult", "Kind", "Recognition", "Repair"]

Kind = Literal["candles", "funding", "open_interest", "fear_greed"]


@dataclass(frozen=True)
class Repair:
    """Something that an import changed knowingly.

    Attributes
    ----------
    name
        ``sorted``, ``duplicates``, ``conflicts``, ``incomplete``, ``volume``, ``zone``, ``jitter``,
        ``left_out``.
    count
        Rows (or steps, or columns) that it concerns.
    detail
        One sentence that states the rule.
    """

    name: str
    count: int
    detail: str

    def __str__(self) -> str:
        return self.detail


@dataclass(frozen=True)
class Recognition:
    """Which format a file is of, and by what it was told.

    Attributes
    ----------
    format
        Name of the format, as ``--format`` takes it.
    description
        The format in words.
    evidence
        What in the file gave it away.
    """

    format: str
    description: str
    evidence: str

    def __str__(self) -> str:
        return f"Recognised {self.description}: {self.evidence}."


@dataclass(frozen=True, eq=False)
class Draft:
    """What a format reads from a file, before the cleaning that is common to all.

    Attributes
    ----------
    kind
        What the rows are.
    frame
        ``timestamp`` (UTC), optionally ``symbol``, and the value columns of the kind.
    symbol
        The symbol that all rows belong to, when there is no symbol column.
    repairs
        What was changed on the way.
    """

    kind: Kind
    frame: pd.DataFrame
    symbol: str | None = None
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True)
class FileFormat:
    """One format: how to tell it and how to read it.

    Attributes
    ----------
    name
        Name for ``--format``.
    description
        The format in words.
    probe
        Look at a file and return the evidence for this format, or None.
    read
        Read the file.
    """

    name: str
    description: str
    probe: Callable[[Peek], str | None]
    read: Callable[[Peek], Draft]


@dataclass(frozen=True, eq=False)
class ImportResult:
    """Clean rows of one file, and the story of how they became clean.

    Attributes
    ----------
    kind
        ``candles``, ``funding``, ``open_interest`` or ``fear_greed``.
    symbol
        The only symbol, guessed from content or file name; None when unknown or several.
    timeframe
        Spacing of the rows; None when one row does not tell.
    frame
        Columns ``symbol`` (empty text: not known, or valid for every symbol), ``timestamp``
        (UTC; the open time of a candle) and float64 values; sorted, unique, RangeIndex.
    recognition
        What the file was taken for and why.
    repairs
        What was changed, each with its rule.
    source
        Name of the file.
    """

    kind: Kind
    symbol: str | None
    timeframe: pd.Timedelta | None
    frame: pd.DataFrame
    recognition: Recognition
    repairs: tuple[Repair, ...]
    source: str = ""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols in the frame, sorted."""
        return tuple(sorted(map(str, self.frame["symbol"].unique())))
