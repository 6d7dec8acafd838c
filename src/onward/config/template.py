"""A settings file to start from, made from the classes themselves so that it cannot fall behind."""

from __future__ import annotations

import textwrap
from typing import Any

from onward.config.base import Section
from onward.config.describe import allowed, shown
from onward.config.sections import Sections
from onward.config.toml import toml_value

__all__ = ["settings_template"]

HEAD = """\
# Settings of Onward. Every setting is listed with its default; remove the # in front of a name to change it.
# What counts, lowest rank first: defaults, onward.toml in the home directory, onward.toml in the working
# directory, .env, environment (ONWARD_MODEL__LEARNING_RATE=0.03), plan file, --set model.learning_rate=0.03.
"""


def settings_template() -> str:
    """Return an ``onward.toml`` that lists every setting, commented out; as it stands it sets nothing."""
    parts = [HEAD]
    for name, section in Sections.sections().items():
        parts += _section(name, section)
    return "\n".join(parts)


def _section(path: str, section: type[Section]) -> list[str]:
    summary = (section.__doc__ or "").partition("\n")[0]
    lines = ["", f"# {summary}", f"[{path}]"]
    nested: list[str] = []
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            nested += _section(f"{path}.{name}", field.annotation)
            continue
        about = f"{field.description} Takes {allowed(field)}."
        lines += textwrap.wrap(about, 100, initial_indent="# ", subsequent_indent="# ")
        lines.append(f"#{name} = {_written(shown(field.get_default(call_default_factory=True)))}")
    return lines + nested


def _written(value: Any) -> str:
    return "{}" if value == {} else toml_value(value)
