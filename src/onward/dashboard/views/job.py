"""What the pages of jobs show: lines of the list, and one job with all that came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from onward.dashboard.views.job_events import Digest, StageLine
from onward.dashboard.views.job_line import JobLine, job_line
from onward.dashboard.views.job_outcome import Fact, Failure, Trained, facts_of, failure_of, trained_of
from onward.dashboard.views.job_trials import TrialLine, best_and_newest, count_of
from onward.jobs.remaining import BEATS, silent_seconds

if TYPE_CHECKING:
    from onward.jobs.values import Job, JobState

__all__ = ["KINDS", "SHOWN", "JobView", "JobsView", "expected_stages", "is_untaken", "job_view", "jobs_view"]

KINDS = ("train", "tune", "features", "import", "predict", "audit")
SHOWN: Mapping[str, tuple[JobState, ...]] = {
    "all": (),
    "live": ("queued", "starting", "running", "stopping"),
    "succeeded": ("succeeded",),
    "failed": ("failed",),
    "cancelled": ("cancelled",),
}
"""Choices of the list: which states each of them stands for; none means all."""

LOOKS_BACK = ("importance", "drift", "adversarial")
TRAINING = ("train", "tune")
UNTAKEN, SILENT = timedelta(seconds=10), timedelta(minutes=1)


@dataclass(frozen=True)
class JobsView:
    """A page of the list of jobs.

    Attributes
    ----------
    lines
        Newest first.
    shown, kind, cursor
        What was asked for: a key of `SHOWN`, a kind or None, where the page begins (None: at the newest).
    kinds
        That can be asked for.
    counts
        Jobs of each choice, of all kinds.
    next
        Cursor of the page after; None at the end.
    silent
        Of jobs whose server seems to have gone: for how many seconds nothing was heard from it, by id.
    """

    lines: tuple[JobLine, ...]
    shown: str
    kind: str | None
    kinds: tuple[str, ...]
    counts: Mapping[str, int]
    cursor: str | None
    next: str | None
    silent: Mapping[str, float] = field(default_factory=dict)

    def address(
        self,
        *,
        path: str = "/jobs",
        shown: str | None = None,
        kind: str | None = "",
        cursor: str | None = None,
    ) -> str:
        """Return the address of another page of the list; what is not said stays, except the place in it."""
        shown = self.shown if shown is None else shown
        kind = self.kind if kind == "" else kind
        said = {"show": "" if shown == "all" else shown, "kind": kind, "cursor": cursor}
        query = urlencode({name: value for name, value in said.items() if value})
        return f"{path}?{query}" if query else path

    @property
    def filtered(self) -> bool:
        """Whether some jobs are left out."""
        return self.shown != "all" or self.kind is not None

    @property
    def moving(self) -> bool:
        """Whether a line of this page will change by itself."""
        return any(line.live for line in self.lines)


@dataclass(frozen=True)
class JobView:
    """One job.

    Attributes
    ----------
    line
        What the list says of it.
    untaken
        Whether it waits although nobody seems to be there who would take it.
    unknown
        Whether it is of a kind that this server cannot do, and waits for one that can.
    silent
        For how many seconds nothing was heard from the server that works on it; None while that is no wonder.
    quiet, lease
        Seconds without news after which it may be silent, and after which another server takes over.
    stages
        Those that have begun and those to come, in the order of the work.
    digest
        What its events come to.
    trained
        Verdicts, certificate and links of a training or search that succeeded.
    failure
        What went wrong, if it failed.
    facts
        What any other job came to.
    asked
        The request, as JSON.
    """

    line: JobLine
    attempt: int
    max_attempts: int
    queued_at: datetime
    run_after: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    host: str | None
    backend: str
    retry_of: str | None
    names_alias: bool
    untaken: bool
    unknown: bool
    stages: tuple[StageLine, ...]
    digest: Digest
    trained: Trained | None
    failure: Failure | None
    facts: tuple[Fact, ...]
    asked: str
    silent: float | None = None
    quiet: float = 8.0
    lease: float = 60.0

    @property
    def again(self) -> str:
        """Why it waits once more, ``lost`` or ``given_back``; empty when it does not."""
        if self.line.state != "queued" or not self.attempt:
            return ""
        return "lost" if self.digest.lost else "given_back"

    @property
    def trains(self) -> bool:
        """Whether verdicts and scores of folds are to be expected."""
        return self.line.kind in TRAINING

    @property
    def searches(self) -> bool:
        """Whether trials are to be expected."""
        return self.line.kind == "tune" or bool(self.digest.trials)

    @property
    def scores_folds(self) -> bool:
        """Whether scores of single folds are to be expected."""
        return self.trains or bool(self.digest.folds)

    @property
    def n_trials(self) -> int:
        """How many trials have ended."""
        return count_of(self.digest.trials)

    @property
    def best_trial(self) -> TrialLine | None:
        """The best trial of the search that is under way."""
        return best_and_newest(self.digest.trials)[0]

    @property
    def newest_trials(self) -> tuple[TrialLine, ...]:
        """Those that ended last, the newest first."""
        return best_and_newest(self.digest.trials)[1]

    @property
    def passed(self) -> frozenset[str]:
        """Stages that have begun, and those before them that were told nothing of: they had nothing to do."""
        told = {stage.name for stage in self.digest.stages}
        names = [stage.name for stage in self.stages]
        last = max((place for place, name in enumerate(names) if name in told), default=-1)
        return frozenset(names[: last + 1])

    @property
    def broken_off(self) -> str:
        """The stage in which it failed or was stopped; empty while it runs, and when it ended well."""
        return self.digest.last if self.line.state in ("failed", "cancelled") else ""

    @property
    def seconds(self) -> float | None:
        """Seconds from the begin of the last attempt to its end; None before either."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0.0, (self.finished_at - self.started_at).total_seconds())

    @property
    def rest(self) -> float | None:
        """Seconds of the last attempt that belong to no stage; None while it goes on, and without stages."""
        if self.seconds is None or not self.digest.stages:
            return None
        return max(0.0, self.seconds - sum(stage.seconds for stage in self.digest.stages))

    @property
    def for_scripts(self) -> dict[str, Any]:
        """Where the page's script goes on: number of the last event, and the scores shown by now."""
        digest = self.digest
        return {
            "id": self.line.id,
            "live": self.line.live,
            "state": self.line.state,
            "after": digest.seq,
            "stage": next((stage.name for stage in self.stages if stage.under_way), ""),
            "stages": [
                [one.name, one.seconds, *(m and m.timestamp() * 1000 for m in (one.since, one.full))]
                for one in digest.stages
            ],
            "left": None
            if self.line.left is None
            else [self.line.left.seconds, self.line.left.of, self.line.left.paced],
            "quiet": self.quiet,
            "began": None if self.started_at is None else self.started_at.timestamp(),
            "folds": [{"fold": int(line.name), **line.values} for line in digest.folds],
            "trials": [[one.search, one.number, one.state, one.score, one.best] for one in digest.trials],
        }


