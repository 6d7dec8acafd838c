"""What may become of an alias: set, delete, roll back, each inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from onward.naming.names import check_number
from onward.naming.references import Reference
from onward.registry import aliases
from onward.registry.catalogue import Catalogue
from onward.registry.refusals import moved_meanwhile, nothing_earlier, target_deleted
from onward.registry.values import AliasEvent, Standing

__all__ = ["AliasChange", "protected_numbers", "standing_at"]


@dataclass(frozen=True, eq=False)
class AliasChange:
    """A change to one alias of a model: where, who, why and when.

    Attributes
    ----------
    connection
        Inside a transaction in which nobody else changes the registry.
    catalogue
        Versions of the models.
    name, alias
        Model that exists, and its alias, both checked.
    actor, reason
        Who and why, for the history.
    now
        This moment, UTC.
    """

    connection: Connection
    catalogue: Catalogue
    name: str
    alias: str
    actor: str
    reason: str
    now: datetime

    def require(self, seen: Standing | None) -> None:
        """Refuse a change that was decided on while the alias stood for something else.

        Raises
        ------
        RegistryError
            With what it stands for now.
        """
        current = self._current()
        if seen is not None and seen.version != current:
            raise moved_meanwhile(self.name, self.alias, seen.version, current)

    def set(self, version: int) -> AliasEvent | None:
        """Let the alias stand for a version; None when it did already.

        Raises
        ------
        RegistryError
            When the version does not exist or its leak certificate did not pass.
        """
        reference = Reference(self.name, version=check_number(version))
        aliases.check_certificate(self.catalogue.version(self.connection, reference))
        previous = self._current()
        return None if previous == version else self._record("set", version, previous)

    def delete(self) -> AliasEvent:
        """Take the alias away; raises `RegistryError` when it is not set."""
        previous = self._current()
        if previous is None:
            raise aliases.unknown_alias(self.connection, self.name, self.alias)
        return self._record("delete", None, previous)

    def roll_back(self) -> AliasEvent:
        """Let the alias stand for its previous target again.

        Raises
        ------
        RegistryError
            When there is no previous target, or it has been deleted since.
        """
        events = aliases.read_events(self.connection, self.name, self.alias)
        if not events:
            raise aliases.unknown_alias(self.connection, self.name, self.alias)
        earlier = aliases.previous_targets(events)
        if not earlier:
            raise nothing_earlier(self.name, self.alias, len(events))
        target = earlier[0]
        if not self.catalogue.by_number(self.connection, self.name, target):
            raise target_deleted(self.name, self.alias, target)
        return self._record("rollback", target, self._current())

    def _current(self) -> int | None:
        return aliases.current_target(self.connection, self.name, self.alias)

    def _record(self, action: aliases.Action, version: int | None, previous: int | None) -> AliasEvent:
        return aliases.record(
            self.connection,
            self.name,
            self.alias,
            action=action,
            version=version,
            previous=previous,
            actor=self.actor,
            reason=self.reason,
            now=self.now,
        )


def protected_numbers(connection: Connection, name: str) -> set[int]:
    """Return the versions that aliases stand for, or would stand for after one step back."""
    current = aliases.targets(connection, name)
    protected = set(current.values())
    for alias in current:
        protected.update(aliases.previous_targets(aliases.read_events(connection, name, alias))[:1])
    return protected


def standing_at(events: Sequence[AliasEvent], moment: datetime) -> AliasEvent | None:
    """Return the event that made an alias what it was at a moment; None when it was not set then.

    Parameters
    ----------
    events
        History of one alias, oldest first.
    moment
        UTC. An event counts from its own moment on.
    """
    past = [event for event in events if event.at <= moment]
    return past[-1] if past and past[-1].version is not None else None
