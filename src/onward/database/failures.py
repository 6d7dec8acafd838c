"""What a refusing database means, in words a person can act on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from onward.database.patience import NO_ANSWER
from onward.errors import StorageError, StorageRefusedError

__all__ = ["storage_error", "storage_errors"]

SILENT = frozenset({NO_ANSWER, "ConnectionTimeout"})
RECOVER = "Restore it from a backup; `sqlite3 onward.db .recover` saves what can be read."

REFUSING = frozenset({"DataError", "NotSupportedError", "ProgrammingError"})
"""Errors of the drivers' common interface (PEP 249) that no waiting mends; constraints are told apart."""
REFUSING_STATES = ("20", "21", "25P02", "2F", "38", "39", "54")
"""Beginnings of PostgreSQL's codes of refusals that its driver takes for failures in operation."""
PASSING_STATES = ("26000", "3D000", "42P05")
"""Those of failures that it takes for refusals: of the connection, or of a database being restored."""
REFUSING_CODES = ("SQLITE_ERROR", "SQLITE_TOOBIG", "SQLITE_RANGE")
STATEMENT_CHARACTERS = 80

# The primary result code is the first part of the extended name: SQLITE_IOERR_WRITE is an IOERR.
SQLITE_MEANINGS: tuple[tuple[str, str, str], ...] = (
    ("SQLITE_FULL", "The disk is full: the database could not grow", "Free some space and try again."),
    (
        "SQLITE_BUSY",
        "The database is locked by another process",
        "Wait until the other process has finished, or stop it, and try again.",
    ),
    (
        "SQLITE_LOCKED",
        "The database is locked by another connection of this process",
        "Finish the other transaction first.",
    ),
    (
        "SQLITE_READONLY",
        "The database may only be read",
        "Make the file and its directory writable, or name another home with --home or ONWARD_HOME.",
    ),
    (
        "SQLITE_NOTADB",
        "The file is not an Onward database",
        "Name another home with --home or ONWARD_HOME, or move the file away.",
    ),
    (
        "SQLITE_CORRUPT",
        "The database file is damaged",
        RECOVER,
    ),
    (
        "SQLITE_CANTOPEN",
        "The database file cannot be opened",
        "Check that its directory exists and that you may write to it.",
    ),
    (
        "SQLITE_IOERR",
        "The disk refused to read or write the database",
        "Check the disk; network file systems do not suit SQLite.",
    ),
)


def storage_error(error: Exception, database: str) -> StorageError:
    """Return the error that explains a failure of the database or its driver.

    Parameters
    ----------
    error
        What the driver or SQLAlchemy raised.
    database
        File or address, without a password, for the message.
    """
    original = getattr(error, "orig", None) or error
    if isinstance(original, UnicodeDecodeError):  # SQLite hands out text as it lies in the file
        return StorageError(
            "The database file is damaged", got=f"{database} (text that is no text)", remedy=RECOVER
        )
    reason = str(original).strip().splitlines()[0] if str(original).strip() else type(original).__name__
    name = getattr(original, "sqlite_errorname", None) or ""
    for prefix, what, remedy in SQLITE_MEANINGS:
        if name.startswith(prefix):
            return StorageError(what, got=f"{database} ({reason})", remedy=remedy)
    if type(original).__name__ in SILENT:
        return StorageError(
            "The database does not answer",
            got=f"{database} ({reason})",
            remedy="Try again in a moment; check that it runs and can be reached.",
        )
    if isinstance(original, PoolTimeoutError):
        return StorageError(
            "The database does not answer fast enough",
            got=f"{database} (every connection to it is in use)",
            remedy="Try again in a moment; check that it runs and is not overloaded.",
        )
    if "no such table" in reason or type(original).__name__ == "UndefinedTable":
        return StorageRefusedError(
            "The database has no tables of Onward yet",
            got=f"{database} ({reason})",
            remedy="Create them with `onward db upgrade`.",
        )
    if _is_refusal(error, original, name, reason):
        return StorageRefusedError(
            "The database will not do what it was told",
            got=f"{database} ({reason}{_statement(error)})",
            remedy="Asking again changes nothing: correct what is written, or run `onward db upgrade`.",
        )
    return StorageError(
        "The database refused",
        got=f"{database} ({reason})",
        remedy="Check that it runs, that the address is right and that you may use it.",
    )


def _is_refusal(error: Exception, original: BaseException, name: str, reason: str) -> bool:
    """Return whether the database is there and answered no; else it may be otherwise in a moment."""
    if getattr(error, "connection_invalidated", False) or "closed database" in reason:
        return False
    if name:
        return name.startswith(REFUSING_CODES)
    state = getattr(original, "sqlstate", None) or ""
    if state.startswith(PASSING_STATES) or "cached plan" in reason:
        return False
    kinds = {kind.__name__ for kind in type(original).__mro__}
    return state.startswith(REFUSING_STATES) or not REFUSING.isdisjoint(kinds)


def _statement(error: Exception) -> str:
    """Return the beginning of what was asked, without the values, of which some are secret."""
    words = " ".join((getattr(error, "statement", None) or "").split())
    short = words if len(words) <= STATEMENT_CHARACTERS else f"{words[:STATEMENT_CHARACTERS]} ..."
    return f"; {short}" if short else ""


@contextmanager
def storage_errors(database: str) -> Iterator[None]:
    """Turn failures of the database into `StorageError`, for good ones into `StorageRefusedError`.

    Violated constraints pass through: they are decisions of the caller, not failures.
    """
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, sqlite3.Error, PoolTimeoutError, UnicodeDecodeError) as error:
        raise storage_error(error, database) from error
