"""One attempt, from the claim to the proof that nothing of it is left."""

from __future__ import annotations

import shutil
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

from onward.errors import JobError, StorageError, StorageRefusedError
from onward.jobs.conclusion import Conclusion, Observed, conclude, unborn
from onward.jobs.enforcement import LOOK_SECONDS, Enforcement
from onward.jobs.inheritance import inherit
from onward.jobs.kinds import JobKind
from onward.jobs.limits import SUSPENDED, Limits
from onward.jobs.logs import tail
from onward.jobs.messages import answer_message, error_message
from onward.jobs.precedents import precedent
from onward.jobs.progress import EventBuffer
from onward.jobs.protocol import (
    Attempt,
    Ending,
    JobBackend,
    PatientBackend,
    TooLateError,
    Unplaced,
    WakeableAttempt,
)
from onward.jobs.settlement import Settlement, Surroundings
from onward.jobs.values import Job, Lease, Outcome
from onward.jobs.waiting import waited_seconds

__all__ = ["LOG_FILE", "Supervision"]

LOG_FILE = "log.txt"
"""Everything the worker's processes wrote, in the attempt's directory."""


class Supervision:
    """Carries one claimed attempt through.

    Parameters
    ----------
    job
        As claimed: state ``starting``.
    kind
        What it is.
    backend
        Where it runs.
    directory
        Of the job; attempts lie below it.
    surroundings
        Store, settings, metrics, log.
    claimed
        Monotonic second before it was claimed; now, if left out.

    `run` belongs to one thread; `ask_to_stop`, `lose` and `shut_down` may come from any.
    """

    def __init__(
        self,
        job: Job,
        kind: JobKind,
        backend: JobBackend,
        directory: Path,
        surroundings: Surroundings,
        *,
        claimed: float | None = None,
    ) -> None:
        assert job.owner is not None
        self._claimed = time.monotonic() if claimed is None else claimed
        self.job = job
        self.lease = Lease(job.id, job.owner, job.attempt, job.beat)
        self._kind = kind
        self._backend = backend
        self._directory = directory / str(job.attempt)
        self._in = surroundings
        self._log = surroundings.log.bind(job_id=job.id, kind=job.kind, attempt=job.attempt)
        recall = partial(precedent, surroundings.store, job, kind, self._log)
        self._events = EventBuffer(surroundings.config.progress_seconds, recall)
        self._stop_requested = threading.Event()
        self._lost = threading.Event()
        self._shutting_down = threading.Event()
        self._settlement = Settlement(self.lease, kind, surroundings, self._log, self._lost)
        self._manifest: Mapping[str, Any] | None = None
        self._error: Mapping[str, Any] | None = None
        self._ending: Ending | None = None
        self._enforcement = Enforcement(self.lease, surroundings, self._log, self._events.add)
        self._limits = Limits(job.request, surroundings.config, self._claimed)
        self._wake: Callable[[], None] = _sleep_on

    # -- from other threads -------------------------------------------------------------------

    def ask_to_stop(self) -> None:
        """Note that a person wants the job stopped."""
        self._stop_requested.set()
        self._wake()

    def lose(self) -> None:
        """Note that the attempt belongs to somebody else now: end it and keep nothing."""
        self._lost.set()
        self._wake()

    def shut_down(self) -> None:
        """End the attempt so that another server may do it again."""
        self._shutting_down.set()
        self._wake()

    # -- the attempt --------------------------------------------------------------------------

    def run(self) -> None:
        """Start the worker, watch over it, and write down how it ended."""
        try:
            self._run()
        except Exception as error:
            # Without this the heartbeat would renew a job that nobody watches, for ever.
            told = traceback.format_exc()
            with suppress(Exception):  # it may be the log that failed; the job says it as well
                self._log.exception("supervisor_failed")
            self._settlement.collapse(error, told)

    def _run(self) -> None:
        with ExitStack() as resources:
            resources.callback(self._tidy)
            inherit(self.job, self._directory.parent)
            attempt = self._start()
            if attempt is None:
                return
            resources.callback(attempt.close)
            if isinstance(attempt, WakeableAttempt):
                self._wake = attempt.wake
                resources.callback(lambda: setattr(self, "_wake", _sleep_on))
            try:
                if self._register(attempt):
                    self._begin(attempt)
                    self._watch(attempt)
            finally:  # whatever went wrong here: nothing is let go of that may still run
                self._clear_away(attempt)
            self._conclude()

    def _start(self) -> Attempt | None:
        try:
            (self._directory / "work").mkdir(parents=True, exist_ok=True)
            if not isinstance(self._backend, PatientBackend):
                return self._backend.start(self.job, self._directory, claimed=self._claimed)
            started = self._backend.start_unless(self.job, self._directory, self._is_unwanted)
        except TooLateError as error:
            self._log.warning("start_too_late", error=str(error))
            self._give_up_start(None)
            return None
        except (JobError, OSError) as error:
            self._log.error("spawn_failed", error=str(error))
            told = error_message(error, traceback.format_exc())
            self._settlement.end(unborn(told, tail(self._directory / LOG_FILE)))
            return None
        if started is not None and not isinstance(started, Unplaced):
            return started
        self._give_up_start(started)
        return None

    def _is_unwanted(self) -> bool:
        return self._stop_requested.is_set() or self._lost.is_set() or self._shutting_down.is_set()

    def _give_up_start(self, unplaced: Unplaced | None) -> None:
        """Write down that no worker came to be; a stop that was asked for decides also then."""
        if self._lost.is_set():
            self._in.metrics.lost()
            self._log.warning("lease_lost")
        elif self._stop_requested.is_set():
            self._settlement.end(Outcome("cancelled"))
        else:
            if unplaced is not None:
                self._log.warning("unplaced", why=unplaced.why)
                told = {"level": "warning", "text": f"{unplaced.why}. The job is queued again."}
                self._settlement.keep([("log", told)])
            self._settlement.give_back(spent=unplaced is not None and unplaced.spent)

    def _register(self, attempt: Attempt) -> bool:
        """Write down who works; False when the attempt is not ours any more."""
        while not (self._lost.is_set() or self._shutting_down.is_set()):
            try:
                if not self._in.store.started(self.lease, attempt.identity):
                    # Either somebody took the attempt, or a stop came before the worker did.
                    if self._settlement.stop_came_first():
                        self._stop_requested.set()
                    else:
                        self._lost.set()
                    return False
            except StorageRefusedError:
                raise
            except StorageError as error:
                self._log.warning("database_away", error=str(error))
                self._lost.wait(self._in.config.retry_seconds)
            else:
                return True
        return False

    def _begin(self, attempt: Attempt) -> None:
        self._settlement.began = now = time.monotonic()
        self._limits = Limits(self.job.request, self._in.config, now)
        began = self._in.clock()
        self._log.info("running", pid=attempt.identity.pid)
        attempt.begin()
        self._in.metrics.began(self.job, waited_seconds(self._in.store, self.job, began))

    def _watch(self, attempt: Attempt) -> None:
        """Hear what the worker says, and hold it to its limits, until its leader has ended."""
        while True:
            asked = time.monotonic()  # what came later may lie there unread, if this server was suspended
            self._hear(attempt, LOOK_SECONDS)
            now = time.monotonic()
            if self._lost.is_set():
                return
            self._write_events(now)
            self._enforce(attempt, asked, now)
            self._ending = attempt.ending()
            if self._ending is not None:
                while self._hear(attempt, 0.0):  # what it said last is still in the pipe
                    pass
                return

    def _hear(self, attempt: Attempt, timeout: float) -> bool:
        messages = attempt.receive(timeout)
        now = time.monotonic()
        for message in messages:
            self._limits.hear(message, now)
            if message["type"] in ("progress", "log"):
                self._events.add(message, now)
            elif message["type"] == "ask":
                self._answer(attempt, message)
            elif message["type"] in ("suspended", "resumed"):
                self._tell_of_fence(message, now)
            elif message["type"] == "result":
                self._manifest = message["manifest"]
            elif message["type"] == "error":
                self._error = message
        return bool(messages)

    def _answer(self, attempt: Attempt, message: Mapping[str, Any]) -> None:
        number = int(message["id"])
        try:
            told = {"value": self._kind.answer(self.job, message["question"], message["arguments"])}
        except Exception as error:  # the worker is told, whatever it is
            told = {"error": error_message(error, "")["error"]}
        said = answer_message(number, told)  # what another host could not take is refused here
        attempt.answer(number, {part: said[part] for part in ("value", "error") if part in said})

    def _tell_of_fence(self, message: Mapping[str, Any], now: float) -> None:
        if message["type"] == "suspended":
            self._log.warning("suspended")
            return
        seconds = float(message["seconds"])
        self._log.warning("resumed", seconds=seconds)
        self._events.add({"type": "log", "level": "warning", "text": SUSPENDED.format(seconds)}, now)

    def _write_events(self, now: float) -> None:
        if not self._events.due(now):
            return
        events = self._events.take(now)
        try:
            if not self._in.store.report(self.lease, events):
                self._heed_refusal()
        except StorageRefusedError as error:  # the work goes on: it counts more than a line of its log
            self._log.error("events_refused", error=str(error))
        except StorageError as error:
            self._log.warning("database_away", error=str(error))
            self._events.put_back(events)

    # -- ending it ----------------------------------------------------------------------------

    def _enforce(self, attempt: Attempt, asked: float, now: float) -> None:
        told = self._enforcement.hold(
            attempt,
            now,
            stop_requested=self._stop_requested.is_set(),
            shutting_down=self._shutting_down.is_set(),
            broken=lambda: self._limits.broken(asked, attempt.memory_bytes),
        )
        if not told:
            self._heed_refusal()
        self._enforcement.press(attempt, now)

    def _clear_away(self, attempt: Attempt) -> None:
        """Return when no process of the attempt is left; the place stays taken until then."""
        self._enforcement.clear_away(attempt, ended=self._ending is not None, meanwhile=self._write_events)
        if self._ending is None:
            self._ending = attempt.ending()

    # -- what came of it ----------------------------------------------------------------------

    def _conclude(self) -> None:
        if self._lost.is_set():
            self._in.metrics.lost()
            self._log.warning("lease_lost")
            return
        self._settlement.keep(self._events.take(time.monotonic()))
        conclusion = self._conclusion()
        if conclusion.step == "publish":
            assert self._manifest is not None
            self._settlement.publish(self._manifest, self._directory / "work")
        elif conclusion.step == "finish":
            assert conclusion.outcome is not None
            self._settlement.end(conclusion.outcome)
        else:
            self._settlement.give_back(spent=conclusion.step == "release")

    def _conclusion(self) -> Conclusion:
        return conclude(
            Observed(
                manifest=self._manifest,
                error=self._error,
                ending=self._ending,
                stop_requested=self._told_to_stop_by_person,
                stopped_for=self._enforcement.reason,
                shutting_down=self._shutting_down.is_set(),
                log=tail(self._directory / LOG_FILE),
            )
        )

    @property
    def _told_to_stop_by_person(self) -> bool:
        return self._stop_requested.is_set() and self._enforcement.reason is None

    def _heed_refusal(self) -> None:
        """Find out, after a fenced write answered no, whether the attempt was taken or is being stopped."""
        if not self._settlement.still_ours():
            self._lost.set()

    def _tidy(self) -> None:
        """Remove what the attempt worked with; its log stays until the job is pruned."""
        shutil.rmtree(self._directory / "work", ignore_errors=True)


def _sleep_on() -> None:
    """Wake nobody: the supervisor looks at its flags by itself soon."""
