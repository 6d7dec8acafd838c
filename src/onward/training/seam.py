"""What whoever carries out a training asks of a trainer, whether it learns once or searches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from onward.features.pipeline import FeaturePipeline
from onward.protocols import Labeler, Progress, Splitter
from onward.training.dataset import Dataset
from onward.training.outcomes import FoldOutcome, Training
from onward.types import Fold, Market, Spans

__all__ = ["Trainer"]


class Trainer(Protocol):
    """A `BaseTrainer`, or an `OptimizationCoordinator` around one."""

    @property
    def pipeline(self) -> FeaturePipeline:
        """Causal stages, and templates of the fitted ones."""

    @property
    def labeler(self) -> Labeler:
        """What is predicted."""

    @property
    def splitter(self) -> Splitter:
        """How rows are cut into outer folds."""

    def train(
        self, market: Market, *, looks: Callable[[], int] = ..., progress: Progress | None = None
    ) -> Training:
        """Train on a market and judge what was learnt."""

    def cut(self, market: Market) -> tuple[Spans, Sequence[Fold]]:
        """Return spans and outer folds, after every check that needs no feature."""

    def fit_fold(self, dataset: Dataset, labeler: Labeler, fold: Fold) -> FoldOutcome:
        """Learn from the training rows of an outer fold, and predict its test rows."""
