"""Pressing an attempt to its end: it is told, given grace, killed, and what cannot be killed is reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from onward.errors import StorageError
from onward.jobs.logs import Logger
from onward.jobs.protocol import Attempt
from onward.jobs.settlement import Surroundings
from onward.jobs.values import Lease, Reason

__all__ = ["LOOK_SECONDS", "UNKILLABLE", "Enforcement", "Pressure", "next_step"]

LOOK_SECONDS = 0.05
"""How often a supervisor looks at its flags and limits, and whether what it killed is gone."""
FIRST_LOOK_SECONDS = 0.001
UNKILLABLE = (
    "Processes of this job remain after SIGKILL: the system cannot end them (a stuck disk or network "
    "file system?). The place is kept until they are gone."
)


@dataclass(frozen=True)
class Pressure:
    """What an attempt has been put under so far.

    Attributes
    ----------
    told
        Monotonic second at which it was told to stop; None while it was not.
    killed
        Likewise, at which it was killed last.
    alarmed
        Whether it was reported that it cannot be killed.
    """

    told: float | None = None
    killed: float | None = None
    alarmed: bool = False


def next_step(
    pressure: Pressure, now: float, *, grace_seconds: float, unkillable_seconds: float
) -> Literal["kill", "alarm"] | None:
    """Return what is due; None when it is to be waited.

    Parameters
    ----------
    pressure
        So far.
    now
        Monotonic second.
    grace_seconds
        Between being told and being killed.
    unkillable_seconds
        Between being killed and the alarm, which is raised once.
    """
    if pressure.told is None:
        return None
    if pressure.killed is None:
        return "kill" if now - pressure.told >= grace_seconds else None
    if not pressure.alarmed and now - pressure.killed >= unkillable_seconds:
        return "alarm"
    return None


class Enforcement:
    """Ends one attempt, more firmly the longer that takes.

    Parameters
    ----------
    lease
        Of the attempt.
    surroundings
        Store, settings, metrics, clock.
    log
        Bound to the job.
    tell
        Takes in a message for the events of the job, and the monotonic second.

    Attributes
    ----------
    reason
        Which limit the attempt was told to stop for; None for none.

    For the thread of the supervisor.
    """

    def __init__(
        self,
        lease: Lease,
        surroundings: Surroundings,
        log: Logger,
        tell: Callable[[Mapping[str, Any], float], None],
    ) -> None:
        self._lease = lease
        self._in = surroundings
        self._log = log
        self._tell = tell
        self._pressure = Pressure()
        self._deterred = False
        self.reason: Reason | None = None

    def hold(
        self,
        attempt: Attempt,
        now: float,
        *,
        stop_requested: bool,
        shutting_down: bool,
        broken: Callable[[], Reason | None],
    ) -> bool:
        """Tell it to stop when a person, the server or a limit wants that; once.

        Parameters
        ----------
        attempt
            What is to stop.
        now
            Monotonic second.
        stop_requested, shutting_down
            What is wanted.
        broken
            Says which limit is overstepped; asked only while nothing is wanted.

        Returns
        -------
        bool
            False: the store does not write down for this attempt that it is being stopped.
        """
        if self._pressure.told is not None:
            return True
        if stop_requested:
            return self._stop(attempt, None, now)
        if shutting_down:
            self._tell_to_stop(attempt, now)  # another server may do it again: nothing is written down
        elif (reason := broken()) is not None:
            written = self._stop(attempt, reason, now)
            if reason == "oom":
                self._kill(attempt, now)  # grace would let it grow
            return written
        return True

    def press(self, attempt: Attempt, now: float) -> None:
        """Kill what did not end when told, and raise the alarm about what cannot be killed."""
        config = self._in.config
        step = next_step(
            self._pressure,
            now,
            grace_seconds=config.grace_seconds,
            unkillable_seconds=config.unkillable_seconds,
        )
        if step == "kill":
            self._kill(attempt, now)
        elif step == "alarm":
            self._pressure = replace(self._pressure, alarmed=True)
            self._in.metrics.unkillable()
            self._log.error("unkillable", pid=attempt.identity.pid)
            self._tell({"type": "log", "level": "error", "text": UNKILLABLE}, now)

    def clear_away(self, attempt: Attempt, *, ended: bool, meanwhile: Callable[[float], None]) -> None:
        """Return when no process of the attempt is left.

        Whatever is raised on the way, by a look, a metric or the log, is no such proof: it goes on.

        Parameters
        ----------
        attempt
            What is to be gone.
        ended
            Whether its leader has ended: then whoever watches over it clears away what it left, and
            is given a moment for that.
        meanwhile
            Called now and then while something cannot be killed.
        """
        self._pressure = replace(self._pressure, told=self._pressure.told or time.monotonic())
        pause, at_once = FIRST_LOOK_SECONDS, not ended
        while True:
            with self._undeterred():
                if attempt.gone():
                    return
                if at_once:
                    at_once = False
                    self._kill(attempt, time.monotonic())
            time.sleep(pause)
            if pause >= LOOK_SECONDS:
                with self._undeterred():
                    self._insist(attempt, meanwhile)
            pause = min(LOOK_SECONDS, pause * 2)

    def _insist(self, attempt: Attempt, meanwhile: Callable[[float], None]) -> None:
        if self._pressure.killed is None:
            self._kill(attempt, time.monotonic())
            return
        try:
            attempt.kill()  # children that were just being born
        finally:
            self.press(attempt, time.monotonic())
            meanwhile(time.monotonic())  # the alarm, if it was raised

    @contextmanager
    def _undeterred(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not self._deterred:  # said once: what fails now fails again in a moment
                self._deterred = True
                with suppress(Exception):
                    self._log.error("clearing_away_failed", error=f"{type(error).__name__}: {error}")

    def _stop(self, attempt: Attempt, reason: Reason | None, now: float) -> bool:
        self.reason = reason
        config = self._in.config
        deadline = self._in.clock() + timedelta(seconds=config.grace_seconds + config.unkillable_seconds)
        self._log.info("stopping", reason=reason or "asked")
        self._tell_to_stop(attempt, now)
        try:
            return self._in.store.stopping(self._lease, reason=reason, deadline=deadline)
        except StorageError as error:
            self._log.warning("database_away", error=str(error))
            return True

    def _tell_to_stop(self, attempt: Attempt, now: float) -> None:
        self._pressure = replace(self._pressure, told=now)
        attempt.stop()

    def _kill(self, attempt: Attempt, now: float) -> None:
        """Give it no time any more."""
        self._pressure = replace(self._pressure, killed=now)
        attempt.kill()
