"""Models, versions and aliases as clients see and change them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from onward.registry.values import Standing
from onward.server.bodies.base import Answer, Body, Number, Whole

__all__ = [
    "AliasAnswer",
    "AliasBody",
    "AliasEventView",
    "AliasHistory",
    "CleanupAnswer",
    "CleanupBody",
    "ModelPage",
    "ModelView",
    "NoteBody",
    "VersionDetail",
    "VersionPage",
    "VersionView",
]

Note = Annotated[str, Field(max_length=200)]


class ModelView(Answer):
    """A model at a glance."""

    name: str
    created_at: datetime
    n_versions: int
    latest: int | None
    aliases: dict[str, int]
    links: dict[str, str]


class ModelPage(Answer):
    """Models by name; ``cursor`` continues, null at the end."""

    models: list[ModelView]
    cursor: str | None


class VersionView(Answer):
    """A version at a glance."""

    ref: str
    name: str
    number: int
    published_at: datetime
    aliases: list[str]
    digest: str
    model: str
    certificate: Literal["passed", "failed", "not_run"]
    verdicts: dict[str, Any]
    run_id: str | None
    links: dict[str, str]


class VersionDetail(VersionView):
    """A version with everything its bundle says."""

    scores: dict[str, Any]
    findings: list[dict[str, Any]]
    card: str = Field(description="Markdown.")
    manifest: dict[str, Any]


class VersionPage(Answer):
    """Versions of a model, newest first; ``cursor`` continues, null at the end."""

    name: str
    versions: list[VersionView]
    cursor: str | None


class NoteBody(Body):
    """Who changes something, why, and what it stood for when that was decided."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"actor": "mira", "reason": "calibration drifted"},
                {"actor": "mira", "reason": "calibration drifted", "seen": 4},
            ]
        }
    )

    actor: Note = ""
    reason: Note = ""
    seen: Whole | None = Field(
        default=None,
        ge=1,
        le=2**31 - 1,
        description="Version that the alias stood for when it was looked at, null when it was not set: it "
        "is changed only while that still holds (409 else). Left out: whatever it stands for.",
    )

    @property
    def standing(self) -> Standing | None:
        """What was seen; None when the request does not say."""
        return Standing(self.seen) if "seen" in self.model_fields_set else None


class AliasBody(NoteBody):
    """What an alias is to stand for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"version": 3, "actor": "mira", "reason": "better out of fold"},
                {"version": 3, "actor": "mira", "reason": "better out of fold", "seen": 2},
                {"version": 1, "reason": "the first one", "seen": None},
            ]
        }
    )

    version: Whole = Field(ge=1, le=2**31 - 1)


class AliasEventView(Answer):
    """One change of an alias."""

    model: str
    alias: str
    action: Literal["set", "delete", "rollback"]
    version: int | None
    previous: int | None
    actor: str
    reason: str
    at: datetime


class AliasAnswer(Answer):
    """The change that was made; null when the alias stood there already."""

    event: AliasEventView | None


class AliasHistory(Answer):
    """Changes of aliases, oldest first."""

    name: str
    events: list[AliasEventView]


class CleanupBody(Body):
    """What to keep; what is left out comes from the settings."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "btc-1h", "max_versions": 10, "dry_run": True}]}
    )

    name: str | None = Field(None, max_length=100, description="One model; all when left out.")
    max_versions: Whole | None = Field(None, ge=1, le=1_000_000)
    max_age_days: Number | None = Field(None, ge=1, le=100_000)
    dry_run: bool = False


class CleanupAnswer(Answer):
    """What was deleted, or would be."""

    deleted: list[str]
    dry_run: bool
