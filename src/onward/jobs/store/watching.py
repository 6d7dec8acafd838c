"""Waiting for news on SQLite, which tells nobody anything: a cheap look now and then."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from onward.jobs.store.bell import QUEUED, STOP, Bell

__all__ = ["SqliteSubscription"]

# How the queue and the stops look; compared with how they looked before. Sums of counters that
# only grow tell a job that left from another that came.
QUEUE = """SELECT count(*), sum(event_seq), max(queued_at), (SELECT count(*) FROM ml_jobs
WHERE state IN ('starting', 'running', 'stopping')) FROM ml_jobs WHERE state = 'queued'"""
STOPS = """SELECT count(*), sum(cancel_requested_at) FROM ml_jobs
WHERE state IN ('starting', 'running', 'stopping') AND cancel_requested_at IS NOT NULL"""


class SqliteSubscription:
    """A `Subscription` that hears its own process at once and others at the next look.

    A look is ``PRAGMA data_version`` on a connection that only reads: a counter that changes when
    somebody else has committed. Only then are the queue and the stops looked at.

    Parameters
    ----------
    engine
        Of the database.
    bell
        Rung by the stores of this process.
    poll_seconds
        Time between two looks.
    """

    def __init__(self, engine: Engine, bell: Bell, poll_seconds: float) -> None:
        self._engine = engine
        self._bell = bell
        self._poll_seconds = poll_seconds
        self._proxy: Any = None
        self._heard = bell.heard()
        self._version: Any = None
        self._queue: Any = None
        self._stops: Any = None
        self._look()

    def wait(self, timeout: float) -> frozenset[str]:
        """Return the news that came, empty after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            told = self._bell.wait(self._heard, max(0.0, min(left, self._poll_seconds)))
            self._heard = {**self._heard, **{name: self._bell.heard()[name] for name in told}}
            news = told | self._look()
            if news or left <= self._poll_seconds:
                return news

    def close(self) -> None:
        """Close the connection."""
        if self._proxy is not None:
            self._proxy.close()
            self._proxy = None

    def _look(self) -> frozenset[str]:
        """Return what is new since the last look."""
        try:
            if self._proxy is None:
                self._connect()
            cursor = self._proxy.dbapi_connection
            version = cursor.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return frozenset()
            queue, stops = cursor.execute(QUEUE).fetchone(), cursor.execute(STOPS).fetchone()
        except (sqlite3.Error, DBAPIError):
            self.close()  # looked at anew next time; whoever waits looks for himself now and then
            return frozenset()
        known = self._version is not None
        news = {QUEUED} if queue != self._queue and queue[0] else set()
        if stops != self._stops and stops[0]:
            news.add(STOP)
        self._version, self._queue, self._stops = version, queue, stops
        return frozenset(news) if known else frozenset()

    def _connect(self) -> None:
        proxy = self._engine.raw_connection()
        proxy.detach()
        self._proxy = proxy
        self._proxy.dbapi_connection.execute("PRAGMA query_only = 1")
