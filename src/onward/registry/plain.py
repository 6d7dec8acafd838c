"""Plain JSON values out of what Python code holds: NumPy numbers, tuples, dates, NaN."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, TypeAlias

import numpy as np
from pydantic import BaseModel

from onward.errors import RegistryError

__all__ = ["Json", "canonical", "plain"]

Json: TypeAlias = dict[str, Any] | list[Any] | str | int | float | bool | None
"""What JSON can say. Recursive types are beyond today's checkers here, hence the ``Any``."""


def plain(value: object) -> Any:
    """Return a value as plain JSON: dict, list, text, number, true, false, null.

    NaN and the infinities become null: JSON has no word for them, and a score that is not known
    is not known. Keys become text.

    Raises
    ------
    RegistryError
        When a value has no JSON form; the message names its type.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="json"))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, PurePath):
        return value.as_posix()
    raise RegistryError(
        "A value cannot be stored as JSON",
        got=f"{type(value).__module__}.{type(value).__qualname__}",
        allowed="numbers, text, true, false, none, lists, tuples, mappings, dates, dataclasses",
        remedy="Give its definition as plain values; no pickle is ever written.",
    )


def canonical(value: object) -> bytes:
    """Return the one spelling of a plain value: sorted keys, two spaces, UTF-8, a final newline."""
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def _key(key: object) -> str:
    if isinstance(key, Enum):
        key = key.value
    return _text(key) if isinstance(key, str) else str(key)


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RegistryError("Text is not valid Unicode", got=ascii(text)) from error
    return str(text)
