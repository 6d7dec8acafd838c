"""Models of a server in the shape of a registry, as far as verbs need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onward.client import AliasChange, ModelInfo, OnwardClient, VersionInfo

__all__ = ["RemoteModels", "RemoteVersion"]


@dataclass(frozen=True)
class Facts:
    """What verbs read from a manifest."""

    model: str
    certificate: Any
    verdicts: Mapping[str, Any]
    run_id: str | None
    whole: Mapping[str, Any]

    def to_json(self) -> Mapping[str, Any]:
        """Return the whole manifest, if it was asked for."""
        return self.whole


@dataclass(frozen=True)
class RemoteVersion:
    """A version in the shape of `onward.registry.Version`; the card instead of a directory."""

    name: str
    number: int
    digest: str
    manifest: Facts
    published_at: datetime
    aliases: tuple[str, ...]
    card: str
    ref: str

    @classmethod
    def of(cls, told: VersionInfo) -> RemoteVersion:
        """Return a version from what a client got."""
        certificate = SimpleNamespace(status=told.certificate)
        facts = Facts(told.model, certificate, told.verdicts, told.run_id, told.manifest or {})
        return cls(
            told.name,
            told.number,
            told.digest,
            facts,
            told.published_at,
            told.aliases,
            told.card,
            told.ref,
        )


class RemoteModels:
    """Looks at models, moves aliases, deletes versions."""

    def __init__(self, client: OnwardClient) -> None:
        self._client = client

    def list_models(self) -> Sequence[ModelInfo]:
        """Return every model."""
        return self._client.models()

    def list_versions(self, name: str) -> Sequence[RemoteVersion]:
        """Return the versions of a model, newest first."""
        return [RemoteVersion.of(one) for one in self._client.versions(name)]

    def resolve(self, reference: str) -> RemoteVersion:
        """Return the version that a reference means."""
        return RemoteVersion.of(self._client.version(reference))

    def set_alias(
        self, name: str, alias: str, version: int, actor: str = "", reason: str = ""
    ) -> AliasChange | None:
        """Let an alias stand for a version."""
        return self._client.set_alias(name, alias, version, actor=actor, reason=reason)

    def delete_alias(self, name: str, alias: str, actor: str = "", reason: str = "") -> AliasChange:
        """Take an alias away."""
        return self._client.delete_alias(name, alias, actor=actor, reason=reason)

    def rollback(self, name: str, alias: str, actor: str = "", reason: str = "") -> AliasChange:
        """Return an alias to its previous version."""
        return self._client.rollback(name, alias, actor=actor, reason=reason)

    def alias_history(self, name: str, alias: str | None = None) -> Sequence[AliasChange]:
        """Return changes of aliases, oldest first."""
        return self._client.history(name, alias)

    def alias_at(self, name: str, alias: str, moment: datetime) -> AliasChange | None:
        """Return the change that counted at a moment."""
        found = self._client.history(name, alias, at=moment)
        return found[0] if found else None

    def delete(self, reference: str) -> RemoteVersion:
        """Delete a version."""
        return RemoteVersion.of(self._client.delete_version(reference))

    def cleanup(
        self, name: str, *, max_versions: int | None, max_age_days: float | None, dry_run: bool = False
    ) -> Sequence[Any]:
        """Delete versions beyond the limits; None leaves a limit to the server."""
        gone = self._client.cleanup(
            name, max_versions=max_versions, max_age_days=max_age_days, dry_run=dry_run
        )
        return [SimpleNamespace(ref=ref) for ref in gone]

    def sweep_orphans(self) -> Sequence[Any]:
        """Return nothing: the server sweeps with every cleanup."""
        return ()
