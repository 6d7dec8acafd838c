"""What the events of a job come to: stages with their times, scores, the newest lines of its log."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from onward.dashboard.views.job_trials import TrialLine, kept, trial_line

if TYPE_CHECKING:
    from onward.jobs.values import JobEvent

__all__ = ["KEPT_LINES", "Digest", "LogLine", "ScoreLine", "StageLine", "digested", "fold_number"]

KEPT_LINES = 400
"""Newest log lines that a page shows; the whole log is a file."""
FOLD = re.compile(r"^(?:fold|group) (\d+)\b")


@dataclass(frozen=True)
class StageLine:
    """A stage of the work of one attempt.

    Attributes
    ----------
    name
        As the worker tells it: ``features``, ``fold`` ...
    seconds
        Time spent in it so far; stages may take turns.
    fraction
        How far it is, 0 to 1; None when nobody knows, or when another stage is under way.
    message
        What it is at; empty when another stage is under way.
    since
        When the stretch that is under way began; None when another stage is.
    full
        Since when all of it is done; what comes after the last stage, such as a report, is none of it.
    """

    name: str
    seconds: float = 0.0
    fraction: float | None = None
    message: str = ""
    since: datetime | None = None
    full: datetime | None = None

    @property
    def under_way(self) -> bool:
        """Whether this is where the work is now."""
        return self.since is not None


@dataclass(frozen=True)
class ScoreLine:
    """Figures of something that was finished, such as a fold."""

    seq: int
    stage: str
    name: str
    values: Mapping[str, float | None]


@dataclass(frozen=True)
class LogLine:
    """A line of the log with its level."""

    level: str
    text: str


@dataclass(frozen=True)
class Digest:
    """Everything that a page shows of a job's events up to a number.

    Attributes
    ----------
    seq
        Number of the last event in it; 0 when there is none.
    attempt
        Which attempt the stages are of.
    stages
        In the order in which they began.
    last
        The stage that it entered last; empty before the first.
    lost
        Whether it waits for another attempt since the worker or server of the last one was lost.
    folds
        Scores by fold, each once: an attempt that goes on tells kept folds again.
    trials
        Each once, in the order in which they ended; of very many those that
        `onward.dashboard.views.job_trials.kept` keeps.
    others
        Scores of jobs that are neither training nor search.
    log
        Newest lines.
    """

    seq: int = 0
    attempt: int = 0
    stages: tuple[StageLine, ...] = ()
    last: str = ""
    lost: bool = False
    folds: tuple[ScoreLine, ...] = ()
    trials: tuple[TrialLine, ...] = ()
    others: tuple[ScoreLine, ...] = ()
    log: tuple[LogLine, ...] = ()


def digested(before: Digest, events: Iterable[JobEvent]) -> Digest:
    """Return what events add to what was known; events must follow those in it.

    Parameters
    ----------
    before
        What is known; an empty `Digest` at first.
    events
        In order. Times are UTC.
    """
    stages = {stage.name: stage for stage in before.stages}
    folds = {line.name: line for line in before.folds}
    trials = {(line.search, line.number): line for line in before.trials}
    others, log = list(before.others), list(before.log)
    seq, attempt, last, lost = before.seq, before.attempt, before.last, before.lost
    for event in events:
        seq = event.seq
        if event.attempt != attempt:
            attempt, stages, last = event.attempt, {}, ""
        payload = event.payload
        if event.kind in ("stage", "progress"):
            _enter(stages, payload, event.at)
            last = str(payload.get("stage") or "") or last
        elif event.kind == "state":
            lost = payload.get("state") == "queued" and payload.get("reason") == "worker_lost"
            if payload.get("state") not in ("starting", "running", "stopping"):
                _leave(stages, event.at, ended=True)
        elif event.kind == "score":
            line = _score(event)
            trial = trial_line(line.name, line.values) if line.stage == "search" else None
            if trial is not None:
                trials[trial.search, trial.number] = trial
            elif fold_number(line.name) is not None:
                folds[f"{fold_number(line.name)}"] = replace(line, name=f"{fold_number(line.name)}")
            else:
                others.append(line)
        elif event.kind in ("log", "alarm"):
            level = "error" if event.kind == "alarm" else str(payload.get("level", "info"))
            log.append(LogLine(level, str(payload.get("text") or payload.get("what") or "")))
    return Digest(
        seq=seq,
        attempt=attempt,
        stages=tuple(stages.values()),
        last=last,
        lost=lost,
        folds=tuple(sorted(folds.values(), key=lambda line: int(line.name))),
        trials=kept(tuple(trials.values())),
        others=tuple(others),
        log=tuple(log[-KEPT_LINES:]),
    )


def fold_number(name: str) -> int | None:
    """Return which fold ``fold 3 was finished by ...`` is about; None when it is about none."""
    found = FOLD.match(name)
    return None if found is None else int(found[1])


def _enter(stages: dict[str, StageLine], payload: Mapping[str, Any], at: datetime) -> None:
    name = str(payload.get("stage") or "")
    if not name:
        return
    now = stages.get(name)
    if now is None or now.since is None:
        _leave(stages, at)
        now = replace(stages.get(name, StageLine(name)), since=at)
    fraction = _number(payload.get("fraction"))
    full = (now.full or at) if fraction is not None and fraction >= 1.0 else None
    stages[name] = replace(now, fraction=fraction, message=str(payload.get("message") or ""), full=full)


def _leave(stages: dict[str, StageLine], at: datetime, *, ended: bool = False) -> None:
    for name, stage in stages.items():
        if stage.since is not None:
            until = stage.full or at if ended else at
            spent = max(0.0, (until - stage.since).total_seconds())
            stages[name] = StageLine(name, stage.seconds + spent)


def _score(event: JobEvent) -> ScoreLine:
    payload = event.payload
    values = payload.get("values")
    figures = {str(k): _number(v) for k, v in values.items()} if isinstance(values, Mapping) else {}
    return ScoreLine(event.seq, str(payload.get("stage", "")), str(payload.get("message", "")), figures)


def _number(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None
