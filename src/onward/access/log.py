"""Reading the audit log, page by page; `onward.database.audit_log` writes it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from onward.access.values import LogEntry, LogPage
from onward.database.tables import audit_log
from onward.errors import AccessError

__all__ = ["LARGEST_PAGE", "page"]

LARGEST_PAGE = 1000
LARGEST_ID = 2**31 - 1


def page(
    connection: Connection, *, limit: int, cursor: str | None, action: str | None, who: str | None
) -> LogPage:
    """Return a page of entries, newest first.

    Parameters
    ----------
    connection
        Reading.
    limit
        Entries, 1 to 1,000.
    cursor
        Of the page before.
    action, who
        Only these, such as ``alias.set`` and ``key:0123456789``; ``login`` does not find ``login.failed``.

    Raises
    ------
    AccessError
        When limit or cursor are not as they must be.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise AccessError("a page cannot be that large", got=limit, allowed=f"1 to {LARGEST_PAGE:,}")
    query = select(audit_log).order_by(audit_log.c.id.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(audit_log.c.id < _position(cursor))
    if action is not None:
        query = query.where(audit_log.c.action == action)
    if who is not None:
        query = query.where(audit_log.c.who == who)
    rows = connection.execute(query).all()
    entries = tuple(LogEntry(**row._asdict()) for row in rows[:limit])
    return LogPage(entries, str(entries[-1].id) if len(rows) > limit else None)


def _position(cursor: str) -> int:
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 11:
        return min(int(cursor), LARGEST_ID)
    raise AccessError(
        "the cursor is not understood",
        got=ascii(cursor)[:50],
        allowed="the cursor of the page before, as it was given",
        remedy="Begin again without a cursor.",
    )
