"""Bring the tables up to date: Alembic migrations, shipped in the package, under one lock."""

from __future__ import annotations

import threading

from sqlalchemy import Connection, Engine, inspect, text

from onward.database.patience import patient
from onward.database.transactions import LONG_TURN_SECONDS, exclusive, reading, writing
from onward.errors import StorageError

__all__ = ["HEAD", "current_revision", "ensure_current", "upgrade"]

HEAD = "0007"
"""Revision that this code speaks. A constant, so that a current database is recognised without Alembic."""

VERSION_TABLE = "alembic_version"
LOCK = "onward-migrate"

# Alembic keeps the running migration in module globals, so one thread at a time.
_alembic_globals = threading.Lock()


def current_revision(engine: Engine) -> str | None:
    """Return the revision of the database, None when it holds no tables of ours.

    Raises
    ------
    StorageError
        When the database is out of reach or damaged, or holds the tables of something else.
    """
    with reading(engine) as connection:
        return _revision(connection)


def upgrade(engine: Engine) -> str:
    """Run the migrations that are missing and return the revision that the database then has.

    Several processes may call this at the same moment: the first migrates, the others wait and
    find nothing left to do. One transaction holds the lock, the migrations and the new revision,
    so a process that is killed leaves the database as it was.

    Raises
    ------
    StorageError
        When the database was written by a newer Onward or by another program, or the disk or
        the database refuses.
    """
    if _up_to_date(current_revision(engine)):
        return HEAD
    with _alembic_globals, writing(engine) as connection, patient(connection, LONG_TURN_SECONDS):
        exclusive(connection, LOCK)
        if not _up_to_date(_revision(connection)):
            _migrate(connection)
    return HEAD


def ensure_current(engine: Engine) -> None:
    """Upgrade an embedded database; ask for `onward db upgrade` on a shared one.

    Raises
    ------
    StorageError
        As `upgrade`, and when a PostgreSQL database is behind: migrating what other servers are
        using is a decision for a person.
    """
    if engine.dialect.name == "sqlite":
        upgrade(engine)
        return
    revision = current_revision(engine)
    if not _up_to_date(revision):
        raise StorageError(
            "The tables of the database are older than this version of Onward",
            got=f"revision {revision}" if revision else "no tables",
            allowed=f"revision {HEAD}",
            remedy="Run `onward db upgrade`.",
        )


def _up_to_date(revision: str | None) -> bool:
    if revision is None:
        return False
    if not revision.isdecimal():
        raise StorageError(
            "The database belongs to another program",
            got=f"revision {revision!r}",
            allowed=f"an empty database or revision {HEAD} and below",
            remedy="Name another database in storage.database_url, or another home with --home.",
        )
    if int(revision) > int(HEAD):
        raise StorageError(
            "The database was written by a newer version of Onward",
            got=f"revision {revision}",
            allowed=f"revision {HEAD} and below",
            remedy="Upgrade Onward, or name another home with --home or ONWARD_HOME.",
        )
    return revision == HEAD


def _revision(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        if tables:
            raise StorageError(
                "The database belongs to another program",
                got=f"tables {', '.join(sorted(tables)[:5])}",
                allowed="an empty database or one of Onward's",
                remedy="Name another database in storage.database_url, or another home with --home.",
            )
        return None
    found = list(connection.scalars(text(f"SELECT version_num FROM {VERSION_TABLE}")))  # noqa: S608
    if len(found) > 1:
        raise StorageError(
            "The database carries several revisions at once",
            got=", ".join(sorted(found)),
            allowed="one revision",
            remedy="Restore it from a backup.",
        )
    return found[0] if found else None


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", "onward.database:migrations")
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")
