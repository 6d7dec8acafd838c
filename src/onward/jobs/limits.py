"""The limits of an attempt: its time, its silence, its memory.

Whoever suspends a worker must not blame it for standing still: the time for which its own fence held
an attempt counts neither as run time nor as silence. Its warden says when it does so and for how long,
so this is as right when the database is away as when the server was suspended, and it does not need
the clock of the worker's host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from onward.config.jobs import JobConfig
from onward.jobs.values import JobRequest, Reason

__all__ = ["SUSPENDED", "Clocks", "Limits", "overstepped"]


@dataclass(frozen=True)
class Clocks:
    """From when on the time of an attempt counts.

    Attributes
    ----------
    began
        Monotonic second at which the worker began, later by all the time for which it was suspended.
    heard
        Of its last sign of life, likewise.
    suspended
        Whether its fence holds it now.
    """

    began: float
    heard: float
    suspended: bool = False

    def after(self, message: Mapping[str, Any], now: float) -> Clocks:
        """Return the clocks after a message that was read at this monotonic second.

        Parameters
        ----------
        message
            Of the worker's or its warden's (`onward.jobs.messages`). Only what lay between a clock's
            beginning and now is taken from it, so neither ever lies ahead.
        """
        if message["type"] == "suspended":
            return replace(self, suspended=True)
        if message["type"] == "resumed":
            seconds = max(0.0, float(message["seconds"]))
            return Clocks(min(now, self.began + seconds), min(now, self.heard + seconds))
        return replace(self, heard=now)


def overstepped(
    clocks: Clocks, until: float, *, timeout_seconds: float | None, stall_seconds: float | None
) -> Reason | None:
    """Return which limit of time an attempt has overstepped; None while it has not.

    Parameters
    ----------
    clocks
        With everything taken in that had come until then.
    until
        Monotonic second up to which messages were looked for: later nobody knows.
    timeout_seconds, stall_seconds
        None: unlimited.
    """
    if clocks.suspended:
        return None
    if timeout_seconds is not None and until - clocks.began > timeout_seconds:
        return "timeout"
    if stall_seconds is not None and until - clocks.heard > stall_seconds:
        return "stalled"
    return None


class Limits:
    """Holds one attempt to its limits.

    Parameters
    ----------
    request
        With its time and memory.
    config
        With its silence, and how often memory is looked at.
    now
        Monotonic second at which the worker began.
    """

    def __init__(self, request: JobRequest, config: JobConfig, now: float) -> None:
        self._request = request
        self._config = config
        self._sampled = now
        self.clocks = Clocks(now, now)

    def hear(self, message: Mapping[str, Any], now: float) -> None:
        """Take a message in."""
        self.clocks = self.clocks.after(message, now)

    def broken(self, until: float, memory_bytes: Callable[[], int]) -> Reason | None:
        """Return which limit is overstepped; None while all are kept.

        Parameters
        ----------
        until
            Monotonic second before messages were last looked for.
        memory_bytes
            Measures what the attempt holds; called now and then.
        """
        reason = overstepped(
            self.clocks,
            until,
            timeout_seconds=self._request.timeout_seconds,
            stall_seconds=self._config.stall_seconds,
        )
        limit = self._request.memory_limit_mb
        if (
            reason is None
            and limit is not None
            and until - self._sampled >= self._config.memory_sample_seconds
        ):
            self._sampled = until
            if memory_bytes() > limit * 1_000_000:
                return "oom"
        return reason


SUSPENDED = (
    "Suspended for {:.1f} s, while this server could not renew its hold on the job. That time counts "
    "towards no limit."
)
