"""How long a job goes on, as it is told: of the whole job where that is known, else of its stage."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from onward.jobs.values import Job

__all__ = ["BEATS", "TimeLeft", "done_share", "silent_seconds", "time_left", "told_left"]

GRAINS = ((10.0, 1.0), (90.0, 5.0), (600.0, 30.0), (5_400.0, 60.0), (129_600.0, 600.0), (math.inf, 3_600.0))
"""Below how many seconds an estimate claims to know how many."""

BEATS = 4
"""Heartbeats that are missed before whoever works on a job counts as silent: one may be late."""


@dataclass(frozen=True)
class TimeLeft:
    """How long something goes on.

    Attributes
    ----------
    seconds
        Never negative; 0: an earlier job would have ended by now.
    of
        ``job``: until the whole job ends, going by an earlier one that did the same; ``stage``:
        until its stage ends, at the pace of that stage.
    paced
        Of a job: whether its own pace counts by now; before, it is as if it went on as the earlier one.
    """

    seconds: float
    of: Literal["job", "stage"]
    paced: bool = False

    @property
    def about(self) -> float:
        """Seconds, as exact as such an estimate can be: to half a minute above 90 seconds, and so on."""
        grain = next(grain for limit, grain in GRAINS if self.seconds < limit)
        return max(1.0, math.floor(self.seconds / grain + 0.5) * grain)


def time_left(job: Job, now: datetime | None = None) -> TimeLeft | None:
    """Return how long a job goes on; None when nobody knows, and unless it is running.

    Parameters
    ----------
    job
        With what it told last, and when.
    now
        UTC; this moment, if left out. Since it was told, what is left of the job has become less.
    """
    if job.state != "running":
        return None
    age = 0.0
    if job.progress_at is not None:
        age = max(0.0, ((now or datetime.now(UTC)) - job.progress_at).total_seconds())
    return told_left(job.progress, age)


def silent_seconds(job: Job, heartbeat_seconds: float, now: datetime | None = None) -> float | None:
    """Return for how long nothing was heard from whoever works on a job; None while that is no wonder.

    What he foretold before is worth nothing then. Goes by wall clocks, which differ a little between
    hosts: a hint for people. Who loses a job is decided by `onward.jobs.reaper.SilenceWatch`.

    Parameters
    ----------
    job
        With its last heartbeat, and what it told last.
    heartbeat_seconds
        Time between two heartbeats.
    now
        UTC; this moment, if left out.
    """
    if job.state not in ("starting", "running", "stopping") or job.heartbeat_at is None:
        return None
    heard = max(job.heartbeat_at, job.progress_at or job.heartbeat_at)
    seconds = ((now or datetime.now(UTC)) - heard).total_seconds()
    return seconds if seconds > BEATS * heartbeat_seconds else None


def done_share(progress: Mapping[str, Any]) -> float | None:
    """Return the share of the whole job that is done, 0 to 1; None where nobody knows how long it takes."""
    return _number(progress.get("job_fraction"))


def told_left(progress: Mapping[str, Any], age_seconds: float = 0.0) -> TimeLeft | None:
    """Return how long the job goes on that told this so many seconds ago."""
    whole, stage = _number(progress.get("job_eta_seconds")), _number(progress.get("eta_seconds"))
    if whole is not None:
        return TimeLeft(max(0.0, whole - age_seconds), "job", progress.get("job_paced") is True)
    return None if stage is None or stage <= 0 else TimeLeft(stage, "stage")


def _number(value: object) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None  # type: ignore[arg-type]
