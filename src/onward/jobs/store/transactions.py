"""Transactions of the job store: writers of a process queue up, news goes out with the commit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select

from onward.database.moments import Clock
from onward.database.transactions import writing
from onward.errors import StorageError
from onward.jobs.store.bell import Bell

__all__ = ["CHANNEL", "Transactions", "Work"]

CHANNEL = "onward_jobs"
"""PostgreSQL channel; the payload says what the news is."""
PATIENCE_SECONDS = 30.0


@dataclass
class Work:
    """A transaction under way: its connection, its moment, and what is to be told when it commits."""

    connection: Connection
    now: datetime
    news: set[str] = field(default_factory=set)

    def announce(self, *news: str) -> None:
        """Tell everybody who listens, if and when the transaction commits."""
        self.news.update(news)


class Transactions:
    """Opens transactions for one store.

    SQLite has one writer. Threads that fight over its place sleep and try again, which is slow and
    unfair (15 s for the unluckiest were measured), so the threads of a process queue up here first.

    Parameters
    ----------
    engine
        From `onward.database.open_database`.
    clock
        Gives this moment, UTC.
    bell
        Rung after the commit, for listeners in this process.
    """

    def __init__(self, engine: Engine, clock: Clock, bell: Bell) -> None:
        self._engine = engine
        self._clock = clock
        self._bell = bell
        self._single = engine.dialect.name == "sqlite"
        self._turn = threading.RLock()

    @contextmanager
    def begin(self, *, durable: bool = True) -> Iterator[Work]:
        """Give a transaction that commits on leaving and rolls back on an error.

        ``durable`` False: what is written may be lost when the power fails (heartbeats, progress).
        """
        with ExitStack() as stack:
            if self._single:
                stack.enter_context(self._my_turn())
            connection = stack.enter_context(writing(self._engine, durable=durable))
            work = Work(connection, self._clock())
            yield work
            if not self._single:
                for news in sorted(work.news):
                    connection.execute(select(func.pg_notify(CHANNEL, news)))
        # Committed: had it failed, the exception would have passed by here.
        self._bell.ring(work.news)

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=PATIENCE_SECONDS):
            raise StorageError(
                "The database is locked by another thread of this process",
                got=f"no turn to write within {PATIENCE_SECONDS:g} s",
                remedy="Wait until it has finished and try again; check the disk.",
            )
        try:
            yield
        finally:
            self._turn.release()
