"""What somebody should look at: jobs that failed, models whose data are old or absent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from onward.dashboard.views.data import import_address
from onward.dashboard.views.job_line import subject_of
from onward.dashboard.views.models_in_use import ModelInUse

if TYPE_CHECKING:
    from onward.jobs.values import Job

__all__ = ["MOST_FAILURES", "MOST_STALE", "Alarm", "of_failures", "of_models"]

MOST_FAILURES, MOST_STALE = 3, 5
"""Alarms of a kind that are told one by one; of more it is said how many."""


@dataclass(frozen=True)
class Alarm:
    """Something that somebody should look at.

    Attributes
    ----------
    kind
        Which sentence tells of it (``overview.alarm.<kind>``).
    subject
        Name in that sentence.
    reason
        Of a failed job.
    tone
        How bad it is.
    moment
        Since when, if that is known.
    job_id
        The job, if it is one.
    bars
        How many bars have closed since.
    series
        Symbol and timeframe of the candles that are not stored.
    of_sample
        Whether those are the bundled ones, which can be stored at once.
    """

    kind: Literal["job_failed", "stale", "no_data"]
    subject: str
    tone: Literal["fair", "bad"]
    moment: datetime | None = None
    reason: str | None = None
    job_id: str | None = None
    bars: int = 0
    series: tuple[str, str] | None = None
    of_sample: bool = False

    @property
    def address(self) -> str:
        """Where to look."""
        if self.job_id:
            return f"/jobs/{self.job_id}"
        return "/data" if self.series is None else import_address(*self.series)


def of_failures(failed: Sequence[Job]) -> tuple[Alarm, ...]:
    """Return alarms of the jobs that failed last."""
    last = sorted(failed, key=lambda job: job.finished_at or job.queued_at, reverse=True)
    return tuple(
        Alarm("job_failed", subject_of(job.request.spec), "bad", job.finished_at, job.reason, job.id)
        for job in last[:MOST_FAILURES]
    )


def of_models(models: Sequence[ModelInUse]) -> tuple[Alarm, ...]:
    """Return an alarm for each model that lacks bars, or whose bars are old."""
    found = {}
    for model in models:
        freshness = model.freshness
        if freshness.newest is None:
            series = (model.missing or model.symbols[0], model.timeframe)
            found[model.name] = Alarm("no_data", model.name, "fair", series=series, of_sample=model.of_sample)
        elif freshness.is_stale:
            found[model.name] = Alarm(
                "stale", model.name, "fair", freshness.newest, bars=freshness.bars_missed
            )
    return tuple(found.values())
