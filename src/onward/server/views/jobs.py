"""Jobs and their events as clients see them: the documents of `onward.jobs.documents`, and links."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from onward.jobs.documents import event_document, job_document

if TYPE_CHECKING:
    from onward.jobs.values import Job, JobEvent

__all__ = ["event_frame", "event_view", "job_links", "job_view"]

JOBS = "/api/v1/jobs"

event_view = event_document


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
    return {**job_document(job, spec=spec), "links": job_links(job.id)}


def event_frame(event: JobEvent) -> bytes:
    """Return an event as a frame of a stream of server-sent events."""
    data = json.dumps(event_view(event), allow_nan=False, separators=(",", ":"))
    return f"id: {event.seq}\nevent: {event.kind}\ndata: {data}\n\n".encode("ascii", "replace")
