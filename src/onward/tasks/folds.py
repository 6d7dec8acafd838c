"""Outer folds of a training job: kept between attempts, and their scores told as they come."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from onward._version import __version__
from onward.evaluation.metrics import measure
from onward.features.pipeline import FeaturePipeline
from onward.training.checkpoints import FoldFiles
from onward.training.outcomes import FoldOutcome
from onward.training.plan import TrainingPlan
from onward.types import Fold, Market

__all__ = ["JobFolds", "checkpoint_key"]

TOLD = ("direction_auc", "range_auc", "log_loss_skill")
"""Scores that are told of each fold."""


class JobFolds:
    """A `onward.training.checkpoints.FoldKeeper` in the directory that attempts of a job share.

    Whoever sees the score of a fold has looked at outer scores. So the look is written down
    before the first one is told: a run that is stopped because its first folds look bad counts
    as a trial like every other.

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
        self._files = FoldFiles(directory / "folds" / checkpoint_key(plan, market))
        self._look = look
        self._looked = False

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
        if not self._looked:
            self._look()
            self._looked = True
        prior = np.tile(outcome.prior, (len(outcome.y), 1))
        scores = vars(measure(outcome.probability, outcome.y, prior))
        return {name: round(scores[name], 6) for name in TOLD if not math.isnan(scores[name])}


def checkpoint_key(plan: TrainingPlan, market: Market) -> str:
    """Return the name under which folds are kept: another plan, market or version has another."""
    said = f"folds-v1|{plan.content_hash}|{market.content_hash}|{__version__}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]
