"""What a retraining schedule costs beyond its LightGBM fits: 53 retrains of 63 features.

The load is that of FreqAI's usual use: 20,000 hourly bars, a window of 90 days, a retrain every
14 days, 100 trees at LightGBM's own defaults, at most 2 threads.

- *bare fits*: float32 matrices, class codes and weights lie ready in memory; ``lightgbm.Dataset``
  and ``lightgbm.train``, nothing else, not even predictions;
- *the loop*: `BaseTrainer.fit_folds` and `pool`: labels, weights, purged row slicing, checks,
  fits, predictions of every scored row, naive rules;
- *the command*: ``onward train`` in a fresh process, from reading the file to the written report, the
  certificate and the explanations of five folds included; and the same without these two, which is
  what FreqAI does.

Bare fits and loop take turns; CPU seconds of all threads are compared, so that neighbours tilt
nothing, and wall-clock is shown beside them. The fits are checked to be equal, tree for tree.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._process import Finished, onward_command, run_command
from benchmarks._table import Row
from onward.models.weighting import balanced_weights
from onward.testing.markets import random_walk
from onward.training.assembly import make_trainer
from onward.training.dataset import Dataset, label_spans, prepare
from onward.training.outcomes import FoldOutcome, pool
from onward.training.plan import TrainingPlan
from onward.training.trainer import BaseTrainer
from onward.types import Market

BARS = 20_000
PLAN = """
[features]
stages = ["manual"]
[features.manual]
families = ["price", "returns"]     # 63 columns
[selection]
enabled = false
[validation]
method = "walk_forward"
window = "90d"
step = "14d"
[model]                             # LightGBM's own defaults
n_rounds = 100
num_leaves = 31
learning_rate = 0.1
bagging_fraction = 1.0
feature_fraction = 1.0
min_leaf_fraction = 0.0093          # 20 of 2,160 rows
lambda_l2 = 0.0
extra_trees = false
[training]
n_threads = 2
"""

UNEXPLAINED = [
    part for name in ("importance", "drift", "adversarial") for part in ("--set", f"evaluation.{name}=false")
]


@dataclass(frozen=True, eq=False)
class BareFit:
    """What LightGBM needs for one retrain, in the form in which it takes it."""

    parameters: dict[str, Any]
    rounds: int
    learnt: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64] | None

    def fit(self) -> Any:
        """Fit, as the library's users do."""
        import lightgbm

        data = lightgbm.Dataset(self.learnt, self.codes, weight=self.weight, params=self.parameters)
        return lightgbm.train(self.parameters, data, num_boost_round=self.rounds)


@dataclass(frozen=True)
class Cost:
    """Least CPU and wall-clock seconds of some runs."""

    cpu: float
    wall: float


def run(quick: bool = False) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="walk-forward-") as scratch:
        place = Path(scratch)
        (place / "plan.toml").write_text(PLAN, encoding="utf-8")
        plan, market = TrainingPlan.from_file(place / "plan.toml"), random_walk(BARS, seed=0)
        bare, loop, shape = _loop(plan, market, 1 if quick else 3)
        rounds = 1 if quick else 2
        whole, plain = (_command(place, market, rounds, whole=whole) for whole in (True, False))
    same = f"{shape}; no predictions"
    everything = "start-up, features, final fit, verdict, every score, leak audit, 5 folds explained, report"
    return [
        Row("walk-forward loop over bare fits", loop.cpu / bare.cpu, "x", "<= 1.05", "CPU time, equal trees"),
        Row("the same by the clock", loop.wall / bare.wall, "x", "", "tilted by whatever else runs"),
        Row("bare fits", bare.cpu, "s", "", f"CPU; {bare.wall:.1f} s by the clock; {same}"),
        Row("the loop", loop.cpu, "s", "", f"CPU; {loop.wall:.1f} s by the clock; purged, predicted, pooled"),
        Row(
            "onward train over bare fits",
            whole.cpu_seconds / bare.cpu,
            "x",
            "<= 1.3",
            _note(whole, everything),
        ),
        Row(
            "without leak audit and explanations",
            plain.cpu_seconds / bare.cpu,
            "x",
            "<= 1.3",
            _note(plain, "what FreqAI does"),
        ),
        Row("onward train, peak memory", whole.peak_gb * 1e3, "MB", "", "20,000 bars, 53 models kept"),
    ]


