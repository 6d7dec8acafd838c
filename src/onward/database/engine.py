"""Engines: SQLite in write-ahead mode for one host, PostgreSQL for several."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from onward.database.patience import ANSWER_SECONDS, connector
from onward.errors import ConfigError, StorageError

__all__ = ["NOT_DURABLE", "READ_ONLY", "open_database"]

READ_ONLY = "onward_read_only"
"""Execution option of connections whose transactions only read."""
NOT_DURABLE = "onward_not_durable"
"""Execution option of connections whose last commits may be lost when the power fails."""

BUSY_TIMEOUT_SECONDS = 30.0
IDLE_SECONDS = 60.0
"""Time after which PostgreSQL ends a transaction in which nothing is said, and frees its locks."""
ALLOWED = "sqlite:////absolute/path/onward.db or postgresql://user@host/database"


def open_database(
    url: str | URL,
    *,
    busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
    answer_seconds: float = ANSWER_SECONDS,
    idle_seconds: float = IDLE_SECONDS,
) -> Engine:
    """Return an engine; no connection is made and no table is touched yet.

    SQLite runs in write-ahead mode with foreign keys on. Every transaction starts with
    ``BEGIN IMMEDIATE`` (it waits for the one writer's place instead of failing half-way, which a
    deferred read-then-write does under load) unless its connection carries `READ_ONLY`; every
    commit reaches the disk (``synchronous=FULL``) unless it carries `NOT_DURABLE`. Use
    `onward.database.reading` and `onward.database.writing`, which set these.

    Parameters
    ----------
    url
        SQLAlchemy address of a SQLite file or a PostgreSQL database.
    busy_timeout_seconds
        How long a writer waits for another before `StorageError`, on SQLite.
    answer_seconds
        How long each answer of PostgreSQL is waited for before `StorageError`; connecting has five
        seconds. See `onward.database.patience`.
    idle_seconds
        After which PostgreSQL ends a transaction in which nothing is said, and frees its locks.

    Raises
    ------
    ConfigError
        When the address is not understood, or its driver is not installed.
    StorageError
        When the directory of a SQLite file cannot be created.
    """
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(address, busy_timeout_seconds)
    return _open_postgresql(address, answer_seconds, idle_seconds)


def _address(url: str | URL) -> URL:
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise ConfigError(
            "The address of the database is not understood",
            got=repr(str(url)),
            allowed=ALLOWED,
            remedy="Correct storage.database_url.",
        ) from error
    if address.drivername in ("postgresql", "postgres"):
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        raise ConfigError(
            "This kind of database is not supported",
            got=address.get_backend_name(),
            allowed=ALLOWED,
            remedy="Correct storage.database_url.",
        )
    return address


def _create(address: URL, **options: Any) -> Engine:
    try:
        return create_engine(address, **options)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise ConfigError(
            "The driver of the database is not installed",
            got=f"{address.drivername} ({error})",
            remedy="Install it (`pip install psycopg[binary]` for PostgreSQL) and try again.",
        ) from error


def _open_postgresql(address: URL, answer_seconds: float, idle_seconds: float) -> Engine:
    engine = _create(address, pool_pre_ping=True, pool_timeout=answer_seconds)
    event.listen(engine, "do_connect", connector(answer_seconds))

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # A server that is suspended in the middle of a transaction must not hold its rows for ever.
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = {round(1000 * idle_seconds)}")
        connection.commit()

    return engine


def _open_sqlite(address: URL, busy_timeout_seconds: float) -> Engine:
    if not address.database or address.database == ":memory:":
        raise ConfigError(
            "An in-memory database cannot be shared by processes",
            got=address.render_as_string(),
            allowed=ALLOWED,
            remedy="Name a file.",
        )
    if not address.database.startswith("file:"):
        _make_parent(Path(address.database))
    engine = _create(address, connect_args={"timeout": busy_timeout_seconds})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # Python's driver starts transactions when it thinks fit; we say when, and of which kind.
        connection.isolation_level = None
        _write_ahead(connection, busy_timeout_seconds)
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        read_only = bool(options.get(READ_ONLY))
        synchronous = "NORMAL" if options.get(NOT_DURABLE) else "FULL"
        connection.exec_driver_sql(f"PRAGMA synchronous = {synchronous}")
        connection.exec_driver_sql(f"PRAGMA query_only = {int(read_only)}")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _make_parent(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            "The directory of the database cannot be created",
            got=f"{file.parent} ({error.strerror or error})",
            remedy="Name another home with --home or ONWARD_HOME.",
        ) from error


def _write_ahead(connection: sqlite3.Connection, busy_timeout_seconds: float) -> None:
    """Switch to write-ahead mode; several processes may be doing so at the same moment.

    The mode is kept in the file, so only the first start switches. SQLite does not wait for
    locks while switching (a wait could deadlock), hence the loop.
    """
    deadline = time.monotonic() + busy_timeout_seconds
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            if mode != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
