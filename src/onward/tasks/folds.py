"""Outer folds of a training job: kept between attempts, and their scores told as they come."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from onward._version import __version__
from onward.features.pipeline import FeaturePipeline
from onward.training.checkpoints import FoldFiles
from onward.training.figures import CountedFigures
from onward.training.outcomes import FoldOutcome
from onward.training.plan import TrainingPlan
from onward.types import Fold, Market

__all__ = ["JobFolds", "checkpoint_key"]


class JobFolds:
    """A `onward.training.checkpoints.FoldKeeper` in the directory that attempts of a job share.

    Parameters
    ----------
    directory
        Shared by the attempts.
    plan, market
        What the folds belong to.
    look
        Notes that outer scores are about to be seen.
    """

    def __init__(self, directory: Path, plan: TrainingPlan, market: Market, look: Callable[[], int]) -> None:
        self._files = FoldFiles(directory / "folds" / checkpoint_key(plan.content_hash, market.content_hash))
        self._figures = CountedFigures(look)

    def has(self, number: int) -> bool:
        """Return whether an earlier attempt kept the fold with a number."""
        return self._files.has(number)

    def load(self, fold: Fold, pipeline: FeaturePipeline) -> FoldOutcome | None:
        """Return what an earlier attempt kept."""
        return self._files.load(fold, pipeline)

    def keep(self, outcome: FoldOutcome) -> None:
        """Keep a fold for a later attempt."""
        self._files.keep(outcome)

    def finisher(self, fold: Fold) -> str:
        """Name who keeps folds for this attempt."""
        return self._files.finisher(fold)

    def figures(self, outcome: FoldOutcome) -> Mapping[str, float]:
        """Return the scores of a fold, after it was noted that they are seen."""
        return self._figures(outcome)


def checkpoint_key(plan_hash: str, data_hash: str) -> str:
    """Return the name under which work is kept: another plan, market or version has another."""
    said = f"folds-v1|{plan_hash}|{data_hash}|{__version__}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]
