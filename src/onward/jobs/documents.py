"""Jobs and their events as JSON: the same on the command line, over HTTP and back again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from onward.jobs.remaining import time_left
from onward.jobs.values import Job, JobEvent, JobRequest, WorkerIdentity

__all__ = ["event_document", "event_of", "job_document", "job_of"]


def job_document(job: Job, *, outcome: bool = True, spec: bool = False) -> dict[str, Any]:
    """Return a job; what it came to and what it was asked to do, which are long, only when wanted."""
    request, identity, left = job.request, job.identity, time_left(job)
    document: dict[str, Any] = {
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
        "run_after": _told(request.run_after),
        "queued_at": _told(job.queued_at),
        "started_at": _told(job.started_at),
        "finished_at": _told(job.finished_at),
        "expires_at": _told(job.expires_at),
        "stop_requested_at": _told(job.cancel_requested_at),
        "owner": job.owner,
        "host": None if identity is None else identity.host,
        "pid": None if identity is None else identity.pid,
        "heartbeat_at": _told(job.heartbeat_at),
        "progress": job.progress,
        "progress_at": _told(job.progress_at),
        "eta": None if left is None else {"seconds": round(left.seconds, 1), "of": left.of},
        "retry_of": job.retry_of,
        "market": request.spec.get("market"),
    }
    if outcome:
        document |= {"result": job.result, "error": job.error}
    if spec:
        document["spec"] = request.spec
    return document


def job_of(document: Mapping[str, Any]) -> Job:
    """Return the job that a document tells of.

    What a document does not tell is empty: the spec but for its market if it was left out, the parts
    of the worker's identity that only its own host needs, the deadline of a stop. The heartbeat number
    is made of its time, so that it grows when the real one does.
    """
    moments = {name: _moment(document.get(name)) for name in MOMENTS}
    heartbeat, pid = moments["heartbeat_at"], document.get("pid")
    queued_at = moments["queued_at"]
    assert queued_at is not None
    return Job(
        id=document["id"],
        request=JobRequest(
            kind=document["kind"],
            spec=document.get("spec") or _known_spec(document),
            tenant=document.get("tenant", "default"),
            idempotency_key=document.get("key"),
            priority=document.get("priority", 0),
            run_after=moments["run_after"],
            max_attempts=document.get("max_attempts", 1),
            timeout_seconds=document.get("timeout_seconds"),
            memory_limit_mb=document.get("memory_limit_mb"),
            backend=document.get("backend", "local"),
        ),
        state=document["state"],
        reason=document.get("reason"),
        attempt=document["attempt"],
        owner=document.get("owner"),
        beat=0 if heartbeat is None else int(heartbeat.timestamp() * 1000),
        heartbeat_at=heartbeat,
        identity=None if pid is None else WorkerIdentity(str(document.get("host")), "", pid, 0, 0),
        queued_at=queued_at,
        started_at=moments["started_at"],
        finished_at=moments["finished_at"],
        expires_at=moments["expires_at"],
        cancel_requested_at=moments["stop_requested_at"],
        stop_deadline=None,
        progress=document.get("progress") or {},
        progress_at=moments["progress_at"],
        result=document.get("result"),
        error=document.get("error"),
        retry_of=document.get("retry_of"),
    )


def event_document(event: JobEvent) -> dict[str, Any]:
    """Return an event."""
    return {
        "seq": event.seq,
        "at": _told(event.at),
        "attempt": event.attempt,
        "kind": event.kind,
        "payload": event.payload,
    }


def event_of(job_id: str, document: Mapping[str, Any]) -> JobEvent:
    """Return the event that a document tells of."""
    return JobEvent(
        job_id=job_id,
        seq=document["seq"],
        attempt=document["attempt"],
        at=datetime.fromisoformat(document["at"]),
        kind=document["kind"],
        payload=document["payload"],
    )


def _known_spec(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a document tells of a spec that was left out."""
    return {name: document[name] for name in ("market",) if document.get(name) is not None}


MOMENTS = (
    "run_after",
    "queued_at",
    "started_at",
    "finished_at",
    "expires_at",
    "stop_requested_at",
    "heartbeat_at",
    "progress_at",
)


def _told(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
