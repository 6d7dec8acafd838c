"""What a server answers, as frozen values; times are UTC. Jobs and events are in `onward.jobs.values`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, Self

from onward.jobs.values import Job

__all__ = [
    "AliasChange",
    "FileRead",
    "ImportReply",
    "ModelInfo",
    "PlanCheck",
    "PredictedBar",
    "Predictions",
    "SeriesRemoval",
    "StoredSeries",
    "VersionInfo",
]


class _Told:
    """A value that is read out of JSON; what a newer server says in addition is left out."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Return the value that a document tells of."""
        known = {field.name: field.type for field in fields(cls)}  # type: ignore[arg-type]
        given = {name: document[name] for name in known if name in document}
        for name, value in given.items():
            if known[name] == "datetime":
                given[name] = datetime.fromisoformat(value)
            elif isinstance(value, list) and str(known[name]).startswith("tuple"):
                given[name] = tuple(value)
        return cls(**given)


@dataclass(frozen=True)
class ModelInfo(_Told):
    """A model at a glance: its versions, the newest one, and what each alias stands for."""

    name: str
    created_at: datetime
    n_versions: int
    latest: int | None
    aliases: Mapping[str, int]


@dataclass(frozen=True)
class VersionInfo(_Told):
    """A published version; card, scores, findings and manifest when it was asked for alone."""

    ref: str
    name: str
    number: int
    published_at: datetime
    aliases: tuple[str, ...]
    digest: str
    model: str
    certificate: Literal["passed", "failed", "not_run"]
    verdicts: Mapping[str, Any]
    run_id: str | None
    card: str = ""
    scores: Mapping[str, Any] | None = None
    findings: tuple[Mapping[str, Any], ...] = ()
    manifest: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class AliasChange(_Told):
    """One change of an alias: what it stood for afterwards and before, who did it, why and when."""

    model: str
    alias: str
    action: Literal["set", "delete", "rollback"]
    version: int | None
    previous: int | None
    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class PredictedBar(_Told):
    """What a model says about one bar: probabilities of down, range and up, and the signal."""

    symbol: str
    open_time: datetime
    decision_time: datetime
    down: float
    range: float
    up: float
    signal: Literal[-1, 0, 1]


@dataclass(frozen=True)
class Predictions:
    """Predictions of one model version.

    Attributes
    ----------
    model
        Reference of the version that predicted.
    as_of
        Moment as of which it did.
    bars
        One entry a bar.
    freshness
        ``newest_decision_time``, ``age_seconds``, ``bars_missed``.
    warnings
        What to be wary of.
    """

    model: str
    as_of: datetime
    bars: tuple[PredictedBar, ...]
    freshness: Mapping[str, Any]
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Predictions:
        """Return the predictions that a document tells of."""
        return cls(
            document["model"],
            datetime.fromisoformat(document["as_of"]),
            tuple(PredictedBar.of(one) for one in document["predictions"]),
            document["freshness"],
            tuple(document["warnings"]),
        )


@dataclass(frozen=True)
class StoredSeries(_Told):
    """How far stored rows of one kind and symbol reach; ``longest_gap`` in seconds."""

    kind: str
    symbol: str
    timeframe: str
    first: datetime
    last: datetime
    rows: int
    gaps: int
    missing: int
    longest_gap: float | None = None


@dataclass(frozen=True)
class SeriesRemoval(_Told):
    """Rows that go from a series and rows that stay; models of its market; imports that may bring some back.

    ``state`` stands for what was stored: given as ``seen`` to `OnwardClient.remove_series`, rows go only
    while it still holds. ``first`` and ``last`` are None where a damaged series cannot be read.
    """

    kind: str
    symbol: str
    timeframe: str
    rows: int
    first: str | None
    last: str | None
    left: int
    unreadable: int
    state: str
    models: tuple[Mapping[str, Any], ...] = ()
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileRead(_Told):
    """What the server read out of a file that was sent."""

    file: str
    kind: Literal["candles", "funding", "open_interest", "fear_greed"]
    symbols: tuple[str, ...]
    timeframe: str | None
    rows: int
    first: datetime
    last: datetime
    format: str
    evidence: str
    recognised: str
    repairs: tuple[Mapping[str, Any], ...]
    strays: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class ImportReply:
    """What became of a file that was sent: what it holds, and the job that stores it (none when dry)."""

    read: FileRead
    job: Job | None


@dataclass(frozen=True)
class PlanCheck(_Told):
    """A plan as it would run on a market: every value, the features and their cost, warnings."""

    plan: Mapping[str, Any]
    plan_hash: str
    symbols: tuple[str, ...]
    timeframe: str
    rows: int
    columns: int
    lookback_bars: int
    seconds: float
    columns_of_unknown_cost: int
    matrix_bytes: int
    families: tuple[Mapping[str, Any], ...]
    fitted: tuple[Mapping[str, Any], ...]
    features: tuple[Mapping[str, Any], ...] | None
    warnings: tuple[str, ...]
