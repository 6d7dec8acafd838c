"""Aliases: pure decisions over their history, and the queries that read and write it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import Connection, delete, insert, select, update

from onward.database.audit_log import AuditAction
from onward.database.audit_log import record as record_in_log
from onward.database.tables import model_alias_events, model_aliases
from onward.errors import RegistryConflictError, RegistryError
from onward.registry import refusals
from onward.registry.values import AliasEvent, Version

__all__ = [
    "Action",
    "all_targets",
    "check_certificate",
    "check_note",
    "current_target",
    "previous_targets",
    "read_events",
    "record",
    "targets",
    "unknown_alias",
]

Action: TypeAlias = Literal["set", "delete", "rollback"]

NOTE_LIMIT = 2000
LOGGED: Mapping[Action, AuditAction] = {
    "set": "alias.set",
    "delete": "alias.delete",
    "rollback": "alias.rollback",
}


def previous_targets(events: Sequence[AliasEvent]) -> tuple[int, ...]:
    """Return what rolling back would restore, nearest first.

    A rollback takes the newest target away, as *undo* does: after setting 1, 2, 3 it gives 2 and,
    repeated, 1. Rolling back a deleted alias restores what it stood for.

    Parameters
    ----------
    events
        History of one alias, oldest first.
    """
    stack: list[int | None] = []
    for event in events:
        if event.action == "rollback":
            stack.pop()
            while stack and stack[-1] is None:
                stack.pop()
        else:
            stack.append(event.version)
    return tuple(target for target in reversed(stack[:-1]) if target is not None)


def check_certificate(version: Version) -> None:
    """Refuse an alias to a version whose leak certificate did not pass.

    Raises
    ------
    RegistryError
        With what the audit found.
    """
    certificate = version.manifest.certificate
    if certificate.status == "passed":
        return
    leaks = [finding for finding in certificate.findings if finding.severity == "leak"]
    if certificate.status == "failed":
        first = f"; first: {leaks[0].check} of {leaks[0].subject}, {leaks[0].detail}" if leaks else ""
        got = f"{version.ref}: certificate failed with {len(leaks)} leaks{first}"
        remedy = "Repair what the audit found, train again and publish the new version."
    else:
        got = f"{version.ref}: the audit was not run"
        remedy = "Run `onward audit` on the plan, train again and publish the version that passed."
    raise RegistryConflictError(
        "Only a version with a passed leak certificate may be given an alias",
        got=got,
        allowed="certificate passed",
        remedy=remedy,
    )


def check_note(text: object, name: str) -> str:
    """Return who or why, as written.

    Raises
    ------
    RegistryError
        When it is no text, or too long for a history that people read.
    """
    if isinstance(text, str) and len(text) <= NOTE_LIMIT:
        return text
    raise RegistryError(
        f"The {name} cannot be recorded",
        got=f"{len(text)} characters" if isinstance(text, str) else type(text).__name__,
        allowed=f"text of at most {NOTE_LIMIT} characters",
        remedy="Shorten it.",
    )


def targets(connection: Connection, model: str) -> dict[str, int]:
    """Return what each alias of a model stands for."""
    rows = connection.execute(
        select(model_aliases.c.alias, model_aliases.c.version)
        .where(model_aliases.c.model == model)
        .order_by(model_aliases.c.alias)
    )
    return {row.alias: row.version for row in rows}


def all_targets(connection: Connection) -> dict[str, dict[str, int]]:
    """Return what each alias of every model stands for, by model: one question for a list of them."""
    rows = connection.execute(select(model_aliases).order_by(model_aliases.c.model, model_aliases.c.alias))
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row.model, {})[row.alias] = row.version
    return found


def current_target(connection: Connection, model: str, alias: str) -> int | None:
    """Return what an alias stands for, None when it is not set."""
    return connection.scalar(
        select(model_aliases.c.version).where(model_aliases.c.model == model, model_aliases.c.alias == alias)
    )


def unknown_alias(connection: Connection, model: str, alias: str) -> RegistryError:
    """Return the error for an alias that is not set."""
    return refusals.unknown_alias(model, alias, targets(connection, model))


def record(
    connection: Connection,
    model: str,
    alias: str,
    *,
    action: Action,
    version: int | None,
    previous: int | None,
    actor: str,
    reason: str,
    now: datetime,
) -> AliasEvent:
    """Change what an alias stands for, and remember the change."""
    past = read_events(connection, model, alias)
    event = AliasEvent(
        model=model,
        alias=alias,
        action=action,
        version=version,
        previous=previous,
        actor=check_note(actor, "actor"),
        reason=check_note(reason, "reason"),
        # A clock that was set back must not rewrite history: events of an alias are in order.
        at=max(now, past[-1].at) if past else now,
    )
    _write_target(connection, model, alias, version)
    connection.execute(insert(model_alias_events).values(dataclasses.asdict(event)))
    record_in_log(
        connection,
        LOGGED[action],
        f"{model}@{alias}",
        detail={"version": version, "previous": previous, "actor": actor, "reason": reason},
        now=now,
    )
    return event


def read_events(connection: Connection, model: str, alias: str | None = None) -> list[AliasEvent]:
    """Return the history of one alias, or of all of a model's, oldest first."""
    query = select(model_alias_events).where(model_alias_events.c.model == model)
    if alias is not None:
        query = query.where(model_alias_events.c.alias == alias)
    return [
        AliasEvent(
            model=row.model,
            alias=row.alias,
            action=row.action,
            version=row.version,
            previous=row.previous,
            actor=row.actor,
            reason=row.reason,
            at=row.at,
        )
        for row in connection.execute(query.order_by(model_alias_events.c.id))
    ]


def _write_target(connection: Connection, model: str, alias: str, version: int | None) -> None:
    here = (model_aliases.c.model == model) & (model_aliases.c.alias == alias)
    if version is None:
        connection.execute(delete(model_aliases).where(here))
    elif connection.execute(update(model_aliases).where(here).values(version=version)).rowcount == 0:
        connection.execute(insert(model_aliases).values(model=model, alias=alias, version=version))
