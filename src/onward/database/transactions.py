"""Transactions: say whether you read or write, and failures become `StorageError`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from onward.database.engine import NOT_DURABLE, READ_ONLY
from onward.database.failures import storage_errors
from onward.database.patience import patient

__all__ = ["LONG_TURN_SECONDS", "exclusive", "reading", "writing"]

TURN_SECONDS = 60.0
"""Time after which PostgreSQL ends an idle transaction: whoever holds a turn for longer is at work."""
LONG_TURN_SECONDS = 3600.0
"""For turns in which somebody migrates, or carries files over a network."""


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection with one consistent view of the database; writing through it fails.

    Raises
    ------
    StorageError
        When the database is locked, damaged, missing or out of reach.
    """
    with storage_errors(_shown(engine)), engine.connect() as connection:
        connection.execution_options(**{READ_ONLY: True, "postgresql_readonly": True})
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine, *, durable: bool = True) -> Iterator[Connection]:
    """Give a connection inside a transaction that commits on leaving and rolls back on an error.

    Parameters
    ----------
    engine
        From `onward.database.open_database`.
    durable
        False for writes that may be lost when the power fails (heartbeats, progress): on SQLite
        they do not wait for the disk. They are still atomic.

    Raises
    ------
    StorageError
        When the disk is full, or the database locked, read-only, damaged or out of reach.
    """
    with storage_errors(_shown(engine)), engine.connect() as connection:
        connection.execution_options(**{NOT_DURABLE: not durable})
        with connection.begin():
            if not durable and engine.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL synchronous_commit = off"))
            yield connection


def exclusive(connection: Connection, key: str, *, patience_seconds: float = TURN_SECONDS) -> None:
    """Let one transaction at a time past this point, on every host, until it ends.

    SQLite has one writer anyway; PostgreSQL takes an advisory lock named by ``key``.

    Parameters
    ----------
    connection
        Inside a transaction.
    key
        Names the turn.
    patience_seconds
        How long another one is waited for before `StorageError`.
    """
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big", signed=True)
        with patient(connection, patience_seconds):
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def _shown(engine: Engine) -> str:
    if engine.dialect.name == "sqlite":
        return engine.url.database or "sqlite"
    return engine.url.render_as_string(hide_password=True)
