"""What the end of a worker means for its job, as a plain decision."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from onward.jobs.protocol import Ending
from onward.jobs.values import Outcome, Reason

__all__ = ["Conclusion", "Observed", "conclude", "unborn"]

CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS}
)
"""Signals that a program brings on itself; it would do so again. Others come from outside."""

SAID = {
    "oom": "The job used more memory than there was for it",
    "timeout": "The job ran out of time",
    "stalled": "The job gave no sign of life any more",
}
REMEDY = {
    "oom": "Give it more memory (jobs.memory_limit_mb), or fewer bars, features or processes.",
    "timeout": "Give it more time (jobs.timeout_seconds), or less to do.",
    "stalled": "See its log; raise jobs.stall_seconds when its work has long silent parts.",
}


@dataclass(frozen=True)
class Observed:
    """What a supervisor saw of an attempt.

    Attributes
    ----------
    manifest
        Of the regular end; None without one.
    error
        The worker's ``error`` message, None without one.
    ending
        How the leader ended; None when that could not be learnt.
    stop_requested
        A person asked for a stop.
    stopped_for
        Why the supervisor ended it, if it did.
    shutting_down
        The server is being shut down and ended it for that.
    log
        Last lines of the log.
    """

    manifest: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    ending: Ending | None = None
    stop_requested: bool = False
    stopped_for: Reason | None = None
    shutting_down: bool = False
    log: str = ""


@dataclass(frozen=True)
class Conclusion:
    """What is to be done: finish with an outcome, publish first, or give the job back.

    Attributes
    ----------
    step
        ``publish`` (the manifest, then succeed), ``finish`` (with ``outcome``), ``release`` (the
        attempt is lost), ``return`` (the server shuts down; the attempt does not count).
    outcome
        For ``finish``.
    """

    step: Literal["publish", "finish", "release", "return"]
    outcome: Outcome | None = None


def conclude(seen: Observed) -> Conclusion:
    """Return what the end of an attempt means.

    A stop that came before the regular end wins; a regular end wins over everything that came
    after it. An exception of the task is final; a death from outside is not, unless attempts run
    out.
    """
    if seen.stop_requested:
        return Conclusion("finish", Outcome("cancelled", error=_with_log(None, seen.log)))
    if seen.stopped_for is not None:
        return Conclusion("finish", _failed(seen.stopped_for, None, seen.log))
    if seen.manifest is not None:
        return Conclusion("publish")
    if seen.error is not None:
        reason: Reason = "oom" if seen.error.get("memory") else "error"
        return Conclusion("finish", _failed(reason, seen.error, seen.log))
    if seen.ending is not None and seen.ending.out_of_memory:
        return Conclusion("finish", _failed("oom", None, seen.log))
    if seen.shutting_down:
        return Conclusion("return")
    if seen.ending is not None and (seen.ending.exit_code is not None or seen.ending.signal in CRASHES):
        what = (
            f"The worker ended with exit code {seen.ending.exit_code} and no result"
            if seen.ending.exit_code is not None
            else f"The worker crashed in native code ({signal.Signals(seen.ending.signal or 0).name})"
        )
        error = {"error": {"error": "JobError", "what": what, "remedy": "See the job's log."}}
        return Conclusion("finish", _failed("error", error, seen.log))
    return Conclusion("release")


def unborn(message: Mapping[str, Any], log: str) -> Outcome:
    """Return the end of a job whose worker could not be started.

    Parameters
    ----------
    message
        ``error`` message that tells why, with its traceback.
    log
        Last lines of the log, if there is one.
    """
    return _failed("spawn_failed", message, log)


def _failed(reason: Reason, message: Mapping[str, Any] | None, log: str) -> Outcome:
    if message is None or reason in SAID:
        parts: dict[str, Any] = {
            "error": "JobError",
            "what": SAID.get(reason, "The job failed"),
            "remedy": REMEDY.get(reason),
        }
        if message is not None:
            parts["got"] = message["error"].get("what")
    else:
        parts = dict(message["error"])
    if message is not None and message.get("traceback"):
        parts["traceback"] = message["traceback"]
    return Outcome("failed", reason, error=_with_log(parts, log))


def _with_log(parts: dict[str, Any] | None, log: str) -> Mapping[str, Any] | None:
    if parts is None and not log:
        return None
    return {**(parts or {}), "log": log} if log else parts
