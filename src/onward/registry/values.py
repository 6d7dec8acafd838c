"""What a registry tells: versions, models, alias events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from onward.registry.manifest import Manifest

__all__ = ["AliasEvent", "ModelSummary", "PlacedBundle", "Posting", "Standing", "Version"]


@dataclass(frozen=True)
class Version:
    """One published, immutable model version.

    Attributes
    ----------
    name, number
        The model and its version, counted from 1; numbers are never given twice.
    digest
        Identity of the content, see `Manifest.digest`.
    directory
        Where the bundle lies; use `ModelRegistry.open`, which checks every byte.
    manifest
        What the bundle says about itself.
    published_at
        UTC.
    aliases
        Names that stand for this version now, sorted.
    """

    name: str
    number: int
    digest: str
    directory: Path
    manifest: Manifest = field(repr=False)  # pages of facts; a version is looked at by its name
    published_at: datetime
    aliases: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """The reference that always means this version."""
        return f"models:/{self.name}/{self.number}"


@dataclass(frozen=True)
class ModelSummary:
    """A model at a glance: its versions, the newest one, and what each alias stands for."""

    name: str
    created_at: datetime
    n_versions: int
    latest: int | None
    aliases: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class AliasEvent:
    """One change of an alias.

    Attributes
    ----------
    action
        ``set``, ``rollback`` or ``delete``.
    version
        What the alias stood for afterwards; None after ``delete``.
    previous
        What it stood for before, if anything.
    actor, reason
        Who, and why, in their own words.
    at
        UTC; never before the event that came before it.
    """

    model: str
    alias: str
    action: Literal["set", "delete", "rollback"]
    version: int | None
    previous: int | None
    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Standing:
    """What somebody saw an alias stand for before deciding to change it; None: it was not set."""

    version: int | None


@dataclass(frozen=True)
class PlacedBundle:
    """A verified bundle in its final place that no version speaks of yet.

    Attributes
    ----------
    name
        Model that it will be a version of.
    directory
        Where it lies now.
    manifest
        As verified.
    """

    name: str
    directory: Path
    manifest: Manifest


@dataclass(frozen=True)
class Posting:
    """Publishing that is promised by the end of a job, and done after it.

    Attributes
    ----------
    job_id
        The job; each has at most one model, and each promise is kept once.
    alias
        What the version is to be named, if its leak certificate passed.
    actor
        Who asked for the job.
    """

    job_id: str
    alias: str | None = None
    actor: str = ""
