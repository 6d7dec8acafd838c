"""Trainings of the default plan on markets whose truth is known."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Literal

import pandas as pd

from onward.testing.markets import planted_signal, random_walk
from onward.training.assembly import make_trainer
from onward.training.plan import TrainingPlan

BARS = 4_000
Truth = Literal["nothing to find", "planted signal"]
Method = Literal["purged_kfold", "walk_forward"]


def train(truth: Truth, method: Method, seed: int) -> dict[str, object]:
    """Train the default plan and return what was said about it."""
    market = random_walk(BARS, seed=seed) if truth == "nothing to find" else planted_signal(BARS, seed=seed)
    unchecked = {"featuretools": {"check_rows": 0}}  # that has its own tests
    plan = TrainingPlan(validation={"method": method}, training={"n_threads": 1}, features=unchecked)
    judgement = make_trainer(plan, market).train(market).judgement
    pooled = judgement.scores.pooled
    return {
        "seed": seed,
        "direction": judgement.verdict.direction.level,
        "range": judgement.verdict.range.level,
        "direction_p": judgement.verdict.direction.corrected_p,
        "range_p": judgement.verdict.range.corrected_p,
        "auc": pooled.direction_auc,
        "accuracy_above_majority": pooled.accuracy_above_majority,
        "log_loss_skill": pooled.log_loss_skill,
    }


def train_many(truth: Truth, method: Method, seeds: Sequence[int]) -> pd.DataFrame:
    """Train on many markets in two processes; one row a seed."""
    # spawn: a forked child of a process that has trained with OpenMP hangs.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pd.DataFrame(pool.map(partial(train, truth, method), seeds)).set_index("seed")


def count(outcomes: pd.Series, *levels: str) -> int:
    """Return how many verdicts are of the levels."""
    return int(outcomes.isin(levels).sum())
