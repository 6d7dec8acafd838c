"""What training through `SingleModelTrainer` costs beyond its LightGBM fits.

Both sides make the same five fits and the same predictions, bit for bit, of the default plan on
the bundled bars, on the columns that each fold's selector chose, with the same threads:

- *direct*: float32 matrices, class codes and weights lie ready in memory; ``lightgbm.Dataset``,
  ``lightgbm.train``, ``predict``, nothing else;
- *harness*: starts from the feature matrix of all bars and the fold's positions, and goes through
  `BaseTrainer.fit_folds` and `pool`: labels fitted on the training rows, weights, row slicing, the
  pipeline's fitted stage, checks, predictions, naive rules, pooling.

Computing features and choosing columns are excluded from both and shown in rows of their own.
The sides take turns; CPU seconds of all threads are compared, so that neighbours tilt nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

import onward
from benchmarks._clock import best_of, cpu_of
from benchmarks._table import Row
from onward.features.pipeline import FeaturePipeline
from onward.models.weighting import balanced_weights
from onward.training.assembly import make_trainer
from onward.training.dataset import Dataset, label_spans, prepare
from onward.training.trainer import BaseTrainer, FoldOutcome, pool
from onward.types import Fold


@dataclass(frozen=True, eq=False)
class ReadyFold:
    """Everything a direct fit needs, in the form in which LightGBM takes it."""

    parameters: dict[str, Any]
    rounds: int
    learnt: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    scored: npt.NDArray[np.float32]

    def fit_predict(self) -> npt.NDArray[np.float64]:
        """Fit on the training rows and predict the test rows, as the library's users do."""
        import lightgbm

        data = lightgbm.Dataset(self.learnt, self.codes, weight=self.weight, params=self.parameters)
        booster = lightgbm.train(self.parameters, data, num_boost_round=self.rounds)
        return np.asarray(booster.predict(self.scored, num_threads=self.parameters["num_threads"]))


class ChosenColumns:
    """A fitted stage that knows which columns each fold's selector chose, told apart by seed."""

    name = "chosen"

    def __init__(self, by_seed: dict[int, tuple[str, ...]]) -> None:
        self._by_seed = by_seed
        self.columns: list[str] = []

    def fit(self, X: pd.DataFrame, y: Any, *, spans: Any, weight: Any = None, seed: int = 0) -> Self:  # noqa: ARG002
        """Remember the columns of the fold with this seed."""
        self.columns = list(self._by_seed[seed])
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return those columns."""
        return X[self.columns]

    def to_json(self) -> dict[str, Any]:
        """Return the columns."""
        return {"columns": self.columns}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        """Never asked for: nothing here is saved."""
        raise NotImplementedError(state)


def run(quick: bool = False) -> list[Row]:
    market, plan = onward.sample_market(), onward.TrainingPlan()
    trainer = make_trainer(plan, market)
    spans = label_spans(market, trainer.labeler)
    folds = trainer.splitter.folds(spans)
    features = best_of(lambda: trainer.pipeline.compute(market), 3)
    dataset = prepare(market, trainer.pipeline, spans)
    outcomes = trainer.fit_folds(dataset, folds, _silent)
    selection = _selection_seconds(trainer, dataset, folds[0])
    ready = [_ready(trainer, dataset, outcome) for outcome in outcomes]
    chosen = {trainer.seed + 1 + o.fold.number: o.predictor.fitted.output_columns for o in outcomes}
    trainer.pipeline = FeaturePipeline(trainer.pipeline.causal, [ChosenColumns(chosen)])

    def direct() -> list[npt.NDArray[np.float64]]:
        return [fold.fit_predict() for fold in ready]

    def harness() -> list[npt.NDArray[np.float64]]:
        again = trainer.fit_folds(dataset, folds, _silent)
        pool(spans, again)
        return [outcome.probability for outcome in again]

    for one, other in zip(direct(), harness(), strict=True):
        if not np.array_equal(one, other):
            raise RuntimeError("the two sides do not make the same fits")
    bare, full = _in_turns(direct, harness, 4 if quick else 12)
    shape = f"{len(folds)} fits on {len(ready[0].codes):,} rows x {ready[0].learnt.shape[1]} columns"
    same = f"{shape}, {ready[0].rounds} rounds, {ready[0].parameters['num_threads']} thread; CPU time"
    return [
        Row("harness overhead", full / bare, "x", "<= 1.15", "CPU time, sides in turns, equal predictions"),
        Row("the fits and predictions, directly", bare, "s", "", same),
        Row("the same through SingleModelTrainer", full, "s", "", "labels, slicing, rules, pooling included"),
        Row("features before them", features, "s", "", f"{len(dataset.features.columns)} columns, warm"),
        Row("selection, each fold", selection, "s", "", "wall-clock, excluded from both sides"),
    ]


def _in_turns(one: Callable[[], object], other: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the least CPU seconds of each of two functions that take turns."""
    costs = [(cpu_of(one), cpu_of(other)) for _ in range(rounds)]
    return min(c[0] for c in costs), min(c[1] for c in costs)


def _selection_seconds(trainer: BaseTrainer, dataset: Dataset, fold: Fold) -> float:
    labels = trainer.labeler.fit(dataset.market, fold.train).label(dataset.market)
    X, y, spans = dataset.matrix(fold.train), labels.y[fold.train], dataset.spans.take(fold.train)
    return best_of(lambda: trainer.pipeline.fit(X, y, spans=spans, seed=1), 3)


def _ready(trainer: BaseTrainer, dataset: Dataset, outcome: FoldOutcome) -> ReadyFold:
    """Return what the model of a finished fold was fitted on."""
    fold, model = outcome.fold, outcome.predictor.model
    labels = trainer.labeler.fit(dataset.market, fold.train).label(dataset.market)
    columns = list(outcome.predictor.fitted.output_columns)
    learnt = np.ascontiguousarray(dataset.matrix(fold.train)[columns], np.float32)
    scored = np.ascontiguousarray(dataset.matrix(fold.test)[columns], np.float32)
    codes, weight = labels.y[fold.train].astype(np.int64) + 1, labels.weight[fold.train]
    return ReadyFold(
        parameters=model.native_parameters(*learnt.shape),
        rounds=model.n_rounds,
        learnt=learnt,
        codes=codes,
        weight=balanced_weights(codes, weight / weight.mean(), directions=True, class_weight="none"),
        scored=scored,
    )


def _silent(event: object) -> None:
    """Take no note."""
