"""What the overview shows: models in use, jobs, data, and what somebody should look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from onward.dashboard.views.alarms import MOST_STALE, Alarm, of_failures, of_models
from onward.dashboard.views.job_line import JobLine, job_line
from onward.dashboard.views.models_in_use import ModelInUse, models_in_use

if TYPE_CHECKING:
    from onward.jobs.values import Job
    from onward.registry import ModelSummary, Version
    from onward.server.coverage import Reach

__all__ = ["FAILED_WITHIN", "OverviewView", "SeriesLine", "overview_view", "series_lines"]

FAILED_WITHIN = timedelta(hours=24)


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
    models = models_in_use(in_use, reach, now, most_missed)
    stale = of_models(models)
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
        alarms=(*of_failures(failed), *stale[:MOST_STALE]),
        n_failed=n_failed,
        n_stale=len(stale),
        has_run=has_run,
    )


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
