"""Removing stored series from their page: what it would take away, and why it was not done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Self

from onward.errors import DataConflictError, NotEnoughDataError, StorageError

if TYPE_CHECKING:
    from onward.tasks.removing import Removal, SeriesRemover

__all__ = ["RemovalAsk", "Removed", "carry_out", "look"]

Wrong = Literal["moment", "empty", "nothing"]
Refusal = Literal["", "again", "changed", "storing", "busy"]
SHORTEST = timedelta(seconds=1)
SECONDS_FROM = datetime.fromtimestamp(1e9, UTC)
"""From when on Unix seconds have the ten digits by which a time range knows them."""


@dataclass(frozen=True)
class RemovalAsk:
    """A question whether rows of a series are to be removed.

    Attributes
    ----------
    kind, symbol, timeframe
        Of the series; no symbol: for every one; no timeframe: not candles.
    begin, until
        Moments as they are typed (``2026-01-31 12:00``, UTC); both empty: the whole series.
    seen, shown
        State of the series, and moments, that were told before somebody said yes.
    removal
        What would go; None where the moments make no sense.
    errors
        What is wrong with a field: key of its text.
    refusal
        Why nothing was removed; ``again``: something else was shown than what is asked for.
    job
        The import that stores the series at this moment.
    """

    kind: str
    symbol: str
    timeframe: str
    begin: str = ""
    until: str = ""
    seen: str = ""
    shown: str = ""
    removal: Removal | None = None
    errors: Mapping[str, Wrong] = field(default_factory=dict)
    refusal: Refusal = ""
    job: str = ""

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> Self:
        """Return a question, or the answer to one; what was tampered with is found by looking."""

        def text(name: str) -> str:
            return form.get(name, "")[:100].strip()

        return cls(
            text("kind"),
            text("symbol"),
            text("timeframe"),
            begin=text("begin"),
            until=text("until"),
            seen=text("seen"),
            shown=text("shown"),
        )

    @property
    def span(self) -> str:
        """The moments, as ``shown`` carries them."""
        return f"{self.begin}/{self.until}"

    @property
    def status(self) -> int:
        """HTTP status of the question as an answer."""
        return 422 if self.errors else 409 if self.refusal else 200

    @property
    def timerange(self) -> str | None:
        """The moments as everything else spells them; None without any.

        Raises
        ------
        ValueError
            When one of them is no moment.
        """
        if not self.begin and not self.until:
            return None
        return "-".join(_spelt(_moment(text)) if text else "" for text in (self.begin, self.until))


@dataclass(frozen=True)
class Removed:
    """What was removed."""

    removal: Removal


def look(remover: SeriesRemover, ask: RemovalAsk) -> RemovalAsk:
    """Return a question with what is true at this moment.

    Raises
    ------
    DataNotFoundError
        When the series is not stored.
    """
    errors = _wrong(ask)
    if errors:
        return replace(ask, errors=errors, removal=None)
    try:
        removal = remover.look(ask.kind, ask.symbol, timeframe=ask.timeframe or None, timerange=ask.timerange)
    except NotEnoughDataError:
        return replace(ask, errors={"until": "nothing"}, removal=None)
    return replace(ask, removal=removal, seen=removal.report.state, shown=ask.span)


def carry_out(remover: SeriesRemover, ask: RemovalAsk) -> Removed | RemovalAsk:
    """Remove what was shown, or ask again and say why.

    Raises
    ------
    DataNotFoundError
        When the series is not stored any more.
    """
    if _wrong(ask) or ask.shown != ask.span or not ask.seen:
        return _again(remover, ask, "again")
    try:
        return Removed(
            remover.remove(
                ask.kind,
                ask.symbol,
                timeframe=ask.timeframe or None,
                timerange=ask.timerange,
                seen=ask.seen,
            )
        )
    except NotEnoughDataError:
        return look(remover, ask)
    except DataConflictError as error:
        job = (error.got or "").rpartition("job ")[2] if "being stored" in error.what else ""
        return replace(_again(remover, ask, "storing" if job else "changed"), job=job)
    except StorageError as error:
        if "Another process" not in error.what:
            raise
        return _again(remover, ask, "busy")


def _again(remover: SeriesRemover, ask: RemovalAsk, why: Refusal) -> RemovalAsk:
    return replace(look(remover, ask), refusal=why)


def _wrong(ask: RemovalAsk) -> dict[str, Wrong]:
    found: dict[str, datetime] = {}
    errors: dict[str, Wrong] = {}
    for name, text in (("begin", ask.begin), ("until", ask.until)):
        try:
            found |= {name: _moment(text)} if text else {}
        except ValueError:
            errors[name] = "moment"
    if len(found) == 2 and found["until"] - found["begin"] < SHORTEST:
        errors["until"] = "empty"
    return errors


def _moment(text: str) -> datetime:
    """Return the moment of a field, UTC, as pages of either language write it."""
    moment = datetime.fromisoformat(text.replace("/", "-")).replace(microsecond=0)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if not 1700 < moment.year < 2262 or (moment.second and moment < SECONDS_FROM):
        raise ValueError(text)
    return moment


def _spelt(moment: datetime) -> str:
    """Return a moment as a time range spells it: a minute, or Unix seconds."""
    return str(int(moment.timestamp())) if moment.second else f"{moment:%Y%m%dT%H%M}"
