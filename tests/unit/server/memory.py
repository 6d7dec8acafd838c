"""Collaborators that keep everything in memory: what a test puts in the place of a database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from onward.access.scopes import Scope
from onward.access.secrets import Secret, digest_of, new_key, new_session
from onward.access.values import ApiKey, LogEntry, LogPage
from onward.config.home import Home
from onward.config.jobs import JobConfig
from onward.database.acting import current_actor
from onward.database.audit_log import AuditAction
from onward.errors import JobConflictError, JobNotFoundError, JobStateError
from onward.jobs.kinds import JobKind
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.states import TERMINAL
from onward.jobs.values import Job, JobEvent, JobRequest, Page, StopReply, Submission
from onward.settings import Settings, load_settings

__all__ = ["MemoryAccess", "MemoryJobStore", "memory_services", "settings_of"]


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

    def events(
        self,
        job_id: str,
        *,
        after: int = 0,
        limit: int = 1000,
        kinds: Collection[str] | None = None,
        newest: bool = False,
    ) -> Sequence[JobEvent]:
        self.looks += 1
        self.get(job_id)
        told = [e for e in self.told[job_id] if e.seq > after and (kinds is None or e.kind in kinds)]
        return told[-limit:] if newest else told[:limit]

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


class MemoryAccess:
    """An `AccessStore` without a database."""

    def __init__(self) -> None:
        self.by_digest: dict[str, ApiKey] = {}
        self.sessions: dict[str, tuple[str, datetime]] = {}
        self.entries: list[LogEntry] = []
        self.lookups = 0

    def ever_a_key(self) -> bool:
        return bool(self.by_digest)

    def create_key(
        self, name: str, scope: Scope, expires_at: datetime | None = None
    ) -> tuple[ApiKey, Secret]:
        key_id, secret = new_key()
        key = ApiKey(key_id, name, scope, datetime.now(UTC), expires_at)
        self.by_digest[secret.digest] = key
        self.tell("key.create", key_id)
        return key, secret

    def list_keys(self) -> Sequence[ApiKey]:
        return list(self.by_digest.values())

    def revoke_key(self, id_or_name: str) -> ApiKey:
        for digest, key in self.by_digest.items():
            if id_or_name in (key.id, key.name):
                self.by_digest[digest] = replace(key, revoked_at=datetime.now(UTC))
                self.tell("key.revoke", key.id)
                return self.by_digest[digest]
        raise AssertionError(id_or_name)

    def find_key(self, text: str) -> ApiKey | None:
        self.lookups += 1
        return self.by_digest.get(digest_of(text))

    def key_used(self, key: ApiKey) -> None:
        digest = next(digest for digest, known in self.by_digest.items() if known.id == key.id)
        self.by_digest[digest] = replace(self.by_digest[digest], last_used_at=datetime.now(UTC))

    def open_session(self, key: ApiKey, lasts: timedelta) -> tuple[Secret, datetime]:
        secret = new_session()
        self.sessions[secret.digest] = (key.id, datetime.now(UTC) + lasts)
        self.tell("login", key.id)
        return secret, self.sessions[secret.digest][1]

    def find_session(self, text: str) -> tuple[ApiKey, datetime] | None:
        found = self.sessions.get(digest_of(text))
        if found is None or found[1] < datetime.now(UTC):
            return None
        return next(key for key in self.by_digest.values() if key.id == found[0]), found[1]

    def close_session(self, text: str) -> None:
        found = self.sessions.pop(digest_of(text), None)
        if found is not None:
            self.tell("logout", found[0])

    def tell(
        self,
        action: AuditAction,
        subject: str,
        *,
        refused: bool = False,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        actor, number = current_actor(), len(self.entries) + 1
        outcome = "refused" if refused else "done"
        entry = LogEntry(
            number,
            datetime.now(UTC),
            actor.who,
            actor.name,
            actor.address,
            action,
            subject,
            outcome,
            detail or {},
        )
        self.entries.append(entry)

    def log(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        action: str | None = None,
        who: str | None = None,
    ) -> LogPage:
        wanted = [
            entry
            for entry in reversed(self.entries)
            if (cursor is None or entry.id < int(cursor))
            and action in (None, entry.action)
            and who in (None, entry.who)
        ]
        page = tuple(wanted[:limit])
        return LogPage(page, str(page[-1].id) if len(wanted) > limit else None)


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
        access=MemoryAccess(),
        job_store=store,
        job_manager=BackgroundTaskManager(store, [], kinds, JobConfig.sealed(), home.jobs),
        close=lambda: None,
    )
