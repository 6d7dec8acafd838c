"""Jobs and their events as lines that people read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onward.cli.output import as_cell
from onward.cli.texts import duration
from onward.jobs.remaining import TimeLeft
from onward.jobs.results import audit_failed

if TYPE_CHECKING:
    from onward.jobs.values import Job, JobEvent

__all__ = [
    "event_line",
    "job_words",
    "learns_from",
    "ran",
    "requeued",
    "result_lines",
    "silence",
    "standing",
    "state_words",
    "work_done",
]

RESULTS = ("model", "alias", "report", "written", "run", "rows", "columns", "passed")
"""Fields of results that are shown, of those that there are."""
MOST_SYMBOLS = 12
"""Symbols that are named; of more it is said how many."""
PATHS = frozenset({"report", "written"})


def event_line(event: JobEvent) -> str | None:
    """Return an event as a line; None when it is shown otherwise (stage and progress)."""
    said = _said(event)
    return None if said is None else f"{event.at:%H:%M:%S}  {said}"


def state_words(state: str, reason: str | None, attempt: int) -> str:
    """Return a state with why, and the attempt from the second on."""
    words = state if reason is None else f"{state} ({reason})"
    return f"{words}, attempt {attempt}" if attempt > 1 and state in ("starting", "running") else words


def job_words(job: Job) -> str:
    """Return the state of a job; of one that succeeded also that its leak audit did not pass."""
    words = state_words(job.state, job.reason, job.attempt)
    return f"{words}, but the leak audit failed" if audit_failed(job) else words


def learns_from(job: Job) -> str | None:
    """Return the symbols and timeframe that a job learns from; None for one that trains nothing."""
    market = job.request.spec.get("market")
    if not isinstance(market, Mapping):
        return None
    symbols = market["symbols"]
    more = f" and {len(symbols) - MOST_SYMBOLS} more" if len(symbols) > MOST_SYMBOLS else ""
    return f"{', '.join(symbols[:MOST_SYMBOLS])}{more}, {market['timeframe']}"


def requeued(job: Job, events: Iterable[JobEvent]) -> str | None:
    """Return why a job waits once more; None when it does not.

    Parameters
    ----------
    job
        As it stands.
    events
        Of the job, in order; the last one about its state tells.
    """
    if job.state != "queued" or not job.attempt:
        return None
    states = [event.payload for event in events if event.kind == "state"]
    lost = bool(states) and states[-1].get("reason") == "worker_lost"
    why = "the worker or server of the last one was lost" if lost else "the server of the last gave it back"
    return f"attempt {job.attempt + 1} of {job.request.max_attempts} is to come: {why}"


def silence(seconds: float, lease_seconds: float) -> str:
    """Return that nothing was heard from a job's server, and what becomes of it."""
    told, limit = duration(seconds), duration(lease_seconds)
    return f"its server has been silent for {told}; another takes over after {limit}"


def work_done(progress: Mapping[str, Any], left: TimeLeft | None = None, *, brief: bool = False) -> str:
    """Return how far the work has come: ``fold 2/5; about 3 min left``.

    Parameters
    ----------
    progress
        What was told; the words are empty when that is nothing.
    left
        From `onward.jobs.remaining`; of a stage alone it reads ``about 12 s left in this stage``.
    brief
        Without what an estimate goes by.
    """
    stage = progress.get("stage")
    if not stage:
        return ""
    done, total = progress.get("done") or 0.0, progress.get("total") or 0.0
    if total and float(total).is_integer() and float(done).is_integer():
        amount = f"{done:g}/{total:g}"
    elif progress.get("fraction") is not None:
        amount = f"{progress['fraction']:.0%}"
    else:
        amount = f"{done:g}" if done else ""
    words = f"{stage} {amount}".strip()
    return words if left is None else f"{words}; {_left(left, brief=brief)}"


def ran(job: Job, now: datetime | None = None) -> float | None:
    """Return for how many seconds the last attempt has run; None when none has begun."""
    if job.started_at is None:
        return None
    end = job.finished_at or now or datetime.now(UTC)
    return max(0.0, (end - job.started_at).total_seconds())


def standing(job: Job) -> str:
    """Return in one line what a job is and where it stands."""
    words = f"{job.kind} {job.id}: {job_words(job)}"
    seconds = ran(job)
    if seconds is None or job.state == "queued":
        return words
    return f"{words} {'after' if job.finished_at else 'for'} {duration(seconds)}"


def result_lines(result: Mapping[str, Any], home: Path) -> Iterator[str]:
    """Give what a job came to, as far as it fits on a few lines.

    Parameters
    ----------
    result
        Of the job.
    home
        What relative paths in it are relative to.
    """
    for name in RESULTS:
        if result.get(name) is not None:
            value = home / str(result[name]) if name in PATHS else result[name]
            yield f"{name}: {as_cell(value)}"
    for verdict in (result.get("verdict") or {}).values():
        if isinstance(verdict, Mapping) and verdict.get("sentence"):
            yield str(verdict["sentence"])
    certificate = result.get("certificate")
    if isinstance(certificate, Mapping) and certificate.get("status"):
        yield f"leak audit: {str(certificate['status']).replace('_', ' ')}"
    for warning in result.get("warnings") or ():
        yield f"warning: {warning}"


def _left(left: TimeLeft, *, brief: bool) -> str:
    if left.of == "stage":
        return f"about {duration(left.about)} left in this stage"
    words = f"about {duration(left.about)} left" if left.seconds > 0 else "any moment now"
    return words if brief or left.paced else f"{words}, if as busy as in the run before"


def _said(event: JobEvent) -> str | None:
    payload = event.payload
    if event.kind == "state":
        return state_words(str(payload["state"]), payload.get("reason"), event.attempt)
    if event.kind == "score":
        stage, message = str(payload.get("stage", "")), str(payload.get("message", ""))
        where = message if not stage or message.startswith(stage) else f"{stage} {message}".strip()
        figures = ", ".join(f"{name} {as_cell(value)}" for name, value in payload["values"].items())
        return f"{where}: {figures}"
    if event.kind == "log":
        level, text = payload.get("level", "info"), str(payload.get("text", ""))
        return text if level == "info" else f"{level}: {text}"
    if event.kind in ("progress", "stage"):
        return None
    return f"{event.kind}: {as_cell(payload)}"
