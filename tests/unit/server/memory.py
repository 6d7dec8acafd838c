"""Collaborators that keep everything in memory: what a test puts in the place of a database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from onward.config.home import Home
from onward.config.jobs import JobConfig
from onward.errors import JobConflictError, JobNotFoundError, JobStateError
from onward.jobs.kinds import JobKind
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.states import TERMINAL
from onward.jobs.values import Job, JobEvent, JobRequest, Page, StopReply, Submission
from onward.settings import Settings, load_settings

__all__ = ["MemoryJobStore", "memory_services", "settings_of"]


class MemoryJobStore:
    """The verbs of a `JobStore` that a server needs; nobody runs its jobs."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.told: dict[str, list[JobEvent]] = {}
        self.looks = 0

    def known(self, request: JobRequest) -> None:
        return None

    def submit(
        self,
        request: JobRequest,
        *,
        retry_of: str | None = None,
        fresh: bool = False,
    ) -> Submission:
        for job in self.jobs.values():
            if request.idempotency_key is not None and job.request.idempotency_key == request.idempotency_key:
                if job.request.request_hash != request.request_hash:
                    raise JobConflictError("the key belongs to another request")
                return Submission(job, created=False)
        number = f"{len(self.jobs) + 1:04}"
        none: dict[str, Any] = dict.fromkeys(Job.__dataclass_fields__)
        job = Job(
            **none
            | {"id": number, "request": request, "state": "queued", "attempt": 0, "beat": 0, "progress": {}}
            | {"queued_at": datetime.now(UTC), "retry_of": retry_of}
        )
        self.jobs[number] = job
        self.told[number] = []
        self.tell(number, "state", state="queued")
        return Submission(job, created=True)

    def tell(self, job_id: str, kind: str, **payload: Any) -> None:
        events = self.told[job_id]
        events.append(JobEvent(job_id, len(events) + 1, 1, datetime.now(UTC), kind, payload))

    def end(self, job_id: str, state: Any = "succeeded", **changes: Any) -> None:
        self.jobs[job_id] = replace(self.jobs[job_id], state=state, finished_at=datetime.now(UTC), **changes)
        self.tell(job_id, "state", state=state)

    def get(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise JobNotFoundError("There is no such job", got=repr(job_id))
        return self.jobs[job_id]

    def find(
        self,
        *,
        states: Iterable[str] | None = None,
        kinds: Iterable[str] | None = None,
        tenant: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        wanted = [
            job
            for number, job in sorted(self.jobs.items(), reverse=True)
            if (cursor is None or number < cursor)
            and (states is None or job.state in states)
            and (kinds is None or job.kind in kinds)
        ]
        page = wanted[:limit]
        return Page(tuple(page), page[-1].id if len(wanted) > limit else None)

    def events(self, job_id: str, *, after: int = 0, limit: int = 1000) -> Sequence[JobEvent]:
        self.looks += 1
        self.get(job_id)
        return self.told[job_id][after : after + limit]

    def request_stop(self, job_id: str) -> StopReply:
        job = self.get(job_id)
        if job.state in TERMINAL:
            return StopReply(job, accepted=False)
        self.end(job_id, "cancelled")
        return StopReply(self.jobs[job_id], accepted=True)

    def delete(self, job_id: str) -> Job:
        job = self.get(job_id)
        if job.state not in TERMINAL:
            raise JobStateError("only a job that has ended can be deleted", got=job.state)
        return self.jobs.pop(job_id)

    def counts(self) -> dict[str, int]:
        return {"queued": len(self.jobs)}


def settings_of(directory: Path, **overrides: Any) -> Any:
    given = {"server.run_jobs": False, **{name.replace("__", "."): v for name, v in overrides.items()}}
    return load_settings(home=directory / "home", cwd=directory, environ={}, overrides=given)


def memory_services(directory: Path, **overrides: Any) -> Any:
    """Return services over an in-memory store; no database is ever opened."""
    resolved = settings_of(directory, **overrides)
    store: Any = MemoryJobStore()
    kinds = [JobKind(name, "nowhere:run", "for tests") for name in ("train", "tune", "features", "import")]
    settings: Settings = resolved.settings
    home: Home = resolved.home
    return SimpleNamespace(
        resolved=resolved,
        settings=settings,
        home=home,
        job_store=store,
        job_manager=BackgroundTaskManager(store, [], kinds, JobConfig.sealed(), home.jobs),
        close=lambda: None,
    )
