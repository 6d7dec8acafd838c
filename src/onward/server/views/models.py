"""Models and versions as JSON shows them: the fields of ``onward models --json``, and links."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onward.registry import AliasEvent, ModelSummary, Version

__all__ = ["alias_event_view", "entity_tag", "model_view", "version_detail", "version_view"]

MODELS = "/api/v1/models"


def model_view(summary: ModelSummary) -> dict[str, Any]:
    """Return a model at a glance."""
    here = f"{MODELS}/{summary.name}"
    return {
        "name": summary.name,
        "created_at": summary.created_at.isoformat(),
        "n_versions": summary.n_versions,
        "latest": summary.latest,
        "aliases": dict(summary.aliases),
        "links": {"self": here, "history": f"{here}/history"},
    }


def version_view(version: Version) -> dict[str, Any]:
    """Return a version at a glance."""
    manifest = version.manifest
    here = f"{MODELS}/{version.name}/versions/{version.number}"
    return {
        "ref": version.ref,
        "name": version.name,
        "number": version.number,
        "published_at": version.published_at.isoformat(),
        "aliases": list(version.aliases),
        "digest": version.digest,
        "model": manifest.model,
        "certificate": manifest.certificate.status,
        "verdicts": manifest.verdicts,
        "run_id": manifest.run_id,
        "links": {"self": here, "report": f"{here}/report", "predictions": f"{here}/predictions"},
    }


def version_detail(version: Version, card: str) -> dict[str, Any]:
    """Return a version with everything its bundle says."""
    manifest = version.manifest.to_json()
    return {
        **version_view(version),
        "scores": manifest["scores"],
        "findings": manifest["certificate"]["findings"],
        "card": card,
        "manifest": manifest,
    }


def alias_event_view(event: AliasEvent) -> dict[str, Any]:
    """Return a change of an alias."""
    return {
        "model": event.model,
        "alias": event.alias,
        "action": event.action,
        "version": event.version,
        "previous": event.previous,
        "actor": event.actor,
        "reason": event.reason,
        "at": event.at.isoformat(),
    }


def entity_tag(version: Version) -> str:
    """Return the ETag of a version: its content never changes, the aliases that stand for it do."""
    said = f"{version.ref}|{version.digest}|{'|'.join(version.aliases)}"
    return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'
