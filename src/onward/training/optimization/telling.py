"""What a search tells while it runs: each trial once, its score and the best so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onward.protocols import Progress
from onward.training.optimization.records import trial_record
from onward.training.optimization.studies import finished
from onward.types import ProgressEvent

if TYPE_CHECKING:
    from optuna import Study

__all__ = ["STAGE", "TRIAL", "Teller"]

STAGE = "search"
TRIAL = "trial"
"""Name of the figure that says which trial it was: its number, as in every table of trials."""


class Teller:
    """Tells of trials as they come to something, those of helpers and of earlier attempts included.

    A trial that was completed has the figures ``trial``, ``inner <objective>`` and ``best inner
    <objective>`` (the best so far, it included), and the title of the search as message. One that
    was stopped early or refused has no score of its own, and its message ends on ``, pruned`` or
    ``, refused``. Inner scores may be seen; they are nobody's look at outer rows.

    Parameters
    ----------
    report
        Who is told.
    title
        Name of the search, for people.
    objective
        What trials are scored by.
    target
        How many trials there are to be.
    """

    def __init__(self, report: Progress, title: str, objective: str, target: int) -> None:
        self._report = report
        self._title = title
        self._objective = objective
        self._target = target
        self._told: set[int] = set()
        self._best: float | None = None

    def begin(self, study: Study) -> None:
        """Tell that the search begins, and of the trials that it goes on from."""
        self.news(study)
        if not self._told:
            self._report(ProgressEvent(STAGE, 0, self._target, self._title))

    def news(self, study: Study) -> None:
        """Tell of every trial that has come to something since the last time."""
        from onward.training.optimization.sampling import place_of

        for trial in finished(study):
            if trial.number in self._told:
                continue
            self._told.add(trial.number)
            record = trial_record(place_of(study, trial.number), trial)
            values: dict[str, float] = {TRIAL: record.number}
            message = self._title
            if record.state == "complete":
                self._best = record.score if self._best is None else max(self._best, record.score)
                values[f"inner {self._objective}"] = record.score
            else:
                message = f"{message}, {record.state}"
            if self._best is not None:
                values[f"best inner {self._objective}"] = self._best
            self._report(ProgressEvent(STAGE, len(self._told), self._target, message, values))
