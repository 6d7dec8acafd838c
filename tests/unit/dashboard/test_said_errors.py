"""Errors are said in the reader's language: every sentence that a package can say has its translation."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from onward.config.describe import allowed
from onward.dashboard.i18n import texts_of
from onward.dashboard.i18n.said import Said, translated
from onward.dashboard.views.run_fields import plan_fields
from onward.settings import Settings
from tests.unit.dashboard.said_errors import missing

PACKAGES: tuple[str, ...] = (
    "access",
    "api",
    "audit",
    "config",
    "dashboard",
    "data",
    "database",
    "ensembles",
    "evaluation",
    "features",
    "jobs",
    "kernels",
    "labels",
    "models",
    "naming",
    "prediction",
    "registry",
    "server",
    "settings",
    "splits",
    "storage",
    "tasks",
    "training",
    "types",
    "wiring",
)
"""Packages whose errors people meet on pages; those of the shell (cli, client, testing) stay English."""


def fields_of(section: type[BaseModel]) -> Iterator[FieldInfo]:
    """Give the settings below a section, however deep they lie."""
    for field in section.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields_of(field.annotation)
        else:
            yield field


def test_what_a_setting_takes_is_said_in_japanese() -> None:
    told = {allowed(field) for field in (*plan_fields().values(), *fields_of(Settings))}
    assert len(told) > 30
    say = Said(texts_of("ja"))
    assert not [text for text in told if say.allowed(text) == text and translated("ja", text) is None]


def test_every_sentence_of_an_error_is_said_in_japanese() -> None:
    left = [one for package in PACKAGES for one in missing(package)]
    told = [f"{one.place} {one.part}: {one.template}" for one in left]
    assert not told, "python -m tests.unit.dashboard.said_errors PACKAGE prints them"
