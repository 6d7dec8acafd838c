"""What workers hand over, as JSON that every database takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["document"]


def document(value: Any) -> Any:
    """Return a JSON value without NaN and infinities.

    They become null: JSON has no word for them (PostgreSQL refuses them), and a score that is
    not known is not known. Keys become text, tuples lists; what JSON cannot say becomes text, since
    losing a job's end over a word in its result would be worse.
    """
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): document(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [document(item) for item in value]
    return str(value)
