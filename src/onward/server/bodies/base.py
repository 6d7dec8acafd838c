"""The base of everything that clients send: strict, finite, printable."""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Strict, model_validator

__all__ = ["Answer", "Body", "Number", "Part", "Whole"]

DEEPEST = 16
LARGEST_NUMBER = 2**63 - 1

Whole: TypeAlias = Annotated[int, Strict()]
"""A whole number; ``true`` is none, nor is text."""
Number: TypeAlias = Annotated[float, Strict()]
"""A number; ``true`` is none, nor is text."""


class Part(BaseModel):
    """A JSON object inside of one that a client sends, which was looked through as a whole."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Body(Part):
    """A JSON object that a client sends."""

    @model_validator(mode="before")
    @classmethod
    def _can_be_kept(cls, values: Any) -> Any:
        check_plain(values)
        return values


class Answer(BaseModel):
    """A JSON object that the server sends."""

    model_config = ConfigDict(extra="allow")


def check_plain(value: Any, depth: int = 0) -> None:
    """Refuse what no database and no log can keep: NUL, half surrogates, endless numbers, depth.

    Raises
    ------
    ValueError
        With a sentence for the client.
    """
    if depth > DEEPEST:
        raise ValueError(f"is nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        if "\0" in value or not _is_unicode(value):
            raise ValueError("holds text with NUL or half a surrogate pair")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("holds NaN or infinity")
    elif isinstance(value, int):
        if abs(value) > LARGEST_NUMBER:
            raise ValueError("holds a whole number beyond 64 bits")
    elif isinstance(value, dict):
        for key, item in value.items():
            check_plain(key, depth)
            check_plain(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            if type(item) is not float or not math.isfinite(item):  # bars are thousands of plain numbers
                check_plain(item, depth + 1)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
