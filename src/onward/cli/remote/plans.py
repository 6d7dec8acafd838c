"""The plan that a call asks for, without the settings of this machine: the server has its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onward.errors import UserError

__all__ = ["asked_plan"]

NOWHERE = Path(os.devnull)
"""Holds no settings file, whatever is asked of it."""
ASKED = frozenset({"plan", "preset", "--set"})


def asked_plan(
    plan_file: str | None, preset: str | None, overrides: Sequence[str]
) -> str | dict[str, Any] | None:
    """Return a preset's name, values by dotted name, or None when nothing was asked for.

    Raises
    ------
    ConfigError, PlanError
        As the same plan would be refused here.
    UserError
        When ``--set`` names what is no part of a plan: that is the server's.
    """
    if not overrides and plan_file is None:
        return preset
    from onward.config.names import split_name
    from onward.settings import load_settings

    resolved = load_settings(
        home=NOWHERE, cwd=NOWHERE, environ={}, plan_file=plan_file, preset=preset, overrides=overrides
    )
    whole = resolved.settings.plan.model_dump(mode="json")
    values = {}
    for name, origin in resolved.origins.items():
        if origin.source not in ASKED:
            continue
        value: Any = whole
        for part in split_name(name):
            if not isinstance(value, dict) or part not in value:
                raise UserError(
                    "a server's settings are its own",
                    got=f"--set {name}",
                    allowed="sections " + ", ".join(whole),
                    remedy="Leave it out, or set it on the server.",
                )
            value = value[part]
        values[name] = value
    return values
