"""What an import of a file shows: what was recognised, what stands in its way, what was stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlencode

from onward.dashboard.views.data import series_address
from onward.errors import DataError, FormatError, OnwardError, StorageError, UserError
from onward.naming import check_symbol

if TYPE_CHECKING:
    from onward.jobs.values import Job

__all__ = [
    "Astray",
    "Counted",
    "OutcomeView",
    "PreviewView",
    "Stored",
    "outcome_view",
    "preview_view",
    "refusal",
]

FieldName = Literal["file", "symbol", "timeframe"]
REPAIRS = frozenset(
    {"sorted", "duplicates", "conflicts", "incomplete", "volume", "zone", "jitter", "left_out", "layout"}
)
FINDINGS = frozenset({"gaps", "zero_volume", "outliers", "stale", "nan"})
ASKED = frozenset({"symbol_missing", "timeframe_missing"})
MOST = 8


@dataclass(frozen=True)
class Counted:
    """Something that was repaired or found, how often, and the reader's own sentence on it if it is new.

    ``subject`` is the symbol that it was found in.
    """

    name: str
    count: int
    severity: str = "note"
    said: str = ""
    subject: str = ""


@dataclass(frozen=True)
class PreviewView:
    """What a file that was sent holds, before it is stored.

    Attributes
    ----------
    upload
        By which the file is found again.
    file
        Its name.
    kind, symbols, timeframe, format, columns, rows, first, last, still_open
        What was recognised; no timeframe where one row does not tell.
    repairs, findings
        What was put right, and what a check of the bars finds.
    symbol, given_timeframe
        What the reader gave, or what was recognised.
    asked
        What neither the file nor its name says and the reader is to fill in: key of the sentence by field.
    errors
        What is wrong, or is missing although it was asked for: key of the sentence by field.
    details
        Parts of the error behind it.
    strays
        Rows whose stamps are probably wrong.
    """

    upload: str
    file: str
    kind: str
    symbols: tuple[str, ...]
    timeframe: str
    format: str
    columns: tuple[str, ...]
    rows: int
    first: datetime
    last: datetime
    still_open: int
    repairs: tuple[Counted, ...]
    findings: tuple[Counted, ...]
    symbol: str
    given_timeframe: str
    asked: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    strays: tuple[Astray, ...] = ()

    def filled(self, symbol: str, timeframe: str) -> PreviewView:
        """Return what a file holds with names for what it does not say, where it asks for them.

        Parameters
        ----------
        symbol, timeframe
            Of the candles that somebody waits for; empty: nobody does.
        """
        given = {"symbol": symbol, "timeframe": timeframe}
        filled = {name: given[name] for name in self.asked if given.get(name)}
        return replace(
            self,
            symbol=filled.get("symbol", self.symbol),
            given_timeframe=filled.get("timeframe", self.given_timeframe),
            asked={name: key for name, key in self.asked.items() if name not in filled},
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Symbols that the file itself names."""
        return tuple(symbol for symbol in self.symbols if symbol)

    @property
    def takes_symbol(self) -> bool:
        """Whether the rows can be stored under another symbol."""
        return len(self.symbols) == 1 and self.kind != "fear_greed"


@dataclass(frozen=True)
class Stored:
    """Rows of one symbol that were stored."""

    kind: str
    symbol: str
    added: int
    unchanged: int
    replaced: int
    refused: int
    still_open: int
    address: str


@dataclass(frozen=True)
class Astray:
    """Rows of a symbol that lie far from all others, and where they can be removed (once they are stored)."""

    rows: int
    first: datetime
    last: datetime
    address: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any], series: str = "") -> Self:
        """Return what an import tells; ``series`` is the address of their page."""
        first, last = (datetime.fromisoformat(told[name]) for name in ("first", "last"))
        until = last.replace(second=0, microsecond=0) + timedelta(minutes=1)
        span = {"begin": f"{first:%Y-%m-%d %H:%M}", "until": f"{until:%Y-%m-%d %H:%M}"}
        return cls(told["rows"], first, last, f"{series}&{urlencode(span)}" if series else "")


@dataclass(frozen=True)
class OutcomeView:
    """An import that runs or has ended.

    Attributes
    ----------
    job_id, state, reason, live, fraction
        Of its job.
    stored
        What came of it.
    details
        Parts of the error, when it failed.
    strays
        Rows whose stamps are probably wrong.
    """

    job_id: str
    state: str
    reason: str | None
    live: bool
    fraction: float | None
    stored: tuple[Stored, ...]
    details: Mapping[str, Any]
    strays: tuple[Astray, ...] = ()


