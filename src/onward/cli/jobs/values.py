"""Jobs and their events as JSON knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onward.cli.output import plain

if TYPE_CHECKING:
    from onward.jobs.values import Job, JobEvent

__all__ = ["event_value", "job_value"]


def job_value(job: Job, *, outcome: bool = True, spec: bool = False) -> dict[str, Any]:
    """Return a job; what it came to and what it was asked to do, which are long, only when wanted."""
    request, identity = job.request, job.identity
    value = {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "reason": job.reason,
        "attempt": job.attempt,
        "max_attempts": request.max_attempts,
        "priority": request.priority,
        "key": request.idempotency_key,
        "tenant": request.tenant,
        "backend": request.backend,
        "timeout_seconds": request.timeout_seconds,
        "memory_limit_mb": request.memory_limit_mb,
        "run_after": request.run_after,
        "queued_at": job.queued_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "expires_at": job.expires_at,
        "stop_requested_at": job.cancel_requested_at,
        "owner": job.owner,
        "host": None if identity is None else identity.host,
        "pid": None if identity is None else identity.pid,
        "heartbeat_at": job.heartbeat_at,
        "progress": job.progress,
        "progress_at": job.progress_at,
        "retry_of": job.retry_of,
    }
    if outcome:
        value |= {"result": job.result, "error": job.error}
    if spec:
        value["spec"] = request.spec
    shown: dict[str, Any] = plain(value)
    return shown


def event_value(event: JobEvent) -> dict[str, Any]:
    """Return an event."""
    shown: dict[str, Any] = plain(
        {
            "seq": event.seq,
            "at": event.at,
            "attempt": event.attempt,
            "kind": event.kind,
            "payload": event.payload,
        }
    )
    return shown
