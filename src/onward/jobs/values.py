"""What jobs are made of: requests, rows, events, identities. Frozen, no behaviour."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

__all__ = [
    "Job",
    "JobEvent",
    "JobRequest",
    "JobState",
    "Lease",
    "Outcome",
    "Page",
    "Reason",
    "Renewal",
    "StopReply",
    "Submission",
    "WorkerIdentity",
]

JobState = Literal["queued", "starting", "running", "stopping", "succeeded", "failed", "cancelled"]
"""Where a job stands; `onward.jobs.states` says which steps are lawful."""
Reason = Literal["error", "oom", "timeout", "stalled", "worker_lost", "spawn_failed"]
"""Why an attempt failed."""


@dataclass(frozen=True)
class JobRequest:
    """What somebody wants done.

    Attributes
    ----------
    kind
        Name of a job kind (``train``, ``tune``, ``features``, ``import`` ...).
    spec
        Plain JSON that says what to do, complete: a worker reads no settings of its own.
    tenant
        Whose it is; idempotency keys are unique within a tenant.
    idempotency_key
        The same key with the same request is the same job.
    priority
        Higher runs first.
    run_after
        UTC moment before which it is not started.
    max_attempts
        Attempts in all, after losses of the worker or its host. Errors, timeouts and lack of
        memory are not tried again.
    timeout_seconds, memory_limit_mb
        Limits of one attempt; None = none.
    backend
        Where it runs: ``local`` or ``ray``.
    asked_hash
        Names the request as it came, before its kind completed the spec: what a repeated
        idempotency key is compared by. None = the spec is as it came. Not kept with the job.
    """

    kind: str
    spec: Mapping[str, Any]
    tenant: str = "default"
    idempotency_key: str | None = None
    priority: int = 0
    run_after: datetime | None = None
    max_attempts: int = 2
    timeout_seconds: float | None = None
    memory_limit_mb: int | None = None
    backend: str = "local"
    asked_hash: str | None = field(default=None, compare=False, repr=False)

    @property
    def request_hash(self) -> str:
        """SHA-256 of what is asked for: everything except tenant and key."""
        said = [
            self.kind,
            self.spec,
            self.priority,
            None if self.run_after is None else self.run_after.isoformat(),
            self.max_attempts,
            self.timeout_seconds,
            self.memory_limit_mb,
            self.backend,
        ]
        return hashlib.sha256(json.dumps(said, sort_keys=True, allow_nan=False).encode()).hexdigest()


@dataclass(frozen=True)
class WorkerIdentity:
    """Which process does the work, so that nobody else is ever mistaken for it.

    Attributes
    ----------
    host, boot_id
        Machine, and its boot: process ids mean nothing after another one.
    pid, start_ticks
        Leader of the worker's session, and when it started (clock ticks since boot; on platforms
        without ``/proc`` milliseconds since 1970). A recycled pid has another start.
    session
        Session id that the worker and its children belong to.
    external_ref
        Name of the worker in another system (Ray actor); empty for local processes.
    """

    host: str
    boot_id: str
    pid: int
    start_ticks: int
    session: int
    external_ref: str = ""


@dataclass(frozen=True)
class Job:
    """One row of ``ml_jobs``. Times are UTC.

    ``retry_of`` names the job that this one tries again; it takes over what that one had finished,
    unless it is ``fresh``.
    """

    id: str
    request: JobRequest
    state: JobState
    reason: Reason | None
    attempt: int
    owner: str | None
    beat: int
    heartbeat_at: datetime | None
    identity: WorkerIdentity | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    cancel_requested_at: datetime | None
    stop_deadline: datetime | None
    progress: Mapping[str, Any]
    progress_at: datetime | None
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    retry_of: str | None = None
    fresh: bool = False

    @property
    def kind(self) -> str:
        """Name of the job kind."""
        return self.request.kind


@dataclass(frozen=True)
class JobEvent:
    """One row of ``ml_job_events``; ``seq`` counts 1, 2, 3 ... within a job, without gaps.

    Attributes
    ----------
    kind
        ``state`` (payload: state, reason), ``progress`` (stage, done, total, message, fraction,
        eta_seconds of the stage; of the whole job, as far as an earlier one tells: job_eta_seconds,
        job_paced, whether by its own pace, and job_fraction, which never falls), ``stage`` (one
        that begins, or is taken up again), ``score`` (figures of a finished fold or trial), ``log``
        (level, text), ``alarm`` (what).
    """

    job_id: str
    seq: int
    attempt: int
    at: datetime
    kind: str
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Submission:
    """Answer to a submit: the job, and whether this request made it (False: the key was known)."""

    job: Job
    created: bool


@dataclass(frozen=True)
class StopReply:
    """Answer to a stop.

    Attributes
    ----------
    job
        As it now stands.
    accepted
        False when there was nothing to stop: the job had ended, or a stop was asked for before.
    """

    job: Job
    accepted: bool


@dataclass(frozen=True)
class Lease:
    """Who holds an attempt, and the heartbeat number last seen of it."""

    job_id: str
    owner: str
    attempt: int
    beat: int


@dataclass(frozen=True)
class Renewal:
    """What a heartbeat brought back.

    Attributes
    ----------
    held
        Attempt of each job that the owner still holds, by job id. A job that is missing here was
        taken away: its processes must die and its results be discarded.
    stopping
        Ids of held jobs whose stop was asked for.
    """

    held: Mapping[str, int]
    stopping: frozenset[str]


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended.

    Attributes
    ----------
    state
        Terminal state.
    reason
        Why, when it failed.
    result
        Plain JSON for the user: references, scores, verdicts, paths relative to the home.
    error
        What went wrong: the parts of the `OnwardError` (or type and message), ``traceback``,
        ``log`` (last lines).
    """

    state: Literal["succeeded", "failed", "cancelled"]
    reason: Reason | None = None
    result: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Page:
    """A page of jobs, newest first; ``cursor`` continues, None at the end."""

    jobs: tuple[Job, ...] = ()
    cursor: str | None = field(default=None)
