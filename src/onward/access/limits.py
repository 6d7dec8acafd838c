"""How many requests a minute a key may send, by what they ask for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from onward.access.buckets import Buckets
from onward.access.values import Caller
from onward.errors import RateLimitError

__all__ = ["RateLimits"]


class RateLimits:
    """Limits by class of request, each key for itself.

    A session counts with its key. Whoever needs no key, on this machine, is not limited.

    Parameters
    ----------
    per_minute
        Requests a minute by class; None for no limit.
    timer
        Monotonic seconds.
    """

    def __init__(
        self, per_minute: Mapping[str, int | None], *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_minute = per_minute
        self._buckets = {
            name: Buckets(limit, timer=timer) for name, limit in per_minute.items() if limit is not None
        }

    def charge(self, caller: Caller, name: str) -> None:
        """Count a request.

        Raises
        ------
        RateLimitError
            When the minute's worth is spent; it says when the next one may come.
        """
        buckets = self._buckets.get(name)
        if buckets is None or not caller.id:
            return
        seconds = buckets.take(caller.id)
        if seconds:
            raise RateLimitError(
                "too many requests with this key",
                got=f"more than {self._per_minute[name]:,} a minute",
                allowed=f"server.limit_{name}_per_minute",
                remedy=f"Send the next one in {seconds:.3g} s.",
                retry_after=seconds,
            )
