"""`JobDesk`: takes jobs in, and stops, repeats and forgets them; light, for whoever runs none."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from onward.errors import JobError, JobStateError, JobTooLargeError, nearest
from onward.jobs.acceptance import check_request
from onward.jobs.values import Job, JobRequest, StopReply, Submission

if TYPE_CHECKING:
    from pathlib import Path

    from onward.config.jobs import JobConfig
    from onward.jobs.kinds import JobKind
    from onward.jobs.protocol import JobStore

__all__ = ["JobDesk"]


class JobDesk:
    """Where jobs are handed in; needs a store, but no process and no thread.

    Parameters
    ----------
    store
        The truth about jobs, shared with other servers.
    kinds
        What can be done.
    config
        Limits of what is taken in.
    directory
        ``jobs/`` of the home.
    """

    def __init__(self, store: JobStore, kinds: Iterable[JobKind], config: JobConfig, directory: Path) -> None:
        self.store = store
        self.kinds: Mapping[str, JobKind] = {kind.name: kind for kind in kinds}
        self._config = config
        self._directory = directory

    def submit(
        self,
        kind: str,
        spec: Mapping[str, Any],
        *,
        tenant: str = "default",
        idempotency_key: str | None = None,
        priority: int = 0,
        run_after: datetime | None = None,
        max_attempts: int | None = None,
        timeout_seconds: float | None = None,
        memory_limit_mb: int | None = None,
        backend: str = "local",
    ) -> Submission:
        """Take a job in, after checking everything that can be checked before it runs.

        A key that already made a job of this very request gives that job, and nothing is checked
        or prepared again: what the job needed at its time may be gone by now.

        Parameters
        ----------
        kind, spec
            What to do.
        tenant, idempotency_key, priority, run_after, backend
            As of `JobRequest`.
        max_attempts, timeout_seconds, memory_limit_mb
            Limits of this job; None = those of the settings.

        Raises
        ------
        JobError
            When the kind is unknown or the request too large.
        JobConflictError
            When the key belongs to another request.
        OnwardError
            When the kind refuses the spec.
        """
        known = self._kind(kind)
        self._check_size(spec)
        config = self._config
        limits = (max_attempts, timeout_seconds, memory_limit_mb)
        request = JobRequest(
            kind=kind,
            spec=spec,
            tenant=tenant,
            idempotency_key=idempotency_key,
            priority=priority,
            run_after=run_after,
            max_attempts=config.max_attempts if max_attempts is None else max_attempts,
            timeout_seconds=config.timeout_seconds if timeout_seconds is None else timeout_seconds,
            memory_limit_mb=config.memory_limit_mb if memory_limit_mb is None else memory_limit_mb,
            backend=backend,
            asked_hash=_hash_of(kind, spec, priority, run_after, limits, backend),
        )
        check_request(request)
        if idempotency_key is not None and (made := self.store.known(request)) is not None:
            return made
        return self.store.submit(replace(request, spec=dict(known.prepare(spec))))

    def request_stop(self, job_id: str) -> StopReply:
        """Ask for a stop, wherever the job runs; it is over when its state says ``cancelled``."""
        reply = self.store.request_stop(job_id)
        if reply.accepted and reply.job.state == "cancelled":
            # It waited: no supervisor is there to tell its kind.
            kind = self.kinds.get(reply.job.kind)
            if kind is not None:
                kind.ended(reply.job)
        return reply

    def retry(
        self,
        job_id: str,
        *,
        fresh: bool = False,
        run_after: datetime | None = None,
        max_attempts: int | None = None,
        timeout_seconds: float | None = None,
        memory_limit_mb: int | None = None,
        idempotency_key: str | None = None,
    ) -> Submission:
        """Submit an ended job's request again, as a new job without its key.

        What a job that failed had finished (folds) is taken over by the new one when it runs on
        the same machine.

        Parameters
        ----------
        job_id
            Of a job that has ended, however.
        fresh
            Begin anew, whatever the old job left.
        run_after
            Moment, UTC, before which it is not started; that of the old job is over.
        max_attempts, timeout_seconds, memory_limit_mb
            Limits of the new job; None = those of the old one.
        idempotency_key
            The same key with the same request to try the same job again gives the same new job.

        Raises
        ------
        JobStateError
            When the job has not ended.
        JobConflictError
            When the key belongs to another request.
        JobError
            When the kind is unknown here, or a limit makes no sense.
        """
        job = self.store.get(job_id)
        if job.finished_at is None:
            raise JobStateError(
                "only a job that has ended can be tried again",
                got=f"{job.id} is {job.state}",
                allowed="succeeded, failed, cancelled",
                remedy=UNENDED[job.state].format(id=job.id),
            )
        self._kind(job.kind)
        limits = {
            "max_attempts": max_attempts,
            "timeout_seconds": timeout_seconds,
            "memory_limit_mb": memory_limit_mb,
        }
        given = {name: value for name, value in limits.items() if value is not None}
        fields = {name: getattr(job.request, name) for name in RETRIED}
        asked = None
        if idempotency_key is not None:
            asked = _hash_of("retry", {"of": job.id, "fresh": fresh}, job.request.priority, run_after, given)
        request = JobRequest(
            **{**fields, **given}, run_after=run_after, idempotency_key=idempotency_key, asked_hash=asked
        )
        check_request(request)
        if idempotency_key is not None and (made := self.store.known(request)) is not None:
            return made
        return self.store.submit(request, retry_of=job.id, fresh=fresh)

    def delete(self, job_id: str) -> Job:
        """Forget an ended job and its files; what it published stays, and so does its key.

        Raises
        ------
        JobStateError
            When the job has not ended.
        """
        job = self.store.delete(job_id)
        shutil.rmtree(self._directory / job.id, ignore_errors=True)
        return job

    def _kind(self, name: str) -> JobKind:
        if name not in self.kinds:
            guess = nearest(name, self.kinds)
            raise JobError(
                "there is no such kind of job",
                got=repr(name),
                allowed=", ".join(sorted(self.kinds)),
                remedy=f"Did you mean {guess}?" if guess else "Name one of these.",
            )
        return self.kinds[name]

    def _check_size(self, spec: Mapping[str, Any]) -> None:
        try:
            size = len(json.dumps(spec, allow_nan=False).encode())
        except (TypeError, ValueError) as error:
            raise JobError(
                "a job's request must be plain JSON",
                got=str(error),
                remedy="Use text, numbers, lists, tables.",
            ) from error
        if size > self._config.max_request_bytes:
            raise JobTooLargeError(
                "the request is too large",
                got=f"{size:,} bytes",
                allowed=f"{self._config.max_request_bytes:,} bytes",
                remedy="Import data first and name it in the request, or raise jobs.max_request_bytes.",
            )


RETRIED = (
    "kind",
    "spec",
    "tenant",
    "priority",
    "max_attempts",
    "timeout_seconds",
    "memory_limit_mb",
    "backend",
)
UNENDED = {
    "queued": "It waits and runs by itself as soon as a worker is free: `onward worker`.",
    "starting": "It runs: watch it with `onward jobs watch {id}`, or stop it with `onward jobs stop {id}`.",
    "running": "It runs: watch it with `onward jobs watch {id}`, or stop it with `onward jobs stop {id}`.",
    "stopping": "It is being ended: wait for that with `onward jobs watch {id}`.",
}
"""What to do about a job that cannot be tried again yet, by its state."""


def _hash_of(kind: str, spec: object, priority: int, run_after: datetime | None, *more: object) -> str:
    """Return what names a request as it came, before anything was filled in."""
    moment = None if run_after is None else run_after.timestamp()
    said = json.dumps(["asked", kind, json.loads(json.dumps(spec)), priority, moment, *more], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
