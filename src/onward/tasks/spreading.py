"""One job on several nodes, seen from its lead: folds and trials that helpers do.

The lead alone reports, keeps checkpoints and hands over the manifest. Helpers leave finished folds
as files in the attempt's directory (arrays, JSON, models in their library's own format) and say the
digest of what they left; trials go into the journal of the search, as those of a second process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onward.features.pipeline import FeaturePipeline
from onward.jobs.kinds import TaskContext
from onward.tasks.folds import JobFolds
from onward.training.checkpoints import FoldFiles, FoldKeeper
from onward.training.outcomes import FoldOutcome
from onward.training.plan import TrainingPlan
from onward.types import Fold, Market

if TYPE_CHECKING:
    from onward.training.optimization import StudyKeeper
    from onward.training.optimization.bench import TrainerFactory
    from onward.training.optimization.search import Search

__all__ = ["SPREAD", "SpreadFolds", "handover_of", "kept_folds", "sharing_of"]

SPREAD = "spread"
"""In the spec of a worker that is one of several (see `onward.jobs.ray.backend`)."""
VISIBLE_SECONDS = 35.0
"""How long a directory may take to show on another node: network file systems remember what was not there."""
LOOK_SECONDS = 0.1
FINAL = "final"
"""Name of the last search of a run."""


def handover_of(context: TaskContext) -> Path | None:
    """Return where helpers leave what they finish; None when a worker is alone."""
    told = context.spec.get(SPREAD)
    return None if told is None else Path(told["handover"])


def kept_folds(
    context: TaskContext,
    folds_of: Callable[[TrainingPlan, Market], list[int]],
    plan: TrainingPlan,
    market: Market,
    look: Callable[[], int],
) -> FoldKeeper:
    """Return what keeps the folds of a job, and takes those that helpers finish.

    Parameters
    ----------
    context
        Of the worker.
    folds_of
        Returns the numbers of the outer folds.
    plan, market, look
        As of `JobFolds`.
    """
    kept = JobFolds(context.shared, plan, market, look)
    handover = handover_of(context)
    if handover is None:
        return kept
    missing = [number for number in folds_of(plan, market) if not kept.has(number)]
    if len(missing) < 2:
        return kept
    context.ask("crew.call", pieces=missing)
    return SpreadFolds(context, kept, handover)


class SpreadFolds:
    """A `onward.training.checkpoints.FoldKeeper` that waits for folds which helpers are fitting.

    Helpers begin at the last fold and the trainer at the first. So it waits only when every fold
    is finished or in somebody's hands, and what a helper that was lost had in hand it fits itself.

    Parameters
    ----------
    context
        Of the worker.
    kept
        Checkpoints of the job.
    handover
        Where helpers leave folds.
    """

    def __init__(self, context: TaskContext, kept: JobFolds, handover: Path) -> None:
        self._context = context
        self._kept = kept
        self._left = FoldFiles(handover)
        self._by_helpers: set[int] = set()

    def load(self, fold: Fold, pipeline: FeaturePipeline) -> FoldOutcome | None:
        """Return what an earlier attempt kept or a helper finished; None: fit it here."""
        found = self._kept.load(fold, pipeline)
        refused = False
        while found is None:
            told: Mapping[str, Any] = self._context.ask("crew.take", piece=fold.number, refused=refused)
            if "wait" in told:
                time.sleep(float(told["wait"]))
            elif "digest" in told:
                found = self._fetched(fold, pipeline, str(told["digest"]))
                refused = found is None
                if found is not None:
                    self._by_helpers.add(fold.number)
                    self._kept.keep(found)
            else:
                return None
        return found

    def _fetched(self, fold: Fold, pipeline: FeaturePipeline, digest: str) -> FoldOutcome | None:
        deadline = time.monotonic() + VISIBLE_SECONDS
        while not self._left.has(fold.number) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        return self._left.load(fold, pipeline, digest=digest)

    def keep(self, outcome: FoldOutcome) -> None:
        """Keep a fold for a later attempt."""
        self._kept.keep(outcome)

    def figures(self, outcome: FoldOutcome) -> Mapping[str, float]:
        """Return the scores of a fold, after it was noted that they are seen."""
        return self._kept.figures(outcome)

    def finisher(self, fold: Fold) -> str:
        """Say who finished a fold that was loaded."""
        return "a helper" if fold.number in self._by_helpers else self._kept.finisher(fold)


def sharing_of(context: TaskContext) -> Callable[..., Any] | None:
    """Return what lets helpers take part in searches; None when a worker is alone."""
    return None if handover_of(context) is None else SharedSearches(context)


class SharedSearches:
    """Puts searches up for helpers, one after the other (a ``together`` of the coordinator)."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context
        self._number = 0

    @contextmanager
    def __call__(
        self,
        search: Search,
        make_trainer: TrainerFactory,
        keeper: StudyKeeper,
        name: str,
        seconds: float | None,
    ) -> Iterator[None]:
        """Let helpers draw trials of a search for as long as the block lasts, and wait for their last."""
        import tempfile

        from onward.training.optimization.errand import Errand

        if not self._number:
            self._context.ask("crew.call")
        self._number += 1
        with tempfile.TemporaryDirectory(prefix="crew-", dir=keeper.directory) as scratch:
            errand = Errand.write(Path(scratch), search, make_trainer, keeper, name, seconds)
            self._context.ask("crew.errand", number=self._number, errand=errand.to_json())
            try:
                yield
            finally:
                while self._context.ask("crew.withdraw", number=self._number):
                    time.sleep(LOOK_SECONDS)
        if name == FINAL:
            self._context.ask("crew.dismiss")
