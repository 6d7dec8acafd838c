"""Refusals that name the setting they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from onward.errors import PlanError, UserError, about_setting, in_section

__all__ = ["naming_setting", "section_values"]


@contextmanager
def naming_setting(name: str) -> Iterator[None]:
    """Let refusals name the setting that they are about, or the section where they name its settings."""
    try:
        with about_setting(name), in_section(name):
            yield
    except PlanError:
        raise
    except UserError as error:
        raise PlanError(
            f"{name}: {error.what}",
            got=error.got,
            allowed=error.allowed,
            remedy=error.remedy,
            settings=error.settings,
        ) from error


def section_values(section: Any, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the values of a section by name."""
    return {name: getattr(section, name) for name in type(section).model_fields if name not in without}
