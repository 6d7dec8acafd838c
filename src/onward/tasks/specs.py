"""Reading requests: which fields a kind of job takes, and what is said about those it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onward.errors import JobError, nearest

__all__ = ["Field", "read_spec"]

WORDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
WORDS |= {dict: "a table"}


@dataclass(frozen=True)
class Field:
    """A field of a request.

    Attributes
    ----------
    types
        JSON types that it may have; ``null`` is always allowed and means: left out.
    required
        Whether it must be there.
    default
        What counts when it is not.
    """

    types: tuple[type, ...] = (str,)
    required: bool = False
    default: Any = None


def read_spec(kind: str, spec: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """Return every field of a request, defaults filled in.

    Raises
    ------
    JobError
        When a field is unknown, missing, or of another type.
    """
    for name in spec:
        if name not in fields:
            guess = nearest(name, fields)
            raise JobError(
                f"a job of kind {kind} has no field {name!r}",
                got=name,
                allowed=", ".join(fields),
                remedy=f"Did you mean {guess}?" if guess else "Leave it out.",
            )
    return {name: _value(kind, name, spec.get(name), field) for name, field in fields.items()}


def _value(kind: str, name: str, value: Any, field: Field) -> Any:
    if value is None:
        if field.required:
            raise JobError(
                f"a job of kind {kind} needs {name}",
                allowed=_words(field),
                remedy=f"Give it the field {name}.",
            )
        return field.default
    # JSON's true is no number, though Python's is.
    fits = isinstance(value, field.types) and (bool in field.types or not isinstance(value, bool))
    if not fits:
        raise JobError(
            f"{name} of a job of kind {kind} is of the wrong type",
            got=repr(value)[:80],
            allowed=_words(field),
        )
    return value


def _words(field: Field) -> str:
    return " or ".join(WORDS[one] for one in field.types)
