"""Labelers as plain JSON values, and back: a labeler is a frozen dataclass with a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from onward.errors import LabelError, nearest

__all__ = ["known_values", "state_of"]


def state_of(labeler: Any) -> dict[str, Any]:
    """Return the fields of a labeler beside its name, under ``labeler``."""
    return {"labeler": labeler.name, **{f.name: getattr(labeler, f.name) for f in fields(labeler)}}


def known_values(cls: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the constructor's arguments that a state holds.

    Raises
    ------
    LabelError
        When the state belongs to another labeler or holds an unknown field.
    """
    if state.get("labeler") != cls.name:
        raise LabelError(
            f"this is not the state of a {cls.__name__}",
            got=repr(state.get("labeler")),
            allowed=repr(cls.name),
            remedy="Look the labeler's name up in onward.labels.CATALOG.",
        )
    known = [field.name for field in fields(cls)]
    for field in state:
        if field not in (*known, "labeler"):
            close = nearest(str(field), known)
            raise LabelError(
                f"the state of a {cls.__name__} holds an unknown field",
                got=repr(field),
                allowed=", ".join(known),
                remedy=f"Did you mean {close!r}?" if close else "Remove the field.",
            )
    return {name: state[name] for name in known if name in state}