def _note(finished: Finished, what: str) -> str:
    return f"CPU; {finished.cpu_seconds:.1f} s, {finished.seconds:.1f} s by the clock: {what}"


def _loop(plan: TrainingPlan, market: Market, rounds: int) -> tuple[Cost, Cost, str]:
    """Return the costs of the bare fits and of the loop, in turns, and what was fitted."""
    trainer = make_trainer(plan, market)
    spans = label_spans(market, trainer.labeler)
    folds = trainer.splitter.folds(spans)
    dataset = prepare(market, trainer.pipeline, spans)
    outcomes = trainer.fit_folds(dataset, folds, _silent)
    ready = [_ready(trainer, dataset, outcome) for outcome in outcomes]
    for fit, outcome in zip(ready[:2], outcomes, strict=False):
        if fit.fit().model_to_string() != outcome.predictor.model.booster_.model_to_string():
            raise RuntimeError("the two sides do not make the same fits")
    costs: list[tuple[Cost, Cost]] = []
    for _ in range(rounds):
        bare = _cost(lambda: [fit.fit() for fit in ready])
        costs.append((bare, _cost(lambda: pool(spans, trainer.fit_folds(dataset, folds, _silent)))))
    rows, columns = ready[0].learnt.shape
    shape = f"{len(folds)} fits on {rows:,} rows x {columns} columns, {ready[0].rounds} rounds"
    return _least([c[0] for c in costs]), _least([c[1] for c in costs]), shape


def _ready(trainer: BaseTrainer, dataset: Dataset, outcome: FoldOutcome) -> BareFit:
    """Return what the model of a finished fold was fitted on."""
    rows = outcome.fold.train
    labels = trainer.labeler.fit(dataset.market, rows).label(dataset.market)
    learnt = np.ascontiguousarray(dataset.matrix(rows), np.float32)
    codes, weight = labels.y[rows].astype(np.int64) + 1, labels.weight[rows]
    model: Any = outcome.predictor.model
    return BareFit(
        parameters=model.native_parameters(*learnt.shape),
        rounds=model.n_rounds,
        learnt=learnt,
        codes=codes,
        weight=balanced_weights(codes, weight / weight.mean(), directions=True, class_weight="none"),
    )


def _command(place: Path, market: Market, rounds: int, *, whole: bool) -> Finished:
    """Return the cheapest of some runs of the command, kernels compiled before by a run on other bars.

    Unless ``whole``, it does what FreqAI does: it fits, predicts and reports.
    """
    files = {"warm.parquet": random_walk(4_000, seed=1), "bars.parquet": market}
    for name, bars in files.items():
        table = bars.bars.reset_index(names=["symbol", "timestamp"])
        table.to_parquet(place / name)
    choice = [] if whole else ["--no-audit", *UNEXPLAINED]

    def train(home: str, bars: str, *more: str) -> Finished:
        arguments = [str(place / "plan.toml"), "--data", str(place / bars), *more, *choice]
        return run_command(onward_command("train", *arguments), {"ONWARD_HOME": str(place / home)})

    train("warm", "warm.parquet", "--set", "model.n_rounds=2")
    runs = [train(f"{number}-{whole}", "bars.parquet") for number in range(rounds)]  # nothing is cached yet
    return min(runs, key=lambda run: run.cpu_seconds)


def _cost(function: Callable[[], object]) -> Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    function()
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


def _least(costs: list[Cost]) -> Cost:
    return Cost(min(cost.cpu for cost in costs), min(cost.wall for cost in costs))


def _silent(event: object) -> None:
    """Take no note."""
