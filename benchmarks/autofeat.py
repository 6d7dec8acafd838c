"""autofeat on a fold of real hourly bars: seconds, memory against the estimate, and prediction."""

from __future__ import annotations

import importlib.util
import os
import resource
import time

import numpy as np
import pandas as pd

from benchmarks._markets import HOURS, hours, skipped
from benchmarks._table import NOT_MEASURED, Row, show
from onward.features.autofeat import AutoFeatStage
from onward.features.manual import ManualFeaturesStage
from onward.labels import ThresholdLabeler
from onward.splits import PurgedKFold
from onward.types import IntArray, Spans

N_LABELLED = 19_900
"""Labelled bars, of which a fold of five trains on about 15,900."""

SIZES = (
    {"max_inputs": 6, "max_rows": 500},
    {"max_inputs": 12, "max_rows": 8_000},
    {"max_inputs": 20, "max_rows": 4_000},
    {"max_inputs": 4, "max_rows": 4_000, "feateng_steps": 3},
)


def training_fold() -> tuple[pd.DataFrame, IntArray, Spans]:
    """Return the training rows of the middle one of five purged folds over the newest bars."""
    market = hours()
    market = market.last(N_LABELLED + 2_000)
    table = ManualFeaturesStage.for_market(market).compute(market).astype(np.float32)
    labels = ThresholdLabeler().label(market)
    newest = np.arange(len(labels) - N_LABELLED, len(labels))
    spans, y = labels.spans.take(newest), labels.y[newest]
    train = PurgedKFold(5).folds(spans)[2].train
    X = table.iloc[table.index.get_indexer(spans.index[train])]
    return X, y[train], spans.take(train)


def spent() -> float:
    """Return the CPU seconds of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(quick: bool) -> list[Row]:
    if importlib.util.find_spec("autofeat") is None:
        return [Row("autofeat", NOT_MEASURED, note="skipped: not installed (the extra automl)")]
    if (missing := skipped("autofeat", HOURS)) is not None:
        return missing
    X, y, spans = training_fold()
    note = f"{len(X):,} rows x {X.shape[1]} columns; load {os.getloadavg()[0]:.1f}"
    before, start = spent(), time.perf_counter()
    stage = AutoFeatStage().fit(X, y, spans=spans)
    seconds, cpu = time.perf_counter() - start, spent() - before
    table = stage.transform(X)
    start = time.perf_counter()
    stage.transform(X)
    transforming = time.perf_counter() - start
    added = table.shape[1] - X.shape[1]
    rows = [
        Row("autofeat: a fold with its defaults", seconds, "s", "<= 30", note),
        Row("autofeat: CPU time of its child", cpu, "s", note="imports and selection included"),
        Row("autofeat: formulas kept", added, note=f"of {stage.report.generated:,} candidates"),
        Row("autofeat: formulas evaluated", 1e3 * transforming, "ms", note=f"{added} columns, all rows"),
    ]
    for size in ({}, *(() if quick else SIZES)):
        fitted = stage if not size else AutoFeatStage(featsel_runs=1, **size).fit(X, y, spans=spans)
        report = fitted.report
        assert report.estimate is not None
        told = f"{report.estimate.inputs} inputs, {report.sampled_rows:,} rows"
        rows.append(
            Row(
                f"autofeat: peak memory of its estimate ({told})",
                report.peak_bytes / report.estimate.peak_bytes,
                "x",
                "<= 1",
                f"{report.peak_bytes / 1e9:.2f} of {report.estimate.peak_bytes / 1e9:.2f} GB",
            )
        )
    return rows


if __name__ == "__main__":
    show(run(quick=False))
