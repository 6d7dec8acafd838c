"""What a client can do with jobs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from onward.client.connection import Connection
from onward.client.moments import MomentLike, told_moment
from onward.client.streams import events_of
from onward.jobs.documents import event_of, job_of
from onward.jobs.values import Job, JobEvent, JobState, Page, StopReply, Submission

__all__ = ["JobCalls"]


class JobCalls:
    """Submitting, following and stopping jobs."""

    _connection: Connection

    def submit_training(
        self, plan: str | Mapping[str, Any] | None = None, *, key: str | None = None, **fields: Any
    ) -> Submission:
        """Submit a training: what `POST /training-jobs` takes (``save``, ``alias``, ``data`` ...).

        Parameters
        ----------
        plan
            A preset, or sections and values over the server's own; None = the server's own.
        key
            Idempotency key; with it the request is repeated when the connection breaks.
        **fields
            Further fields of the request.
        """
        return self.submit("training", {"plan": plan, **fields}, key=key)

    def submit_tuning(
        self, plan: str | Mapping[str, Any] | None = None, *, key: str | None = None, **fields: Any
    ) -> Submission:
        """Submit a search: as `submit_training`, with ``trials`` and ``seconds``."""
        return self.submit("tuning", {"plan": plan, **fields}, key=key)

    def submit_features(
        self, plan: str | Mapping[str, Any] | None = None, *, key: str | None = None, **fields: Any
    ) -> Submission:
        """Submit the computation of features into a file: ``out``, ``data``, ``series``, ``force``."""
        return self.submit("feature", {"plan": plan, **fields}, key=key)

    def submit_import(self, files: Iterable[str], *, key: str | None = None, **fields: Any) -> Submission:
        """Submit the import of files that the server has; `import_data` sends one."""
        return self.submit("import", {"files": list(files), **fields}, key=key)

    def submit(self, kind: str, fields: Mapping[str, Any], *, key: str | None = None) -> Submission:
        """Submit a job: ``kind`` is ``training``, ``tuning``, ``feature`` or ``import``."""
        headers = {} if key is None else {"Idempotency-Key": key}
        body = dict(fields)
        if body.get("run_after") is not None:
            body["run_after"] = told_moment(body["run_after"], name="run_after")
        told = self._connection.json(
            "POST", f"/{kind}-jobs", json=body, headers=headers, again=key is not None
        )
        return Submission(job_of(told), told["created"])

    def jobs(
        self,
        *,
        states: Iterable[JobState] | None = None,
        kinds: Iterable[str] | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Return jobs, newest first; ``cursor`` of a page continues it."""
        asked = {"state": list(states or ()), "kind": list(kinds or ()), "limit": limit}
        if cursor is not None:
            asked["cursor"] = cursor
        told = self._connection.json("GET", "/jobs", params=asked)
        return Page(tuple(job_of(one) for one in told["jobs"]), told["cursor"])

    def job(self, job_id: str, *, spec: bool = True) -> Job:
        """Return a job; ``spec``: with what it was asked to do."""
        return job_of(
            self._connection.json("GET", f"/jobs/{_part(job_id)}", params={"spec": str(spec).lower()})
        )

    def events(self, job_id: str, *, after: int = 0, limit: int = 500) -> tuple[JobEvent, ...]:
        """Return a page of events behind a number."""
        params = {"after": after, "limit": limit}
        told = self._connection.json("GET", f"/jobs/{_part(job_id)}/events", params=params)
        return tuple(event_of(job_id, one) for one in told["events"])

    def watch(self, job_id: str, *, after: int = 0, patience: float = 60.0) -> Iterator[JobEvent]:
        """Give events as they happen, until the job has ended; breaks of the connection do not show.

        Parameters
        ----------
        job_id, after
            Which events; 0 begins with the first one.
        patience
            Seconds for which a server that does not answer is asked again.
        """
        return events_of(self._connection, _part(job_id), after, patience)

    def result(self, job_id: str) -> Mapping[str, Any]:
        """Return what a job came to; `JobStateError` while it has not succeeded."""
        found: Mapping[str, Any] = self._connection.json("GET", f"/jobs/{_part(job_id)}/result")["result"]
        return found

    def logs(self, job_id: str, *, attempt: int | None = None, tail: int = 1000) -> str:
        """Return the newest lines of a job's log."""
        asked: dict[str, Any] = {"tail": tail} | ({} if attempt is None else {"attempt": attempt})
        return self._connection.request("GET", f"/jobs/{_part(job_id)}/logs", params=asked).text

    def stop(self, job_id: str) -> StopReply:
        """Ask for a stop; it is over when the state says ``cancelled``."""
        told = self._connection.json("POST", f"/jobs/{_part(job_id)}/stop", again=True)
        return StopReply(job_of(told), told["accepted"])

    def retry(
        self,
        job_id: str,
        *,
        fresh: bool = False,
        run_after: MomentLike | None = None,
        max_attempts: int | None = None,
        timeout_seconds: float | None = None,
        memory_limit_mb: int | None = None,
        key: str | None = None,
    ) -> Submission:
        """Submit the request of an ended job again, as a new job; repeated when the connection breaks.

        Parameters
        ----------
        job_id
            Of a job that has ended, however.
        fresh
            Begin anew; else finished folds of a training that failed are taken over.
        run_after
            Moment before which it is not started: a datetime or ISO 8601 text; without a zone it is UTC.
        max_attempts, timeout_seconds, memory_limit_mb
            Limits of the new job; None = those of the old one.
        key
            Idempotency key: the same key and retry is one job; None makes one for this call.
        """
        given = {
            "run_after": None if run_after is None else told_moment(run_after, name="run_after"),
            "max_attempts": max_attempts,
            "timeout_seconds": timeout_seconds,
            "memory_limit_mb": memory_limit_mb,
        }
        body = {"fresh": fresh, **{name: value for name, value in given.items() if value is not None}}
        headers = {"Idempotency-Key": uuid.uuid4().hex if key is None else key}
        told = self._connection.json(
            "POST", f"/jobs/{_part(job_id)}/retry", json=body, headers=headers, again=True
        )
        return Submission(job_of(told), told["created"])

    def delete_job(self, job_id: str) -> None:
        """Forget an ended job; what it published stays."""
        self._connection.request("DELETE", f"/jobs/{_part(job_id)}")


def _part(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="@")
