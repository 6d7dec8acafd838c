"""Server-sent events of a job, taken up again wherever the connection broke."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpx

from onward.client.connection import Connection, backoff
from onward.errors import StorageError
from onward.jobs.documents import event_of
from onward.jobs.values import JobEvent

__all__ = ["events_of", "frames"]

SILENCE_SECONDS = 60.0
"""A server sends a comment at least this often, by default four times."""
EVENT_STREAM = "text/event-stream"


def events_of(connection: Connection, job_id: str, after: int, patience: float) -> Iterator[JobEvent]:
    """Give the events behind a number until the job has ended: none missing, none twice.

    Parameters
    ----------
    connection, job_id, after
        Which events; 0 gives all of them.
    patience
        Seconds for which a server that does not answer is asked again.

    Raises
    ------
    OnwardError
        What the server refused; `ServerAwayError` when it stays away.
    """
    heard, attempt = time.monotonic(), 0
    while True:
        headers = {"Accept": EVENT_STREAM, "Last-Event-ID": str(after)}
        try:
            with connection.stream(
                f"/jobs/{job_id}/events", headers=headers, silence=SILENCE_SECONDS
            ) as answer:
                if answer.status_code == 204:
                    return
                for kind, data in frames(answer.iter_lines()):
                    heard, attempt = time.monotonic(), 0
                    if kind == "end":
                        return
                    event = event_of(job_id, data)
                    after = event.seq
                    yield event
        except httpx.HTTPError as error:
            if time.monotonic() - heard > patience:
                raise connection.away(error) from error
        except StorageError:
            if time.monotonic() - heard > patience:
                raise
        attempt += 1
        time.sleep(backoff(attempt))


def frames(lines: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give kind and data of each whole frame; comments and half a frame at the end are left out."""
    kind, data = "message", ""
    for line in lines:
        if not line:
            if data:
                yield kind, json.loads(data)
            kind, data = "message", ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data += value
