"""Waiting for news on PostgreSQL: a connection of its own that does nothing but LISTEN."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from onward.jobs.store.bell import NEWS
from onward.jobs.store.transactions import CHANNEL

__all__ = ["PostgresqlSubscription"]


class PostgresqlSubscription:
    """A `Subscription` by LISTEN.

    When the connection breaks it is opened again, and everything counts as news then: what was
    told meanwhile is lost. One thread at a time waits on it.

    Parameters
    ----------
    engine
        Says where the database is; the connection leaves its pool for good.
    retry_seconds
        Between two tries to connect while the database is away.
    """

    def __init__(self, engine: Engine, retry_seconds: float) -> None:
        self._engine = engine
        self._retry_seconds = retry_seconds
        self._proxy: Any = None
        self._missed = not self._connect()

    def wait(self, timeout: float) -> frozenset[str]:
        """Return the news that came, empty after ``timeout`` seconds or while the database is away."""
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            if self._proxy is None:
                self._missed = True
                if not self._connect():
                    if left == 0.0:
                        return frozenset()
                    time.sleep(min(left, self._retry_seconds))
                    continue
            if self._missed:
                self._missed = False
                return NEWS
            news = self._notified(left)
            if news is not None:
                return news

    def close(self) -> None:
        """Close the connection."""
        if self._proxy is not None:
            # The driver's own end of it: the pool would first roll back, and complain of a broken one.
            driver, proxy, self._proxy = self._proxy.dbapi_connection, self._proxy, None
            proxy.invalidate()
            with contextlib.suppress(*_failures()):
                driver.close()

    def _connect(self) -> bool:
        proxy: Any = None
        try:
            # Without waiting for the pool's own users to break: it is tested before it is handed out.
            proxy = self._engine.raw_connection()
            proxy.detach()
            driver: Any = proxy.dbapi_connection
            driver.autocommit = True
            driver.execute(f"LISTEN {CHANNEL}")
        except _failures():
            if proxy is not None:
                proxy.close()
            return False
        self._proxy = proxy
        return True

    def _notified(self, timeout: float) -> frozenset[str] | None:
        """Return what was told, None when the connection broke."""
        try:
            notifications = self._proxy.dbapi_connection.notifies(timeout=timeout, stop_after=1)
            return frozenset(notification.payload for notification in notifications) & NEWS
        except _failures():
            self.close()
            return None


def _failures() -> tuple[type[Exception], ...]:
    import psycopg  # only where PostgreSQL is used

    return (DBAPIError, PoolTimeoutError, psycopg.Error, OSError)
