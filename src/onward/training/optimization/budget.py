"""Time for all searches of a run, shared evenly by those that are left."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Self

__all__ = ["Budget"]


@dataclass(frozen=True)
class Budget:
    """Wall-clock time of a run.

    Attributes
    ----------
    end
        Moment (`time.monotonic`) at which it is used up; None for as long as it takes.
    """

    end: float | None

    @classmethod
    def of(cls, seconds: float | None) -> Self:
        """Return a budget that begins now."""
        return cls(None if seconds is None else time.monotonic() + seconds)

    def deadline(self, searches_left: int) -> float | None:
        """Return the moment at which the next of so many searches is to end."""
        if self.end is None:
            return None
        now = time.monotonic()
        return now + max(0.0, self.end - now) / searches_left
