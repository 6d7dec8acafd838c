"""So many a minute, for each name, in bounded memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Buckets"]

MINUTE = 60.0


class Buckets:
    """Token buckets by name: a full one holds a minute's worth and refills evenly.

    Kept as the generic cell rate algorithm does (ITU-T I.371): one number for each name, the
    moment at which its bucket will be full again. Safe to use from several threads.

    Parameters
    ----------
    per_minute
        Requests a minute.
    capacity
        Names that are remembered; the one longest unused is forgotten, and begins anew.
    timer
        Monotonic seconds.
    """

    def __init__(
        self, per_minute: float, *, capacity: int = 10_000, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = MINUTE / per_minute
        self._capacity = capacity
        self._timer = timer
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, name: str) -> float:
        """Take one token: 0 when there was one, else the seconds until there is."""
        now = self._timer()
        with self._lock:
            full_at = max(self._full_at.get(name, now), now) + self._interval
            missing = full_at - now - max(MINUTE, self._interval)
            if missing > 1e-9:
                return missing
            self._full_at[name] = full_at
            self._full_at.move_to_end(name)
            if len(self._full_at) > self._capacity:
                self._full_at.popitem(last=False)
        return 0.0

    def wait(self, name: str) -> float:
        """Return the seconds until there is a token, without taking one; 0 when there is."""
        now = self._timer()
        full_at = max(self._full_at.get(name, now), now) + self._interval
        missing = full_at - now - max(MINUTE, self._interval)
        return missing if missing > 1e-9 else 0.0
