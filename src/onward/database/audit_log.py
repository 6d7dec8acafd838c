"""Writing the audit log: one row inside the transaction of what it tells, or neither."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, insert

from onward.database.acting import Actor, current_actor
from onward.database.moments import utc_now
from onward.database.tables import audit_log

__all__ = ["LONGEST", "AuditAction", "record"]

AuditAction: TypeAlias = Literal[
    "alias.set",
    "alias.rollback",
    "alias.delete",
    "model.delete",
    "data.remove",
    "job.delete",
    "jobs.prune",
    "key.create",
    "key.revoke",
    "login",
    "login.failed",
    "logout",
]
LONGEST = 300
"""Characters of a subject or a name that are kept."""


def record(
    connection: Connection,
    action: AuditAction,
    subject: str,
    *,
    refused: bool = False,
    detail: Mapping[str, Any] | None = None,
    actor: Actor | None = None,
    now: datetime | None = None,
) -> None:
    """Add a row to the audit log.

    Parameters
    ----------
    connection
        Inside the transaction of the change.
    action
        What was done.
    subject
        What it was done to: ``btc-1h@champion``, the id of a job or key.
    refused
        Whether it was refused.
    detail
        Plain JSON: what else there is to say.
    actor
        Who did it; default is who is at work (`onward.database.acting`).
    now
        UTC; default is this moment.
    """
    actor = current_actor() if actor is None else actor
    connection.execute(
        insert(audit_log).values(
            at=utc_now() if now is None else now,
            who=_kept(actor.who, 64),
            name=_kept(actor.name, LONGEST),
            address=_kept(actor.address, 64),
            action=action,
            subject=_kept(subject, LONGEST),
            outcome="refused" if refused else "done",
            detail=dict(detail or {}),
        )
    )


def _kept(text: str, longest: int) -> str:
    """Return text that any database and terminal takes: a client may have sent it."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in text[:longest])
    return printable.encode("utf-8", "replace").decode("utf-8")
