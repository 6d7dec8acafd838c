"""What may become of an alias in MLflow: set, delete, roll back, each while no other server changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from onward.database.moments import Clock
from onward.naming.names import check_number
from onward.naming.references import Reference
from onward.registry import aliases
from onward.registry.mlflow.catalogue import MlflowCatalogue
from onward.registry.mlflow.connection import Connection
from onward.registry.mlflow.history import AliasHistory
from onward.registry.refusals import moved_meanwhile, nothing_earlier, target_deleted, unknown_alias
from onward.registry.values import AliasEvent, Standing

__all__ = ["MlflowAlias"]


@dataclass(frozen=True, eq=False)
class MlflowAlias:
    """One alias of a model.

    Attributes
    ----------
    connection, catalogue
        To MLflow, and what it knows.
    name, alias
        Model and alias, both checked.
    turns
        Lets one server at a time change aliases.
    clock
        Gives this moment, UTC.
    log
        Told of every change: action, and what belongs to it.
    """

    connection: Connection
    catalogue: MlflowCatalogue
    name: str
    alias: str
    turns: Callable[[], AbstractContextManager[None]]
    clock: Clock
    log: Callable[[aliases.Action, str, dict[str, Any]], None]

    def set(self, version: int, actor: str, reason: str, seen: Standing | None) -> AliasEvent | None:
        """Let the alias stand for a version; None when it did already."""
        with self._changing(seen) as current:
            wanted = self.catalogue.version(Reference(self.name, version=check_number(version)))
            aliases.check_certificate(wanted)
            if current == version:
                return None
            return self._point("set", version, current, actor, reason)

    def set_once(self, version: int, actor: str, reason: str) -> None:
        """Let the alias stand for a version unless it was given to it for this very reason before."""
        with self._changing(None) as current:
            told = self.history.told(self.alias)
            if not any((event.version, event.reason) == (version, reason) for event in told):
                self._point("set", version, current, actor, reason)
            elif current != version and told[-1].version == version:
                self._write(version)  # written down, and interrupted before it was done

    def delete(self, actor: str, reason: str, seen: Standing | None) -> AliasEvent:
        """Take the alias away; its history stays."""
        with self._changing(seen) as current:
            if current is None:
                raise unknown_alias(self.name, self.alias, self.catalogue.targets(self.name))
            return self._point("delete", None, current, actor, reason)

    def roll_back(self, actor: str, reason: str, seen: Standing | None) -> AliasEvent:
        """Let the alias stand for its previous target again; repeated, one step further back."""
        with self._changing(seen) as current:
            targets = self.catalogue.targets(self.name)
            events = self.history.events(targets, self.clock(), self.alias)
            if not events:
                raise unknown_alias(self.name, self.alias, targets)
            earlier = aliases.previous_targets(events)
            if not earlier:
                raise nothing_earlier(self.name, self.alias, len(events))
            there = {version.number: version for version in self.catalogue.versions(self.name)}
            if earlier[0] not in there:
                raise target_deleted(self.name, self.alias, earlier[0])
            aliases.check_certificate(there[earlier[0]])
            return self._point("rollback", earlier[0], current, actor, reason)

    @property
    def history(self) -> AliasHistory:
        """The changes of the model's aliases."""
        return AliasHistory(self.connection, self.name)

    @contextmanager
    def _changing(self, seen: Standing | None) -> Iterator[int | None]:
        with self.turns():
            current = self.catalogue.targets(self.name).get(self.alias)
            if seen is not None and seen.version != current:
                raise moved_meanwhile(self.name, self.alias, seen.version, current)
            yield current

    def _point(
        self, action: aliases.Action, version: int | None, current: int | None, actor: str, reason: str
    ) -> AliasEvent:
        """Write the change down, then do it; what fails in between is taken back."""
        event, key = self.history.record(
            self.alias,
            action=action,
            version=version,
            previous=current,
            actor=actor,
            reason=reason,
            now=self.clock(),
        )
        try:
            self._write(version)
        except BaseException:
            self.history.take_back(key)
            raise
        detail = {"version": version, "previous": current, "actor": actor, "reason": reason}
        self.log(action, f"{self.name}@{self.alias}", detail)
        return event

    def _write(self, version: int | None) -> None:
        client = self.connection.client
        with self.connection.failures("change the alias"):
            if version is None:
                client.delete_registered_model_alias(self.name, self.alias)
            else:
                client.set_registered_model_alias(self.name, self.alias, str(version))
