"""How far the computation of a matrix has come, counted in estimated work instead of columns.

Columns differ a hundredfold in what they cost. A bar that counts them would rush through the cheap
ones and then stand still; one that counts estimated seconds keeps its pace, and so the time left
that is read off it is honest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import fsum

from onward.features.description import FeatureInfo
from onward.features.stage_output import ColumnsDone
from onward.protocols import Progress
from onward.types import ProgressEvent

__all__ = ["READING_MICROSECONDS", "UNKNOWN_MICROSECONDS", "WorkProgress"]

READING_MICROSECONDS = 0.004
"""A row of a column that the cache holds: the check of its digest and the copy."""

UNKNOWN_MICROSECONDS = 0.1
"""A row of a column whose cost nobody measured, for the bar alone: a few rolling statistics of pandas."""


class WorkProgress:
    """Reports how far a matrix has come in estimated seconds, stage by stage.

    Stages that the cache holds count with what reading takes, so that they neither hold the bar up
    nor make it believe that the others will be as fast.

    Parameters
    ----------
    progress
        Who is told; None for nobody.
    stages
        The features of each stage, by name, in the order in which they run.
    n_rows
        Rows of the matrix.
    held
        Names of the stages that the cache seems to hold.
    """

    def __init__(
        self,
        progress: Progress | None,
        stages: Mapping[str, Sequence[FeatureInfo]],
        n_rows: int,
        held: Iterable[str] = (),
    ) -> None:
        self._progress = progress
        self._n_rows = max(n_rows, 1)
        self._features = stages
        self._n_columns = sum(len(features) for features in stages.values())
        self._finished: dict[str, float] = {}
        self._n_finished = 0
        held = frozenset(held)
        self._costs = {name: self._cumulated(name, reading=name in held) for name in stages}
        if progress is not None and self._n_columns:
            progress(ProgressEvent("features", 0.0, self._total, f"0 of {self._n_columns} columns"))

    def computing(self, stage: str) -> ColumnsDone:
        """Note that a stage is computed, and return what it tells of its columns."""
        self._costs[stage] = self._cumulated(stage, reading=False)

        def done(n_columns: int, what: str) -> None:
            # All of them is for `finish` to say, once they have been checked.
            if 0 <= n_columns < len(self._features[stage]):
                self._tell(stage, n_columns, what)

        return done

    def finish(self, stage: str, *, computed: bool) -> None:
        """Note that all columns of a stage are there, computed here or read."""
        if not computed:
            self._costs[stage] = self._cumulated(stage, reading=True)
        n_columns = len(self._features[stage])
        self._tell(stage, n_columns, "" if computed else "from the cache")
        self._finished[stage] = self._costs[stage][-1]
        self._n_finished += n_columns

    @property
    def _total(self) -> float:
        return fsum(costs[-1] for costs in self._costs.values())

    def _tell(self, stage: str, n_columns: int, what: str) -> None:
        if self._progress is None:
            return
        done = fsum([*self._finished.values(), self._costs[stage][n_columns]])
        message = f"{stage}: {what}" if what and not what.startswith(stage) else what or stage
        columns = f"{self._n_finished + n_columns} of {self._n_columns} columns"
        self._progress(ProgressEvent("features", done, self._total, f"{message}, {columns}"))

    def _cumulated(self, stage: str, *, reading: bool) -> list[float]:
        """Return the estimated seconds after 0, 1, 2 ... columns of a stage."""
        each = (_microseconds(feature, reading=reading) for feature in self._features[stage])
        return [total * self._n_rows / 1e6 for total in accumulate(each, initial=0.0)]


def _microseconds(feature: FeatureInfo, *, reading: bool) -> float:
    if reading:
        return READING_MICROSECONDS
    if feature.microseconds is None:
        return UNKNOWN_MICROSECONDS
    return max(feature.microseconds, READING_MICROSECONDS)