def jobs_view(
    jobs: Sequence[Job],
    counts: Mapping[Any, int],
    *,
    shown: str,
    kind: str | None,
    cursor: str | None,
    following: str | None,
    heartbeat: float = 2.0,
) -> JobsView:
    """Return a page of the list.

    Parameters
    ----------
    jobs
        Newest first.
    counts
        Jobs by state.
    shown, kind, cursor
        What was asked for.
    following
        Cursor of the page after.
    heartbeat
        Seconds between two heartbeats of a server.
    """
    by_choice = {
        name: sum(counts.values()) if not states else sum(counts.get(state, 0) for state in states)
        for name, states in SHOWN.items()
    }
    known = KINDS if kind is None or kind in KINDS else (*KINDS, kind)
    silent = {job.id: seconds for job in jobs if (seconds := silent_seconds(job, heartbeat)) is not None}
    lines = tuple(_line(job, silent.get(job.id)) for job in jobs)
    return JobsView(lines, shown, kind, known, by_choice, cursor, following, silent)


def is_untaken(job: Job, held: Sequence[Job], now: datetime) -> bool:
    """Return whether a job that is due waits although nobody seems to be there who would take it.

    Whoever has a free place takes a job within moments, and whoever has none shows that it lives.

    Parameters
    ----------
    job
        The job.
    held
        Jobs that somebody works on, as far as he is not dead.
    now
        UTC. Clocks of other hosts may differ a little: this is a hint for people.
    """
    due = max(job.queued_at, job.request.run_after or job.queued_at)
    if job.state != "queued" or now - due < UNTAKEN:
        return False
    return not any(one.heartbeat_at is not None and now - one.heartbeat_at < SILENT for one in held)


