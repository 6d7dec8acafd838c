"""What the overview shows: models in use, jobs, data, and what somebody should look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

from onward.dashboard.views.data import import_address
from onward.dashboard.views.freshness import Freshness, freshness
from onward.jobs.remaining import TimeLeft, done_share, time_left
from onward.jobs.results import audit_failed
from onward.naming.sample import is_sample

if TYPE_CHECKING:
    from onward.jobs.values import Job
    from onward.registry import ModelSummary, Version
    from onward.server.coverage import Reach

__all__ = [
    "FAILED_WITHIN",
    "Alarm",
    "JobLine",
    "ModelInUse",
    "OverviewView",
    "SeriesLine",
    "job_line",
    "overview_view",
    "series_lines",
]

FAILED_WITHIN = timedelta(hours=24)
MOST_FAILURES, MOST_STALE = 3, 5
"""Alarms of a kind that are told one by one; of more it is said how many."""
MOST_NAMED = 3
"""Symbols of a job that are named; of more it is said how many."""


@dataclass(frozen=True)
class ModelInUse:
    """A version that an alias stands for.

    Attributes
    ----------
    missing
        The first of its symbols that no candles are stored of.
    of_sample
        Whether it learnt from the bundled bars.
    """

    name: str
    alias: str
    number: int
    symbols: tuple[str, ...]
    timeframe: str
    published_at: datetime
    direction: str | None
    range: str | None
    freshness: Freshness
    missing: str | None = None
    of_sample: bool = False


@dataclass(frozen=True)
class JobLine:
    """A job in one line.

    Attributes
    ----------
    left
        How long it goes on, of the whole job where that can be told; None when nobody knows.
    asked
        When it was asked for, by which lists of jobs are sorted.
    moment
        When it ended, else when it began, else when it was asked for.
    seconds
        How long its last attempt took; None while it goes on, or when it never began.
    audit_failed
        Whether it succeeded and yet nothing it came to may be trusted: a look into the future was found.
    fraction, share
        How far its stage is, and the whole job; None when nobody knows.
    """

    id: str
    kind: str
    state: str
    reason: str | None
    subject: str
    stage: str
    fraction: float | None
    left: TimeLeft | None
    asked: datetime
    moment: datetime
    live: bool
    seconds: float | None = None
    audit_failed: bool = False
    share: float | None = None

    @property
    def bar(self) -> float | None:
        """How full a bar is: with the share of the whole job, else with that of its stage."""
        return self.fraction if self.share is None else self.share


@dataclass(frozen=True)
class SeriesLine:
    """A stored series, and where it lies between the first and the last moment of all of them.

    Attributes
    ----------
    left, width
        Of the bar, in percent.
    """

    kind: str
    symbol: str
    timeframe: str
    first: datetime
    last: datetime
    rows: int
    gaps: int
    missing: int
    left: float
    width: float


@dataclass(frozen=True)
class Alarm:
    """Something that somebody should look at.

    Attributes
    ----------
    kind
        Which sentence tells of it (``overview.alarm.<kind>``).
    subject
        Name in that sentence.
    reason
        Of a failed job.
    tone
        How bad it is.
    moment
        Since when, if that is known.
    job_id
        The job, if it is one.
    bars
        How many bars have closed since.
    series
        Symbol and timeframe of the candles that are not stored.
    of_sample
        Whether those are the bundled ones, which can be stored at once.
    """

    kind: Literal["job_failed", "stale", "no_data"]
    subject: str
    tone: Literal["fair", "bad"]
    moment: datetime | None = None
    reason: str | None = None
    job_id: str | None = None
    bars: int = 0
    series: tuple[str, str] | None = None
    of_sample: bool = False

    @property
    def address(self) -> str:
        """Where to look."""
        if self.job_id:
            return f"/jobs/{self.job_id}"
        return "/data" if self.series is None else import_address(*self.series)


@dataclass(frozen=True)
class OverviewView:
    """Everything on the overview.

    Attributes
    ----------
    models, running, recent, series, alarms
        The first few of each.
    n_models, n_in_use, n_aliases
        Models, those that an alias stands for a version of, and such aliases.
    n_running, n_waiting, n_series, n_rows
        Jobs that are at work, and that wait; stored series, and rows of all of them.
    n_failed, n_stale
        Jobs that failed lately; models in use whose data are old, or missing.
    has_run
        Whether something was trained, kept or not.
    """

    models: tuple[ModelInUse, ...]
    n_models: int
    n_in_use: int
    n_aliases: int
    running: tuple[JobLine, ...]
    recent: tuple[JobLine, ...]
    n_running: int
    n_waiting: int
    series: tuple[SeriesLine, ...]
    n_series: int
    n_rows: int
    alarms: tuple[Alarm, ...]
    n_failed: int
    n_stale: int
    has_run: bool

    @property
    def n_alarms(self) -> int:
        """All of them, told one by one or not."""
        return self.n_failed + self.n_stale

    @property
    def more_failed(self) -> int:
        """Failed jobs that are not told one by one."""
        return self.n_failed - sum(alarm.kind == "job_failed" for alarm in self.alarms)

    @property
    def more_stale(self) -> int:
        """Models whose data are old that are not told one by one."""
        return self.n_stale - sum(alarm.kind != "job_failed" for alarm in self.alarms)

    @property
    def more_models(self) -> int:
        """Aliases that have no line."""
        return self.n_aliases - len(self.models)

    @property
    def more_live(self) -> int:
        """Jobs that have not ended and have no line."""
        return max(0, self.n_running + self.n_waiting - len(self.running))

    @property
    def more_series(self) -> int:
        """Stored series that have no line."""
        return self.n_series - len(self.series)

    @property
    def is_empty(self) -> bool:
        """Whether there is no model yet, so that the first steps are what helps."""
        return not self.n_models and not self.running

    @property
    def steps(self) -> tuple[tuple[str, bool], ...]:
        """The first steps (``overview.first.<name>``), and whether each is done.

        Nobody knows whether somebody trusts a model; whoever gave it an alias does.
        """
        return (
            ("data", self.n_series > 0),
            ("train", self.has_run or self.n_models > 0),
            ("trust", self.n_in_use > 0),
        )

    @property
    def next_step(self) -> str | None:
        """The first step that is not done."""
        return next((name for name, done in self.steps if not done), None)


def overview_view(
    *,
    summaries: Sequence[ModelSummary],
    in_use: Iterable[Version],
    running: Sequence[Job],
    ended: Sequence[Job],
    failed: Sequence[Job],
    n_failed: int,
    counts: Mapping[Any, int],
    coverage: Sequence[Reach],
    now: datetime,
    has_run: bool = False,
    most: int = 12,
    most_missed: int | None = None,
) -> OverviewView:
    """Return what the overview shows.

    Parameters
    ----------
    summaries
        All models.
    in_use
        Versions that aliases stand for, all of them.
    running, ended
        Jobs that have not ended, newest first, and some of those that have, in any order: the view
        shows those first that ended last.
    failed, n_failed
        Some of the jobs that failed within `FAILED_WITHIN`, newest first, and how many there are.
    counts
        Jobs by state.
    coverage
        All stored series.
    now
        This moment, UTC.
    has_run
        Whether something was trained.
    most
        Lines of each list.
    most_missed
        Bars that may be missing before data are stale (`prediction.max_staleness_bars`).
    """
    reach = {(c.symbol, c.timeframe): c for c in coverage if c.kind == "candles"}
    models = _models(in_use, reach, now, most_missed)
    stale = _stale(models)
    last = sorted(ended, key=lambda job: job.finished_at or job.queued_at, reverse=True)
    return OverviewView(
        models=models[:most],
        n_models=len(summaries),
        n_in_use=sum(bool(one.aliases) for one in summaries),
        n_aliases=len(models),
        running=tuple(job_line(job) for job in running[:most]),
        # As many lines before a job ends as after: what stands below them keeps its place.
        recent=tuple(job_line(job) for job in last[: max(most // 2 - len(running), 2)]),
        n_running=sum(counts.get(state, 0) for state in ("starting", "running", "stopping")),
        n_waiting=counts.get("queued", 0),
        series=series_lines(coverage)[:most],
        n_series=len(coverage),
        n_rows=sum(c.rows for c in coverage),
        alarms=(*_failures(failed), *stale[:MOST_STALE]),
        n_failed=n_failed,
        n_stale=len(stale),
        has_run=has_run,
    )


def job_line(job: Job) -> JobLine:
    """Return a job in one line."""
    progress = job.progress
    return JobLine(
        id=job.id,
        kind=job.kind,
        state=job.state,
        reason=job.reason,
        subject=_subject(job.request.spec),
        stage=str(progress.get("stage") or ""),
        fraction=progress.get("fraction"),
        share=done_share(progress),
        left=time_left(job),
        asked=job.queued_at,
        moment=job.finished_at or job.started_at or job.queued_at,
        live=job.finished_at is None,
        seconds=_seconds(job),
        audit_failed=audit_failed(job),
    )


def _seconds(job: Job) -> float | None:
    if job.started_at is None or job.finished_at is None:
        return None
    return max(0.0, (job.finished_at - job.started_at).total_seconds())


def series_lines(coverage: Sequence[Reach]) -> tuple[SeriesLine, ...]:
    """Return stored series with the places of their bars on a common axis of time."""
    if not coverage:
        return ()
    begin = min(c.first for c in coverage)
    length = max((max(c.last for c in coverage) - begin).total_seconds(), 1.0)
    return tuple(
        SeriesLine(
            kind=c.kind,
            symbol=c.symbol,
            timeframe=c.timeframe,
            first=c.first,
            last=c.last,
            rows=c.rows,
            gaps=c.gaps,
            missing=c.missing,
            left=round(100 * (c.first - begin).total_seconds() / length, 2),
            width=round(max(0.5, 100 * (c.last - c.first).total_seconds() / length), 2),
        )
        for c in coverage
    )


def _models(
    in_use: Iterable[Version],
    reach: Mapping[tuple[str, str], Reach],
    now: datetime,
    most_missed: int | None,
) -> tuple[ModelInUse, ...]:
    """Return a line for each alias, those named champion first."""
    lines = []
    for version in in_use:
        manifest = version.manifest
        stored = [reach.get((symbol, manifest.timeframe)) for symbol in manifest.symbols]
        fresh = freshness(stored, now, most_missed)
        absent = (symbol for symbol, one in zip(manifest.symbols, stored, strict=True) if one is None)
        missing = next(absent, None)
        lines += [_model(alias, version, fresh, missing) for alias in version.aliases]
    return tuple(sorted(lines, key=lambda line: (line.alias != "champion", line.name)))


def _model(alias: str, version: Version, fresh: Freshness, missing: str | None) -> ModelInUse:
    manifest = version.manifest
    levels = {name: _level(manifest.verdicts.get(name)) for name in ("direction", "range")}
    return ModelInUse(
        name=version.name,
        alias=alias,
        number=version.number,
        symbols=tuple(manifest.symbols),
        timeframe=manifest.timeframe,
        published_at=version.published_at,
        direction=levels["direction"],
        range=levels["range"],
        freshness=fresh,
        missing=missing,
        of_sample=is_sample(manifest.symbols, manifest.timeframe, manifest.data_hash),
    )


def _level(verdict: Any) -> str | None:
    return verdict.get("level") if isinstance(verdict, Mapping) else None


def _subject(spec: Mapping[str, Any]) -> str:
    """Return what a job is about: the model it makes or uses, else its file or market."""
    for name in ("save", "model", "reference"):
        if isinstance(spec.get(name), str):
            return str(spec[name])
    files = [*spec.get("files", ()), *(one["name"] for one in spec.get("uploads", ()))]
    if files and not spec.get("symbol"):
        return PurePath(str(files[0])).name
    plan = spec.get("plan")
    data = plan.get("data") if isinstance(plan, Mapping) else None
    symbols = data.get("symbols") if isinstance(data, Mapping) else None
    if not symbols:
        return str(spec.get("symbol") or "")
    more = f" +{len(symbols) - MOST_NAMED}" if len(symbols) > MOST_NAMED else ""
    return ", ".join(map(str, symbols[:MOST_NAMED])) + more


def _failures(failed: Sequence[Job]) -> tuple[Alarm, ...]:
    last = sorted(failed, key=lambda job: job.finished_at or job.queued_at, reverse=True)
    return tuple(
        Alarm("job_failed", _subject(job.request.spec), "bad", job.finished_at, job.reason, job.id)
        for job in last[:MOST_FAILURES]
    )


def _stale(models: Sequence[ModelInUse]) -> tuple[Alarm, ...]:
    found = {}
    for model in models:
        freshness = model.freshness
        if freshness.newest is None:
            series = (model.missing or model.symbols[0], model.timeframe)
            found[model.name] = Alarm("no_data", model.name, "fair", series=series, of_sample=model.of_sample)
        elif freshness.is_stale:
            found[model.name] = Alarm(
                "stale", model.name, "fair", freshness.newest, bars=freshness.bars_missed
            )
    return tuple(found.values())
