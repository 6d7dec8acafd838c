"""How often a short random walk passes for skill, and whether long planted signals are still found.

Seeds from 20,000: none of them was looked at when the worth of shifts was chosen.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from benchmarks._table import Row
from onward.testing.markets import planted_signal, random_walk
from onward.training.assembly import make_trainer
from onward.training.plan import TrainingPlan

FIRST_SEED = 20_000
EVIDENCE = 0.01
TOLERATED = 0.03
WALKS: Sequence[tuple[int, str, Mapping[str, Any]]] = (
    (500, "", {}),
    (600, "labels of 6 bars, few features", {"labels.horizon_bars": 6, "labels.window_bars": 48}),
    (1_000, "", {}),
    (1_500, "", {}),
    (1_500, "logistic", {"model.name": "logistic"}),
    (3_000, "", {}),
)
"""Bars, what is unusual, and the settings that make it so."""
FEW = {"features.manual.families": ["returns", "volatility", "technical"], "model.n_rounds": 20}
SIGNAL_BARS = 5_000


def judged(kind: str, n_bars: int, overrides: Mapping[str, Any], seed: int) -> tuple[float, float]:
    """Train the plan ``fast`` in five folds; return p for the direction and for the range class."""
    market = (random_walk if kind == "noise" else planted_signal)(n_bars, seed=seed)
    common = {"validation.n_splits": 5, "evaluation.n_shifts": 1_000, "training.n_threads": 1}
    plan = TrainingPlan.preset("fast").with_overrides({**common, **overrides})
    verdict = make_trainer(plan, market).train(market).judgement.verdict
    return verdict.direction.p, verdict.range.p


def run(quick: bool = False) -> list[Row]:
    """Return the shares of small p, by length and plan."""
    rows = []
    for n_bars, title, changes in WALKS:
        n = 4 if quick else 200
        overrides = {**changes, **(FEW if "few" in title else {})}
        p = _table("noise", n_bars, overrides, n)
        name = f"{n_bars:,} bars{f', {title}' if title else ''}"
        for place, subject in enumerate(("direction", "range")):
            share, weak = (float((p[:, place] < level).mean()) for level in (EVIDENCE, 5 * EVIDENCE))
            target = "" if quick or place else f"<= {TOLERATED}"
            note = f"{n} walks; p < 0.05 in {weak:.3f}"
            rows.append(Row(f"p < 0.01 on noise, {name}, {subject}", share, "", target, note))
    n = 2 if quick else 60
    p = _table("planted", SIGNAL_BARS, {}, n)
    found, weak = (float((p[:, 0] < level).mean()) for level in (EVIDENCE, 5 * EVIDENCE))
    note = f"{n} signals; p < 0.05 in {weak:.3f}"
    return [*rows, Row(f"p < 0.01 on planted signals, {SIGNAL_BARS:,} bars", found, "", "", note)]


def _table(kind: str, n_bars: int, overrides: Mapping[str, Any], n: int) -> np.ndarray:
    # spawn: a forked child of a process that has trained with OpenMP hangs.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        seeds = range(FIRST_SEED, FIRST_SEED + n)
        return np.array(list(pool.map(partial(judged, kind, n_bars, overrides), seeds)))
