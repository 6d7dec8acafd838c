"""Jobs of a server in the shape of a `JobStore`, as far as verbs need it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from onward.jobs.values import Job, JobEvent, JobState, Lease, Page, StopReply

if TYPE_CHECKING:
    from onward.client import OnwardClient

__all__ = ["RemoteJobs", "RemoteLog"]

LARGEST_PAGE = 500
LARGEST_EVENT_PAGE = 1000
LOG_LINES = 100_000


class RemoteJobs:
    """Looks at jobs and stops them."""

    def __init__(self, client: OnwardClient) -> None:
        self._client = client

    def get(self, job_id: str) -> Job:
        """Return a job with what it was asked to do."""
        return self._client.job(job_id)

    def find(
        self,
        *,
        states: Iterable[JobState] | None = None,
        kinds: Iterable[str] | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Return jobs, newest first, of several pages when one does not hold them."""
        wanted, among = list(states or ()), list(kinds or ())
        jobs: tuple[Job, ...] = ()
        while True:
            page = self._client.jobs(
                states=wanted, kinds=among, limit=min(limit - len(jobs), LARGEST_PAGE), cursor=cursor
            )
            jobs, cursor = jobs + page.jobs, page.cursor
            if cursor is None or len(jobs) >= limit:
                return Page(jobs, cursor)

    def events(self, job_id: str, *, after: int = 0, limit: int = 1000) -> Sequence[JobEvent]:
        """Return events behind a number."""
        return self._client.events(job_id, after=after, limit=min(limit, LARGEST_EVENT_PAGE))

    def request_stop(self, job_id: str) -> StopReply:
        """Ask for a stop."""
        return self._client.stop(job_id)

    def leases(self) -> Sequence[Lease]:
        """Return nothing: who holds what is the server's affair."""
        return ()


class RemoteLog:
    """The log of a job as its server tells it.

    Parameters
    ----------
    client, job_id, attempt
        Which log.
    """

    def __init__(self, client: OnwardClient, job_id: str, attempt: int | None) -> None:
        self._client, self._job_id, self._attempt = client, job_id, attempt
        self._written = 0

    def read(self, events: Sequence[JobEvent], *, whole: bool) -> list[str]:  # noqa: ARG002
        """Return the lines that are new."""
        lines = self._client.logs(self._job_id, attempt=self._attempt, tail=LOG_LINES).splitlines()
        new, self._written = lines[self._written :], len(lines)
        return new