def preview_view(
    read: Mapping[str, Any],
    *,
    upload: str,
    symbol: str | None,
    timeframe: str | None,
    answered: bool = False,
) -> PreviewView:
    """Return what a file holds.

    Parameters
    ----------
    read
        What the guarded reader said, with ``detail``.
    upload
        By which the file is found again.
    symbol, timeframe
        What the reader gave; None: nothing.
    answered
        Whether the reader has had the chance to give it: what is still missing is an error then.
    """
    refused, symbols = read["refused"], tuple(read["symbols"])
    asked: dict[str, str] = {}
    errors: dict[str, str] = {}
    if refused is not None:
        place, key = _place(refused["error"], read["kind"], symbols, symbol, timeframe)
        (errors if answered or key not in ASKED else asked)[place] = key
    own = symbols[0] if len(symbols) == 1 else ""
    return PreviewView(
        upload=upload,
        file=read["file"],
        kind=read["kind"],
        symbols=symbols,
        timeframe=read["timeframe"] or "",
        format=read["format"],
        columns=tuple(read["columns"]),
        rows=read["rows"],
        first=datetime.fromisoformat(read["first"]),
        last=datetime.fromisoformat(read["last"]),
        still_open=read["still_open"],
        repairs=tuple(
            Counted(one["name"], one["count"], said="" if one["name"] in REPAIRS else one["detail"])
            for one in read["repairs"][:MOST]
        ),
        findings=tuple(
            Counted(
                one["name"],
                one["count"],
                one["severity"],
                "" if one["name"] in FINDINGS else one["text"],
                one["subject"],
            )
            for one in read["findings"][:MOST]
        ),
        symbol=own if symbol is None else symbol,
        given_timeframe=(read["timeframe"] or "") if timeframe is None else timeframe,
        asked=asked,
        errors=errors,
        details=refused if errors else {},
        strays=tuple(Astray.of(one) for one in read["strays"]),
    )


def refusal(error: OnwardError) -> str:
    """Return which sentence says why a file cannot be read (``data.refused.<key>``)."""
    what = error.what.lower()
    if isinstance(error, StorageError):
        return "disk"
    if isinstance(error, DataError) and "than an upload may" in what:
        return "limits"
    if isinstance(error, FormatError):
        if "empty" in what or "no rows" in what:
            return "empty"
        return "unknown" if "recognises" in what else "damaged"
    if isinstance(error, DataError):
        return "rules"
    return "form" if isinstance(error, UserError) else "other"


def outcome_view(job: Job) -> OutcomeView:
    """Return what came of an import so far."""
    result = job.result or {}
    imported = result.get("imported", ())
    lengths = {one.get("timeframe", "") for one in imported if one["kind"] == "candles"}
    timeframe = job.request.spec.get("timeframe") or (lengths.pop() if len(lengths) == 1 else "")
    stored = tuple(
        Stored(
            kind=one["kind"],
            symbol=one["symbol"],
            added=one["added"],
            unchanged=one["unchanged"],
            replaced=one["replaced"],
            refused=one["refused"],
            still_open=one["still_open"],
            address=_address(one["kind"], one["symbol"], timeframe),
        )
        for one in result.get("stored", ())
    )
    return OutcomeView(
        job_id=job.id,
        state=job.state,
        reason=job.reason,
        live=job.finished_at is None,
        fraction=job.progress.get("fraction"),
        stored=stored,
        details=job.error or {},
        strays=tuple(
            Astray.of(stray, _page(file, job.request.spec.get("symbol") or stray["symbol"], timeframe))
            for file in imported
            for stray in file.get("strays", ())
        ),
    )


def _page(file: Mapping[str, Any], symbol: str, timeframe: str) -> str:
    """Return the address of the series that rows of a file went into; empty where it cannot be told."""
    if file["kind"] == "candles" and not timeframe:
        return ""
    return _address(file["kind"], symbol, timeframe)


def _address(kind: str, symbol: str, timeframe: str) -> str:
    if kind != "candles":
        return series_address(kind, symbol, "")
    return series_address(kind, symbol, timeframe) if timeframe else "/data?" + urlencode({"search": symbol})


def _place(
    error: str, kind: str, symbols: tuple[str, ...], symbol: str | None, timeframe: str | None
) -> tuple[FieldName, str]:
    """Return at which field an error stands that storing a file met, and its sentence."""
    if error == "TimeframeError":
        return "timeframe", "timeframe_missing" if timeframe is None else "timeframe_wrong"
    if kind == "candles" and symbol is None and "" in symbols:
        return "symbol", "symbol_missing"
    if symbol is not None and len(symbols) > 1:
        return "symbol", "symbol_several"
    if any(_is_no_symbol(one) for one in (symbols if symbol is None else (symbol,)) if one):
        return "symbol" if len(symbols) == 1 else "file", "symbol_wrong"
    return "file", "rules"


def _is_no_symbol(symbol: str) -> bool:
    try:
        check_symbol(symbol)
    except DataError:
        return True
    return False
