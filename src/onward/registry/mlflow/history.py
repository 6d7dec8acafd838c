"""The history of aliases, which MLflow does not keep: one tag of the registered model a change.

What somebody changes past Onward (in MLflow's pages, say) leaves no trace in MLflow. It is noticed
when an alias stands for something else than its last change says, and is then told as a change of
nobody's, at the moment of noticing.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onward.database.moments import from_microseconds, to_microseconds
from onward.errors import RegistryError
from onward.registry.aliases import Action, check_note
from onward.registry.mlflow.connection import Connection
from onward.registry.mlflow.tags import PREFIX
from onward.registry.values import AliasEvent

__all__ = ["ELSEWHERE", "AliasHistory"]

KEY = f"{PREFIX}alias."
LONGEST = 5000
"""Characters that a tag of a registered model has room for in MLflow's database."""
ELSEWHERE = "changed in MLflow, not by Onward"


@dataclass(frozen=True, eq=False)
class AliasHistory:
    """Reads and writes the changes of a model's aliases.

    Attributes
    ----------
    connection
        To MLflow.
    name
        The registered model.
    """

    connection: Connection
    name: str

    def events(self, targets: dict[str, int], now: datetime, alias: str | None = None) -> list[AliasEvent]:
        """Return the changes, oldest first, and after them those that were made past Onward.

        Parameters
        ----------
        targets
            What each alias stands for.
        now
            Moment of a change that is only noticed.
        alias
            Only its changes.
        """
        told = self.told(alias)
        names = {event.alias for event in told} | set(targets)
        for one in sorted(names if alias is None else names & {alias}):
            past = [event for event in told if event.alias == one]
            noticed = unrecorded(self.name, one, past, targets.get(one), now)
            told += [] if noticed is None else [noticed]
        return told

    def record(
        self,
        alias: str,
        *,
        action: Action,
        version: int | None,
        previous: int | None,
        actor: str,
        reason: str,
        now: datetime,
    ) -> tuple[AliasEvent, str]:
        """Write a change down, before it whatever was made past Onward; return it and its tag's name.

        Raises
        ------
        RegistryError
            When actor and reason are too long for MLflow.
        """
        told = self._told()
        past = [event for _, event in told if event.alias == alias]
        number = 1 + max((number for number, _ in told), default=0)
        new = []
        noticed = unrecorded(self.name, alias, past, previous, now)
        if noticed is not None:
            new.append(noticed)
        at = max(now, (past + new)[-1].at) if past or new else now
        event = AliasEvent(
            model=self.name,
            alias=alias,
            action=action,
            version=version,
            previous=previous,
            actor=check_note(actor, "actor"),
            reason=check_note(reason, "reason"),
            at=at,
        )
        new.append(event)
        texts = [_text(one) for one in new]
        keys = [f"{KEY}{number + i:08d}.{uuid.uuid4().hex[:6]}" for i in range(len(new))]
        with self.connection.failures("write the history down"):
            for key, text in zip(keys, texts, strict=True):
                self.connection.client.set_registered_model_tag(self.name, key, text)
        return event, keys[-1]

    def take_back(self, key: str) -> None:
        """Remove a change that did not come about, as far as MLflow can be reached."""
        with suppress(Exception):
            self.connection.client.delete_registered_model_tag(self.name, key)

    def told(self, alias: str | None = None) -> list[AliasEvent]:
        """Return the changes that were written down, oldest first."""
        return [event for _, event in self._told() if alias is None or event.alias == alias]

    def _told(self) -> list[tuple[int, AliasEvent]]:
        with self.connection.failures("read the history"):
            tags = self.connection.client.get_registered_model(self.name).tags
        return list(_read(self.name, tags))


def unrecorded(
    name: str, alias: str, past: Sequence[AliasEvent], target: int | None, now: datetime
) -> AliasEvent | None:
    """Return the change that must have been made past Onward; None when history and presence agree.

    Parameters
    ----------
    name, alias
        Which alias.
    past
        Its changes, oldest first.
    target
        What it stands for.
    now
        When that was noticed, UTC.
    """
    before = past[-1].version if past else None
    if before == target:
        return None
    at = max(now, past[-1].at) if past else now
    return AliasEvent(
        model=name,
        alias=alias,
        action="delete" if target is None else "set",
        version=target,
        previous=before,
        actor="",
        reason=ELSEWHERE,
        at=at,
    )


def _text(event: AliasEvent) -> str:
    told = {
        "alias": event.alias,
        "action": event.action,
        "version": event.version,
        "previous": event.previous,
        "actor": event.actor,
        "reason": event.reason,
        "at": to_microseconds(event.at),
    }
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    if len(text) > LONGEST:
        raise RegistryError(
            "Actor and reason are too long for MLflow",
            got=f"{len(text)} characters with what belongs to them",
            allowed=f"{LONGEST} characters",
            remedy="Shorten the reason.",
        )
    return text


def _read(name: str, tags: dict[str, Any]) -> Iterator[tuple[int, AliasEvent]]:
    """Yield the changes in tags, in order; a tag that somebody else wrote is none."""
    for key in sorted(tag for tag in tags if tag.startswith(KEY)):
        with suppress(ValueError, KeyError, TypeError, OverflowError):
            told = json.loads(tags[key])
            event = AliasEvent(
                model=name,
                alias=str(told["alias"]),
                action=told["action"],
                version=None if told["version"] is None else int(told["version"]),
                previous=None if told["previous"] is None else int(told["previous"]),
                actor=str(told["actor"]),
                reason=str(told["reason"]),
                at=from_microseconds(int(told["at"])),
            )
            yield int(key.removeprefix(KEY).partition(".")[0]), event
