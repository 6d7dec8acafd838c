"""Jobs and their events as clients see them: the documents of `onward.jobs.documents`, and links.

Paths in them are those of `onward.server.shown`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from onward.jobs.documents import event_document, job_document

if TYPE_CHECKING:
    from onward.jobs.values import Job, JobEvent
    from onward.server.shown import ShownPaths

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


def job_view(job: Job, shown: ShownPaths, *, spec: bool = False) -> dict[str, Any]:
    """Return a job; what it was asked to do, which is long, only when wanted."""
    return {**shown.job(job_document(job, spec=spec)), "links": job_links(job.id)}


def event_view(event: JobEvent, shown: ShownPaths) -> dict[str, Any]:
    """Return an event."""
    document = event_document(event)
    return {**document, "payload": shown.value(document["payload"])}


def event_frame(event: JobEvent, shown: ShownPaths) -> bytes:
    """Return an event as a frame of a stream of server-sent events."""
    data = json.dumps(event_view(event, shown), allow_nan=False, separators=(",", ":"))
    return f"id: {event.seq}\nevent: {event.kind}\ndata: {data}\n\n".encode("ascii", "replace")
