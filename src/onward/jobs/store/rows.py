"""Rows of the job tables as values, and values as rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from onward.jobs.values import Job, JobEvent, JobRequest, WorkerIdentity

__all__ = ["NOBODY", "event_of", "identity_columns", "job_of", "origin_column", "request_columns"]

FRESH = " fresh"
"""Behind the id of the job that is tried again, when nothing of it is to be taken over."""

NOBODY: Mapping[str, None] = dict.fromkeys(
    ("host", "boot_id", "pid", "pid_start_ticks", "sid", "external_ref")
)
"""Columns of an attempt that no process works on."""


def request_columns(request: JobRequest, now: datetime) -> dict[str, Any]:
    """Return what a new row says of its request."""
    return {
        "kind": request.kind,
        "spec": request.spec,
        "tenant": request.tenant,
        "idempotency_key": request.idempotency_key,
        "priority": request.priority,
        "run_after": now if request.run_after is None else request.run_after,
        "scheduled": request.run_after is not None,
        "max_attempts": request.max_attempts,
        "timeout_s": request.timeout_seconds,
        "mem_limit_mb": request.memory_limit_mb,
        "backend": request.backend,
    }


def identity_columns(identity: WorkerIdentity) -> dict[str, Any]:
    """Return what a row says of the process that works."""
    return {
        "host": identity.host,
        "boot_id": identity.boot_id,
        "pid": identity.pid,
        "pid_start_ticks": identity.start_ticks,
        "sid": identity.session,
        "external_ref": identity.external_ref,
    }


def origin_column(retry_of: str | None, *, fresh: bool) -> str | None:
    """Return what a new row says of the job that it tries again."""
    return f"{retry_of}{FRESH}" if retry_of is not None and fresh else retry_of


def job_of(row: Row[Any]) -> Job:
    """Return a row of ``ml_jobs`` as a value."""
    return Job(
        id=row.id,
        request=JobRequest(
            kind=row.kind,
            spec=row.spec or {},  # a look that leaves it out
            tenant=row.tenant,
            idempotency_key=row.idempotency_key,
            priority=row.priority,
            run_after=row.run_after if row.scheduled else None,
            max_attempts=row.max_attempts,
            timeout_seconds=row.timeout_s,
            memory_limit_mb=row.mem_limit_mb,
            backend=row.backend,
        ),
        state=row.state,
        reason=row.reason,
        attempt=row.attempt,
        owner=row.owner,
        beat=row.hb_seq,
        heartbeat_at=row.heartbeat_at,
        identity=_identity_of(row),
        queued_at=row.queued_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
        cancel_requested_at=row.cancel_requested_at,
        stop_deadline=row.stop_deadline,
        progress=row.progress,
        progress_at=row.progress_at,
        result=row.result,
        error=row.error,
        retry_of=None if row.retry_of is None else row.retry_of.removesuffix(FRESH),
        fresh=row.retry_of is not None and row.retry_of.endswith(FRESH),
    )


def event_of(row: Row[Any]) -> JobEvent:
    """Return a row of ``ml_job_events`` as a value."""
    return JobEvent(
        job_id=row.job_id, seq=row.seq, attempt=row.attempt, at=row.ts, kind=row.kind, payload=row.payload
    )


def _identity_of(row: Row[Any]) -> WorkerIdentity | None:
    if row.host is None:
        return None
    return WorkerIdentity(
        host=row.host,
        boot_id=row.boot_id,
        pid=row.pid,
        start_ticks=row.pid_start_ticks,
        session=row.sid,
        external_ref=row.external_ref,
    )
