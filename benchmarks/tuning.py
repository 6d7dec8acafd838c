"""Tuning LightGBM: trials a minute, beside Optuna + scikit-learn's ``cross_val_score`` in the same run.

Both sides tune the same model (`LightGBMModel`) on the same rows, purged folds, classes, parameters
and ranges, by the mean log-loss skill of the folds, with the same sampler and seed, and two threads:

- *cross_val_score*: what one writes with the libraries: an objective that makes the model and has
  scikit-learn fit and score it on every fold; no pruning;
- *search*: Onward's `Search`: rows of a fold cut and binned once, on its own training rows; trials
  that fall behind the best over the same folds are stopped after a fold (``racing``, the default).

The best trial of each side is then scored anew, on the same folds with other seeds of the model;
the standard error is that of the folds' differences. CPU seconds of all threads are compared too,
so that neighbours tilt nothing.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks._table import Row, render
from onward.evaluation.metrics import measure
from onward.features.pipeline import FeaturePipeline
from onward.models import LightGBMModel
from onward.splits import PurgedKFold
from onward.testing.markets import planted_signal
from onward.training.assembly import make_trainer
from onward.training.optimization import Space, StudyKeeper
from onward.training.optimization.bench import Bench
from onward.training.optimization.search import Search, best_of
from onward.training.plan import TrainingPlan
from onward.training.trainer import BaseTrainer
from onward.types import FloatArray, IntArray, Labels, Market, ProgressEvent

N_COLUMNS = 200
N_THREADS = 2
SPACE: dict[str, Any] = {
    "model.num_leaves": {"low": 2, "high": 16, "log": True},
    "model.learning_rate": {"low": 0.01, "high": 0.1, "log": True},
    "model.min_leaf_fraction": {"low": 0.02, "high": 0.2, "log": True},
    "model.feature_fraction": {"low": 0.2, "high": 1.0},
    "model.lambda_l2": {"low": 1.0, "high": 100.0, "log": True},
}
FOLDS = 5


@dataclass(frozen=True)
class Generated:
    """A stage of columns with planted signal and noise: the driver, distorted, and random walks."""

    n_columns: int = N_COLUMNS
    name: str = "generated"
    scope: str = "symbol"
    lookback: int = 1

    def columns(self) -> tuple[str, ...]:
        """Return the names."""
        return tuple(f"generated__{j}" for j in range(self.n_columns))

    def compute(self, market: Market) -> pd.DataFrame:
        """Return the columns."""
        generator = np.random.default_rng(7)
        driver = market.series["driver"].frame["driver"].to_numpy()
        noise = generator.normal(size=(len(market), self.n_columns))
        noise[:, :10] += np.outer(driver, np.linspace(1.0, 0.1, 10))
        return pd.DataFrame(noise, index=market.bars.index, columns=list(self.columns()))


def run(quick: bool = False) -> list[Row]:
    n_rows, n_trials = (6_000, 12) if quick else (20_000, 40)
    market = planted_signal(n_rows, seed=3)
    plan = TrainingPlan().with_overrides(
        {
            "selection.enabled": False,
            "training.n_threads": N_THREADS,
            "optimization.trials": n_trials,
            "optimization.inner_splits": FOLDS,
            "optimization.space": SPACE,
        }
    )
    own_seconds, own_cpu, chosen, n_fits = _search(plan, market)
    bare_seconds, bare_cpu, best = _cross_val(plan, market, n_trials)
    difference, error = _compare(plan, market, chosen, best)
    shape = f"{n_trials} trials x {FOLDS} purged folds on {n_rows:,} x {N_COLUMNS}, {N_THREADS} threads"
    return [
        Row(
            "trials a minute: search against cross_val_score", bare_seconds / own_seconds, "x", ">= 3", shape
        ),
        Row("the same by CPU time", bare_cpu / own_cpu, "x", "", "all threads"),
        Row("trials a minute, search", 60 * n_trials / own_seconds, "", "", f"{n_fits} fits, stopped early"),
        Row(
            "trials a minute, cross_val_score",
            60 * n_trials / bare_seconds,
            "",
            "",
            f"{n_trials * FOLDS} fits",
        ),
        Row(
            "best trial, search minus cross_val_score",
            difference / error,
            "SE",
            ">= -1",
            f"{difference:+.5f} skill",
        ),
    ]


def _make(plan: TrainingPlan, market: Market) -> BaseTrainer:
    trainer = make_trainer(plan, market)
    trainer.pipeline = FeaturePipeline([Generated()])
    return trainer


def _search(plan: TrainingPlan, market: Market) -> tuple[float, float, dict[str, Any], int]:
    space = Space.of(plan)
    bench = Bench(space, _make, market, _make(plan, market).labeler)
    bench.trial({})
    search = Search("tuning", plan.optimization, bench, np.ones(len(market), dtype=np.bool_), 0)
    wall, cpu = time.perf_counter(), time.process_time()
    records = search.run(StudyKeeper().open("tuning"), _silent)
    spent = time.perf_counter() - wall, time.process_time() - cpu
    return *spent, dict(best_of(records).parameters), sum(len(one.fold_scores) for one in records)


def _cross_val(plan: TrainingPlan, market: Market, n_trials: int) -> tuple[float, float, dict[str, Any]]:
    import optuna
    from sklearn.model_selection import cross_val_score

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    X, labels, folds = _table(plan, market)
    splits = [(fold.train, fold.test) for fold in folds]
    space = Space.of(plan)

    def score(model: Any, table: pd.DataFrame, y: IntArray) -> float:
        return measure(model.predict_proba(table), y, np.tile(model.prior, (len(y), 1))).log_loss_skill

    def objective(trial: optuna.Trial) -> float:
        values = {path.removeprefix("model."): value for path, value in space.draw(trial).items()}
        model = WithPrior(n_threads=N_THREADS, seed=1, **values)
        return float(cross_val_score(model, X, labels.y, cv=splits, scoring=score).mean())

    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=8)
    )
    wall, cpu = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study.optimize(objective, n_trials=n_trials)
    return time.perf_counter() - wall, time.process_time() - cpu, dict(study.best_params)


class WithPrior(LightGBMModel):
    """The model, which remembers how frequent the classes were that it learnt from."""

    def fit(self, X: Any, y: npt.NDArray[Any], sample_weight: FloatArray | None = None) -> WithPrior:
        """Fit, and count the classes."""
        self.prior = np.array([np.mean(y == c) for c in (-1, 0, 1)])
        super().fit(X, y, sample_weight)
        return self


def _table(plan: TrainingPlan, market: Market) -> tuple[pd.DataFrame, Labels, list[Any]]:
    trainer = _make(plan, market)
    labels = trainer.labeler.label(market)
    features = trainer.pipeline.compute(market)
    rows = market.index.get_indexer(labels.spans.index)
    return features.iloc[rows], labels, PurgedKFold(FOLDS).folds(labels.spans)


def _compare(
    plan: TrainingPlan, market: Market, chosen: dict[str, Any], best: dict[str, Any]
) -> tuple[float, float]:
    """Return the mean difference of skill between two trials on all folds, and its standard error."""
    X, labels, folds = _table(plan, market)

    def skills(values: dict[str, Any]) -> FloatArray:
        parameters = {path.removeprefix("model."): value for path, value in values.items()}
        found = []
        for fold in folds:
            model = WithPrior(n_threads=N_THREADS, seed=99, **parameters)
            model.fit(X.iloc[fold.train], labels.y[fold.train])
            prior = np.tile(model.prior, (len(fold.test), 1))
            said = model.predict_proba(X.iloc[fold.test])
            found.append(measure(said, labels.y[fold.test], prior).log_loss_skill)
        return np.array(found)

    gap = skills(chosen) - skills(best)
    return float(gap.mean()), float(max(gap.std(ddof=1) / np.sqrt(len(gap)), 1e-9))


def _silent(event: ProgressEvent) -> None:
    """Take no note."""


if __name__ == "__main__":
    print(render(run()))