def job_view(
    job: Job,
    digest: Digest,
    *,
    untaken: bool = False,
    unknown: bool = False,
    heartbeat: float = 2.0,
    lease: float = 60.0,
) -> JobView:
    """Return everything that the page of a job shows.

    ``heartbeat`` and ``lease`` are the seconds of the settings: between two signs of life of a server,
    and without any until another one takes over.
    """
    request, silent = job.request, silent_seconds(job, heartbeat)
    succeeded, result = job.state == "succeeded", job.result or {}
    trained = trained_of(job.kind, result) if succeeded else None
    return JobView(
        line=_line(job, silent),
        attempt=job.attempt,
        max_attempts=request.max_attempts,
        queued_at=job.queued_at,
        run_after=request.run_after,
        started_at=job.started_at,
        finished_at=job.finished_at,
        host=None if job.identity is None else job.identity.host,
        backend=request.backend,
        retry_of=job.retry_of,
        names_alias=request.spec.get("alias") is not None,
        untaken=untaken,
        unknown=unknown,
        stages=_stages(job, digest),
        digest=digest,
        trained=trained,
        failure=failure_of(job) if job.state == "failed" else None,
        facts=facts_of(job.kind, result) if succeeded and trained is None else (),
        asked=json.dumps(dict(request.spec), indent=2, ensure_ascii=False, sort_keys=True),
        silent=silent,
        quiet=BEATS * heartbeat,
        lease=lease,
    )


def expected_stages(kind: str, spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the stages that a job will go through, as far as its request tells."""
    if kind not in TRAINING:
        return {"import": ("import",), "features": ("features",), "audit": ("audit",)}.get(kind, ())
    plan = spec.get("plan")
    evaluation = plan.get("evaluation") if isinstance(plan, Mapping) else None
    looks = isinstance(evaluation, Mapping) and any(evaluation.get(name) for name in LOOKS_BACK)
    steps = ("features", "search" if kind == "tune" else "", "fold", "final fit")
    return tuple(
        filter(None, (*steps, "explanation" if looks else "", "audit" if spec.get("audit", True) else ""))
    )


def _line(job: Job, silent: float | None) -> JobLine:
    """Return a job in one line; of what somebody foretold who fell silent nothing is left."""
    line = job_line(job)
    return line if silent is None else replace(line, left=None)


def _stages(job: Job, digest: Digest) -> tuple[StageLine, ...]:
    """Return the expected stages with what is known of them, others after those they came after."""
    told = {stage.name: stage for stage in digest.stages}
    order = list(expected_stages(job.kind, job.request.spec))
    place = 0
    for name in told:
        if name in order:
            place = max(place, order.index(name) + 1)
        else:
            order.insert(place, name)
            place += 1
    stages = tuple(told.get(name, StageLine(name)) for name in order)
    return stages if job.finished_at is None else tuple(replace(one, since=None) for one in stages)
