"""From the values of a trial to a trainer, its labels and its rows; what trials share is made once."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.evaluation.backtest import BacktestSettings
from onward.labels import ThresholdLabeler, primary_signal
from onward.protocols import Labeler
from onward.splits import require_training_rows
from onward.training.dataset import Dataset, label_spans, prepare
from onward.training.optimization.inner import inner_splitter
from onward.training.optimization.questions import answered, require_inside
from onward.training.optimization.sharing import Memory, SharedDataset, share
from onward.training.optimization.space import Space
from onward.training.optimization.values import with_values
from onward.training.plan import TrainingPlan
from onward.training.trainer import BaseTrainer
from onward.types import BoolArray, FloatArray, Fold, IntArray, Market

__all__ = ["Bench", "Candidate", "TrainerFactory"]

TrainerFactory = Callable[[TrainingPlan, Market], BaseTrainer]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A trial made flesh.

    Attributes
    ----------
    plan
        The plan of a single training with the values of the trial.
    trainer
        The trainer that this plan makes.
    labeler
        Its labeler, unfitted.
    dataset
        Features and spans; positions of folds are positions into these spans.
    primary
        Of meta-labels: the primary signal of every bar, on which the classes are verdicts; None when
        they are about the price. Shape (n_bars,).
    """

    plan: TrainingPlan
    trainer: BaseTrainer
    labeler: Labeler
    dataset: Dataset
    primary: FloatArray | None = None

    @property
    def terms(self) -> BacktestSettings:
        """Terms on which its signals are traded."""
        return BacktestSettings.from_config(self.plan.evaluation, horizon_bars=self.plan.labels.horizon_bars)


class Bench:
    """Where the trials of all searches on one market are put together.

    Parameters
    ----------
    space
        What may vary.
    make_trainer
        Makes the trainer that a plan asks for.
    market
        Bars and side series.
    labeler
        The plan's labeler; an `OpenQuestion` (or what wraps one) when labels vary.
    memory
        What trials share.
    processes
        Processes that work side by side: each fit gets its part of the cores.
    """

    def __init__(
        self,
        space: Space,
        make_trainer: TrainerFactory,
        market: Market,
        labeler: Labeler,
        *,
        memory: Memory | None = None,
        processes: int = 1,
    ) -> None:
        self.space = space
        self.market = market
        self.labeler = labeler
        self.memory = memory if memory is not None else Memory()
        self._make_trainer = make_trainer
        self._processes = processes

    def candidate(self, values: dict[str, Any]) -> Candidate:
        """Return a trial's trainer, labels and rows, for fits that are looked at.

        Raises
        ------
        OnwardError
            When the values make no plan, or the plan does not fit the market.
        """
        return self._candidate(self.space.plan_with(values))

    def trial(self, values: dict[str, Any]) -> Candidate:
        """Return the same for inner folds: the trainer remembers what trials have in common."""
        plan = self.space.plan_with(values)
        if self._processes > 1 and plan.training.n_threads is None:
            threads = max(1, (os.cpu_count() or 1) // self._processes)
            plan = with_values(plan, {"training.n_threads": threads})
        candidate = self._candidate(plan)
        fitted_from = f"{plan.features.model_dump_json()}|{plan.selection.model_dump_json()}"
        share(candidate.trainer, self.memory, fitted_from)
        return candidate

    def labelled(self, values: dict[str, Any]) -> Candidate:
        """Return a trial's trainer and labels without its features, for whoever asks about folds only."""
        plan = self.space.plan_with(values)
        trainer = self._make_trainer(plan, self.market)
        labeler = answered(self.labeler, trainer.labeler)
        spans = label_spans(self.market, labeler)
        rows = np.asarray(self.market.index.get_indexer(spans.index), dtype=np.int64)
        nothing = pd.DataFrame(index=self.market.index)
        return Candidate(plan, trainer, labeler, Dataset(self.market, nothing, spans, rows))

    def inner_folds(self, candidate: Candidate, allowed: BoolArray, n_splits: int) -> tuple[Fold, ...]:
        """Cut purged inner folds from the spans of a trial's rows that the search may see.

        Parameters
        ----------
        candidate
            The trial.
        allowed
            Bars whose labels may be seen, shape (n_bars,).
        n_splits
            Number of folds.

        Returns
        -------
        Folds whose positions are positions into ``candidate.dataset.spans``.

        Raises
        ------
        SplitError
            When folds cannot be cut, or purging leaves one without training rows.
        LabelError
            When labels reach further than the spans from which outer folds were cut.
        """
        dataset = candidate.dataset
        visible = np.flatnonzero(allowed[dataset.rows]).astype(np.int64)
        if self.space.searches_labels:
            require_inside(dataset.spans, dataset.rows, self._limit(), allowed)
        folds = inner_splitter(candidate.plan, n_splits).folds(dataset.spans.take(visible))
        require_training_rows(folds)
        return tuple(Fold(fold.number, visible[fold.train], visible[fold.test]) for fold in folds)

    def _candidate(self, plan: TrainingPlan) -> Candidate:
        trainer = self._make_trainer(plan, self.market)
        labeler = answered(self.labeler, trainer.labeler)
        made_of = plan.features.model_dump_json()
        asked = plan.labels.model_dump_json()
        key = f"dataset|{made_of}|{asked}"
        dataset = self.memory.get(
            key, lambda: self._dataset(trainer, labeler, made_of), lambda made: 100 * len(made)
        )
        primary = self.memory.get(
            f"primary|{asked}",
            lambda: primary_signal(trainer.labeler.to_json(), self.market),
            lambda made: 0 if made is None else made.nbytes,
        )
        return Candidate(plan, trainer, labeler, dataset, primary)

    def _dataset(self, trainer: BaseTrainer, labeler: Labeler, made_of: str) -> Dataset:
        spans = label_spans(self.market, labeler)
        features = self.memory.get(
            f"features|{made_of}",
            lambda: prepare(self.market, trainer.pipeline, spans).features,
            lambda frame: frame.memory_usage(index=False).sum(),
        )
        rows = np.asarray(self.market.index.get_indexer(spans.index), dtype=np.int64)
        return SharedDataset.of(Dataset(self.market, features, spans, rows), self.memory, made_of)

    def _limit(self) -> IntArray:
        """Return the end of the longest possible span by bar; the last moment where it is not known."""
        bars = self.space.longest_horizon_bars

        def make() -> IntArray:
            longest = ThresholdLabeler(mode="fixed", horizon_bars=bars).spans(self.market)
            limit = np.full(len(self.market), np.iinfo(np.int64).max, dtype=np.int64)
            limit[self.market.index.get_indexer(longest.index)] = longest.end
            return limit

        return self.memory.get(f"limit|{bars}", make, lambda made: made.nbytes)
