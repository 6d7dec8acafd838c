"""Moments in the database: UTC, whole microseconds since 1970, so that no driver has an opinion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Connection, Dialect, literal, literal_column
from sqlalchemy.types import TypeDecorator

from onward.errors import UserError

__all__ = ["Clock", "Moment", "from_microseconds", "moment_in", "require_utc", "to_microseconds", "utc_now"]

Clock: TypeAlias = Callable[[], datetime]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def utc_now() -> datetime:
    """Return this moment, UTC."""
    return datetime.now(UTC)


def require_utc(moment: datetime, name: str = "moment") -> datetime:
    """Return a moment in UTC.

    Raises
    ------
    UserError
        When it carries no time zone: nobody can know which one was meant.
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise UserError(
            f"The {name} carries no time zone",
            got=moment.isoformat(),
            allowed="a datetime with a time zone",
            remedy="Add one, for example tzinfo=datetime.UTC.",
        )
    return moment.astimezone(UTC)


def to_microseconds(moment: datetime) -> int:
    """Return whole microseconds since 1970, exactly (no float in between)."""
    return (require_utc(moment) - EPOCH) // MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """Return the UTC moment of whole microseconds since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


class Moment(TypeDecorator[datetime]):
    """Column type: aware `datetime` in Python, 64-bit microseconds since 1970 in the database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Return what is stored."""
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return what is read."""
        return None if value is None else from_microseconds(value)


POSTGRESQL_NOW = literal_column("CAST(extract(epoch FROM statement_timestamp()) * 1000000 AS bigint)", Moment)
"""When the statement reached the database: a transaction may have waited before it."""


def moment_in(connection: Connection, now: datetime) -> ColumnElement[datetime]:
    """Return this moment, for a statement, by the one clock that all who use the database share.

    PostgreSQL has one. SQLite is used by one host, whose clock is the caller's: ``now``.
    """
    return POSTGRESQL_NOW if connection.dialect.name == "postgresql" else literal(now, Moment)
