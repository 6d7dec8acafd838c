"""Jobs and their events as JSON shows them: the fields of ``onward jobs --json``, and links."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onward.jobs.values import Job, JobEvent

__all__ = ["event_frame", "event_view", "job_links", "job_view"]

JOBS = "/api/v1/jobs"


def job_links(job_id: str) -> dict[str, str]:
    """Return where a job is found and what can be done with it."""
    here = f"{JOBS}/{job_id}"
    return {
        "self": here,
        "events": f"{here}/events",
        "result": f"{here}/result",
        "logs": f"{here}/logs",
        "stop": f"{here}/stop",
        "retry": f"{here}/retry",
    }


def job_view(job: Job, *, spec: bool = False) -> dict[str, Any]:
    """Return a job; what it was asked to do, which is long, only when wanted."""
    request, identity = job.request, job.identity
    view: dict[str, Any] = {
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
        "run_after": _moment(request.run_after),
        "queued_at": _moment(job.queued_at),
        "started_at": _moment(job.started_at),
        "finished_at": _moment(job.finished_at),
        "expires_at": _moment(job.expires_at),
        "stop_requested_at": _moment(job.cancel_requested_at),
        "owner": job.owner,
        "host": None if identity is None else identity.host,
        "pid": None if identity is None else identity.pid,
        "heartbeat_at": _moment(job.heartbeat_at),
        "progress": job.progress,
        "progress_at": _moment(job.progress_at),
        "retry_of": job.retry_of,
        "result": job.result,
        "error": job.error,
        "links": job_links(job.id),
    }
    if spec:
        view["spec"] = request.spec
    return view


def event_view(event: JobEvent) -> dict[str, Any]:
    """Return an event."""
    return {
        "seq": event.seq,
        "at": _moment(event.at),
        "attempt": event.attempt,
        "kind": event.kind,
        "payload": event.payload,
    }


def event_frame(event: JobEvent) -> bytes:
    """Return an event as a frame of a stream of server-sent events."""
    data = json.dumps(event_view(event), allow_nan=False, separators=(",", ":"))
    return f"id: {event.seq}\nevent: {event.kind}\ndata: {data}\n\n".encode("ascii", "replace")


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
