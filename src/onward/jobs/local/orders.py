"""Orders to the warm process: whether one still counts when it is read."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

__all__ = ["is_too_late"]


def is_too_late(order: Mapping[str, Any]) -> bool:
    """Return whether a worker born now would be behind its fence: others may hold the attempt.

    Parameters
    ----------
    order
        With ``renewed`` (monotonic second, the same for all processes of a machine) and
        ``fence_seconds``.
    """
    return time.monotonic() - float(order["renewed"]) > float(order["fence_seconds"])
