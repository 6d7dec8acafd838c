"""When a side series is called late: one figure for predictions, charts and lists, without any library."""

from __future__ import annotations

__all__ = ["LATE"]

LATE = 3
"""Usual steps of a side series without a new value after which it is worth a sentence."""
