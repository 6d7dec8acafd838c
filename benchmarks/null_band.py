"""Whether the null band is as wide as noise: random walks and planted signals on seeds from 1000.

These are the seeds on which the defaults were chosen; `make acceptance` judges on others.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial

import pandas as pd

from benchmarks._table import Row
from onward.evaluation.null import null_band
from onward.testing.markets import planted_signal, random_walk
from onward.training.assembly import make_trainer
from onward.training.plan import TrainingPlan

BARS = 4_000
FIRST_SEED = 1_000
EVIDENCE = 0.01


def judged(kind: str, method: str, seed: int) -> dict[str, float]:
    """Train the default plan; return scores and p with the band widened and as the shifts alone say."""
    market = (random_walk if kind == "noise" else planted_signal)(BARS, seed=seed)
    plan = TrainingPlan(validation={"method": method}, training={"n_threads": 1})
    trainer = make_trainer(plan, market)
    training = trainer.train(market)
    lookback = trainer.pipeline.lookback * market.timeframe_ns
    plain = null_band(replace(training.oof, mutual=0.0), lookback=lookback, n_shifts=trainer.n_shifts)
    verdict = training.judgement.verdict
    return {
        "auc": verdict.direction.auc,
        "distance": plain.direction.observed - plain.direction.mean,
        "deviation": plain.direction.deviation,
        "direction": verdict.direction.p,
        "direction, not widened": plain.direction.p,
        "range": verdict.range.p,
        "range, not widened": plain.range.p,
    }


def run(quick: bool = False) -> list[Row]:
    """Return how the noise score spreads in that of its own shifts, and how often p is small."""
    n = 4 if quick else 100
    noise = _table("noise", "purged_kfold", range(FIRST_SEED, FIRST_SEED + 2 * n))
    forward = _table("noise", "walk_forward", range(FIRST_SEED, FIRST_SEED + n))
    planted = _table("planted", "purged_kfold", range(FIRST_SEED, FIRST_SEED + n))
    rows = [
        Row("noise score's spread in that of its shifts, k-fold", _spread(noise), "x", "", f"{2 * n} walks"),
        Row("the same, walk-forward", _spread(forward), "x", "", f"{n} walks"),
    ]
    for name in ("direction, not widened", "direction", "range, not widened", "range"):
        share = float((noise[name] < EVIDENCE).mean())
        weak = float((noise[name] < 5 * EVIDENCE).mean())
        rows.append(Row(f"p < 0.01 on noise, {name}", share, "", "", f"k-fold; p < 0.05 in {weak:.3f}"))
    found = float((planted["direction"] < EVIDENCE).mean())
    weak = float((planted["direction"] < 5 * EVIDENCE).mean())
    note = f"{n} signals, mean AUC {planted['auc'].mean():.3f}; p < 0.05 in {weak:.3f}"
    return [*rows, Row("p < 0.01 on planted signals", found, "", "", note)]


def _spread(table: pd.DataFrame) -> float:
    return float(table["distance"].std() / table["deviation"].mean())


def _table(kind: str, method: str, seeds: Sequence[int]) -> pd.DataFrame:
    # spawn: a forked child of a process that has trained with OpenMP hangs.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pd.DataFrame(pool.map(partial(judged, kind, method), seeds))
