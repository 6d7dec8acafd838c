"""Requests for jobs, and jobs as clients see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field

from onward.jobs.values import JobState
from onward.server.bodies.base import Answer, Body, Number, Whole

__all__ = [
    "EtaView",
    "EventPage",
    "EventView",
    "FeatureJob",
    "ImportJob",
    "JobBody",
    "JobPage",
    "JobResult",
    "JobView",
    "RetryJob",
    "StopAnswer",
    "TrainingJob",
    "TuningJob",
]

PLAN: dict[str, Any] = {"labels": {"horizon_bars": 24}, "model.name": "lightgbm", "validation.n_splits": 5}


def _within_reason(moment: datetime) -> datetime:
    if not datetime(2000, 1, 1, tzinfo=UTC) <= moment <= datetime(2200, 1, 1, tzinfo=UTC):
        raise ValueError("lies before 2000 or after 2200")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_within_reason)]
Plan = Annotated[
    str | dict[str, Any] | None,
    Field(description="A preset (fast, default, financial), or sections and values over the server's own."),
]
File = Annotated[str, Field(min_length=1, max_length=4096)]
Note = Annotated[str, Field(max_length=200)]


class Attempts(Body):
    """What a job, new or tried again, may say about when and within which limits it is run."""

    run_after: Moment | None = Field(None, description="Moment before which it is not started.")
    max_attempts: Whole | None = Field(
        None, ge=1, le=100, description="Attempts, after losses of the worker."
    )
    timeout_seconds: Number | None = Field(None, gt=0, le=1e8, description="Time of one attempt.")
    memory_limit_mb: Whole | None = Field(None, ge=64, le=100_000_000, description="Memory of one attempt.")


class JobBody(Attempts):
    """What every request for a job may say about how it is run."""

    CONDITIONS: ClassVar[tuple[str, ...]] = (*Attempts.model_fields, "priority", "backend")

    priority: Whole = Field(0, ge=-1_000_000, le=1_000_000, description="Higher runs first.")
    backend: Literal["local", "ray"] = Field("local", description="Where it runs.")

    def conditions(self) -> dict[str, Any]:
        """Return how it is to be run."""
        return {name: getattr(self, name) for name in self.CONDITIONS}

    def spec(self) -> dict[str, Any]:
        """Return what is to be done."""
        return self.model_dump(mode="json", exclude=set(self.CONDITIONS))


class RetryJob(Attempts):
    """What a new try of an ended job changes; what is left out stays as it was asked for."""

    fresh: bool = Field(False, description="Begin anew: take over no finished fold.")


class MarketBody(JobBody):
    """Where the bars of a job are."""

    data: File | None = Field(
        None, description="File of candles below an allowed directory; else stored ones."
    )
    series: dict[str, File] = Field(default_factory=dict, description="Files of side series by name.")


class TrainingJob(MarketBody):
    """Train on a market what a plan asks for, judge it, audit it, publish it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"plan": "fast", "save": "btc-1h", "alias": "champion"},
                {"plan": {**PLAN, "data": {"symbols": ["BTC/USDT"], "timeframe": "1h"}}, "save": "btc-1h"},
            ]
        }
    )

    plan: Plan = None
    audit: bool = Field(True, description="Whether to look for leaks; without, no alias is given.")
    save: str | None = Field(None, max_length=100, description="Name to publish the model under.")
    alias: str | None = Field(None, max_length=64, description="Alias of the published version.")
    actor: Note = Field("", description="Who asks, for the history of aliases.")
    report: File | None = Field(None, description="Second place of the report, below outputs/ of the home.")
    force: bool = Field(False, description="Whether a file that is there may be replaced.")


class TuningJob(TrainingJob):
    """Search parameters, nested, train with the best, and judge the whole procedure."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"plan": "default", "trials": 40, "save": "btc-1h"}]}
    )

    trials: Whole | None = Field(None, ge=1, le=100_000, description="Trials of each search.")
    seconds: Number | None = Field(None, gt=0, le=1e8, description="Time that all searches share.")


class FeatureJob(MarketBody):
    """Compute the features of every bar into a Parquet file."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"plan": "default", "out": "features.parquet"}]}
    )

    plan: Plan = None
    out: File | None = Field(None, description="File below outputs/ of the home; else one by the job's id.")
    force: bool = Field(False, description="Whether a file that is there may be replaced.")


class ImportJob(JobBody):
    """Import files of market data into the store, all of them or none."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"files": ["BTC_USDT-1h.csv"], "symbol": "BTC/USDT"}]}
    )

    files: list[File] = Field(min_length=1, max_length=1000, description="Below an allowed directory.")
    symbol: str | None = Field(None, max_length=100)
    timeframe: str | None = Field(None, max_length=20)
    format: str | None = Field(None, max_length=50)


class EtaView(Answer):
    """How long a job goes on: of the whole job, going by an earlier one, or of its stage alone."""

    seconds: float
    of: Literal["job", "stage"]


class MarketView(Answer):
    """Which bars a training learns from: all their symbols, learnt from together."""

    symbols: list[str]
    timeframe: str


class JobView(Answer):
    """A job as it stands; ``eta`` is null when nobody knows, and unless it is running.

    ``market`` is null for jobs that train nothing.
    """

    id: str
    kind: str
    state: JobState
    reason: str | None
    attempt: int
    progress: dict[str, Any]
    eta: EtaView | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    market: MarketView | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    links: dict[str, str]


class JobPage(Answer):
    """Jobs, newest first; ``cursor`` continues, null at the end."""

    jobs: list[JobView]
    cursor: str | None


class StopAnswer(JobView):
    """A job after a stop was asked for; ``accepted`` is false when there was nothing to stop."""

    accepted: bool


class EventView(Answer):
    """An event; ``seq`` counts 1, 2, 3 ... within a job, without gaps."""

    seq: int
    at: datetime
    attempt: int
    kind: str
    payload: dict[str, Any]


class EventPage(Answer):
    """Events after a number; ``after`` continues, ``ended`` says that nothing more will come."""

    events: list[EventView]
    after: int
    ended: bool


class JobResult(Answer):
    """What a job came to."""

    id: str
    state: JobState
    result: dict[str, Any] | None
