"""What a selector is worth to the verdict: planted signals and random walks, selector by selector.

Every selector gets the same matrices, labels, folds and model; only what a fold keeps differs.
Seconds are CPU time of one thread, so that a busy machine does not matter.
``ONWARD_BENCH_POWER_SIGNALS`` and ``ONWARD_BENCH_POWER_WALKS`` say how many markets there are.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from benchmarks._table import Row, render
from onward.evaluation.judgement import judge
from onward.features.pipeline import FeaturePipeline
from onward.features.selection import AdvancedFeatureSelector, ShiftedLabelSelector
from onward.protocols import FittedStage
from onward.testing.markets import planted_signal, random_walk
from onward.training.assembly import make_labeler, make_model, make_splitter
from onward.training.dataset import label_spans, prepare
from onward.training.plan import TrainingPlan
from onward.training.single_model import SingleModelTrainer
from onward.training.stages import make_pipeline
from onward.training.trainer import pool
from onward.types import Market

N_SIGNALS = int(os.environ.get("ONWARD_BENCH_POWER_SIGNALS", "30"))
N_WALKS = int(os.environ.get("ONWARD_BENCH_POWER_WALKS", "60"))

BARS = 4_000
SIGNAL_SEED, WALK_SEED = 2_000, 3_000
"""First seeds; those of `make acceptance` and of the null band's benchmark are others."""

N_SHIFTS = 1_000
PLAN: Mapping[str, Any] = {"features": {"stages": ["manual"]}, "training": {"n_threads": 1}}

Selectors = Mapping[str, Callable[[], FittedStage]]


def _advanced(**changes: Any) -> Callable[[], FittedStage]:
    return lambda: AdvancedFeatureSelector(n_threads=1, **changes)


SELECTORS: Selectors = {
    "shifted labels": ShiftedLabelSelector,
    "all steps": _advanced(),
    "no null importance": _advanced(null_importance=False),
    "no mutual information": _advanced(mutual_information=False),
    "no clusters": _advanced(correlation=1.0),
    "null importance beats 95 %": _advanced(null_share=0.95),
}
"""What is compared, by name."""


def outcomes(market: Market, selectors: Selectors) -> Iterator[dict[str, Any]]:
    """Yield what each selector came to on a market, judged as a training is."""
    plan = TrainingPlan(**PLAN)
    labeler, splitter, causal = make_labeler(plan), make_splitter(plan), make_pipeline(plan, market).causal
    spans = label_spans(market, labeler)
    folds = splitter.folds(spans)
    dataset = prepare(market, FeaturePipeline(causal), spans)
    for name, new_selector in selectors.items():
        pipeline = FeaturePipeline(causal, [new_selector])
        trainer = SingleModelTrainer(
            new_model=make_model(plan), pipeline=pipeline, labeler=labeler, splitter=splitter
        )
        begin = time.process_time()
        results = [trainer.fit_fold(dataset, labeler, fold) for fold in folds]
        seconds = (time.process_time() - begin) / len(folds)
        lookback = pipeline.lookback * market.timeframe_ns
        judgement = judge(pool(spans, results), lookback=lookback, n_shifts=N_SHIFTS)
        yield {
            "selector": name,
            "auc": judgement.scores.pooled.direction_auc,
            "skill": judgement.scores.pooled.log_loss_skill,
            "p": judgement.verdict.direction.p,
            "range_p": judgement.verdict.range.p,
            "kept": sum(len(one.predictor.fitted.output_columns) for one in results) / len(folds),
            "seconds": seconds,
        }


def table(markets: Iterator[Market], selectors: Selectors = SELECTORS) -> pd.DataFrame:
    """Return the outcomes of all markets, one row a market and selector."""
    return pd.DataFrame(
        [
            {"market": number} | one
            for number, market in enumerate(markets)
            for one in outcomes(market, selectors)
        ]
    )


def run(quick: bool = False) -> list[Row]:
    """Return power on planted signals, false finds on random walks, and seconds, by selector."""
    n_signals, n_walks = (2, 2) if quick else (N_SIGNALS, N_WALKS)
    signals = table(planted_signal(BARS, seed=SIGNAL_SEED + i) for i in range(n_signals))
    walks = table(random_walk(BARS, seed=WALK_SEED + i) for i in range(n_walks))
    rows = []
    for name in SELECTORS:
        found, noise = signals[signals["selector"] == name], walks[walks["selector"] == name]
        kept = f"{found['kept'].mean():.1f} columns kept"
        weak = f"{n_walks} walks; range {(noise['range_p'] < 0.05).mean():.3f}"
        rows += [
            Row(f"{name}: direction AUC", found["auc"].mean(), note=f"{n_signals} planted signals, {kept}"),
            Row(f"{name}: log-loss skill", found["skill"].mean()),
            Row(f"{name}: p < 0.01 on planted signals", float((found["p"] < 0.01).mean())),
            Row(f"{name}: p < 0.05 on random walks", float((noise["p"] < 0.05).mean()), note=weak),
            Row(f"{name}: selection and model, a fold", found["seconds"].mean(), "s", note="CPU time"),
        ]
    return rows


if __name__ == "__main__":
    print(render(run()))
