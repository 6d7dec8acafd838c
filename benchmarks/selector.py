"""The selector: seconds and memory on a wide matrix, and whether it keeps what it should.

``ONWARD_BENCH_SELECTOR_COLUMNS``, ``_ROWS`` and ``_SEEDS`` make it smaller or larger.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks._process import run_code
from benchmarks._table import Row, render
from onward.features.manual import ManualFeaturesStage
from onward.features.selection import AdvancedFeatureSelector, ShiftedLabelSelector, representative
from onward.kernels.statistics import area_under_curve
from onward.labels import ThresholdLabeler
from onward.models.lightgbm import LightGBMModel
from onward.splits import PurgedKFold
from onward.testing.markets import planted_signal, random_walk
from onward.types import FloatArray, IntArray, Labels, Spans

N_COLUMNS = int(os.environ.get("ONWARD_BENCH_SELECTOR_COLUMNS", "2000"))
N_ROWS = int(os.environ.get("ONWARD_BENCH_SELECTOR_ROWS", "70000"))
N_SEEDS = int(os.environ.get("ONWARD_BENCH_SELECTOR_SEEDS", "20"))

HOUR = 3_600_000_000_000
HORIZON = 24
DRIVER = "manual__driver"


def wide_fold(n_rows: int, n_columns: int, seed: int = 0) -> tuple[pd.DataFrame, IntArray, Spans]:
    """Return training rows like those of a wide plan: groups of relatives, twins, flags, warm-up.

    A tenth of the columns repeats another one (equal, sign-flipped, logarithm), a fifth belongs
    to clusters, some are constant; a quarter begins with NaN.
    """
    generator = np.random.default_rng(seed)
    matrix = np.empty((n_columns, n_rows), dtype=np.float32)
    for j in range(n_columns):
        kind = j % 20
        if kind in (3, 7) and j > 20:
            base = matrix[j - 2]
            matrix[j] = base if j % 3 == 0 else (-base if j % 3 == 1 else np.exp(base / 4.0))
        elif kind in (4, 8, 12, 16) and j > 20:
            matrix[j] = matrix[j - 4] + np.float32(0.2) * generator.standard_normal(n_rows, dtype=np.float32)
        elif kind == 19:
            matrix[j] = 0.0 if j % 40 == 19 else generator.random(n_rows) < 0.001
        else:
            noise = generator.standard_normal(n_rows + 64, dtype=np.float32)
            total = np.cumsum(noise, dtype=np.float32)
            window = 1 + j % 48
            matrix[j] = (total[window : window + n_rows] - total[:n_rows]) / np.float32(np.sqrt(window))
    matrix[::4, :200] = np.nan
    start = HOUR * np.arange(n_rows, dtype=np.int64)
    steps = np.convolve(generator.standard_normal(n_rows + HORIZON), np.ones(HORIZON))[
        HORIZON : HORIZON + n_rows
    ]
    border = np.quantile(np.abs(steps), 1 / 3)
    classes = np.where(np.abs(steps) <= border, 0, np.sign(steps)).astype(np.int64)
    names = [f"{('manual', 'tsfresh', 'featuretools')[j % 3]}__{j}" for j in range(n_columns)]
    frame = pd.DataFrame(matrix.T, columns=names, copy=False)
    return frame, classes, Spans(pd.RangeIndex(n_rows), start, start + HORIZON * HOUR)


def autoregressive(generator: np.random.Generator, n_rows: int, n_columns: int) -> FloatArray:
    """Return columns that know nothing, from white noise to near random walks, shape (rows, columns)."""
    from scipy.signal import lfilter

    speeds = np.resize([0.0, 0.5, 0.9, 0.97, 0.99, 0.997], n_columns)
    noise = generator.standard_normal((n_rows + 2_000, n_columns))
    columns = [lfilter([1.0], [1.0, -phi], noise[:, j])[2_000:] for j, phi in enumerate(speeds)]
    return np.column_stack(columns)


def market_fold(seed: int, *, planted: bool, n_noise: int = 100) -> tuple[pd.DataFrame, Labels]:
    """Return the labelled rows of a synthetic market: manual features beside generated noise."""
    market = planted_signal(seed=seed) if planted else random_walk(seed=seed)
    features = ManualFeaturesStage.for_market(market).compute(market).astype(np.float32)
    noise = autoregressive(np.random.default_rng(10_000 + seed), len(market), n_noise).astype(np.float32)
    names = [f"tsfresh__noise_{j}" for j in range(n_noise)]
    table = pd.concat([features, pd.DataFrame(noise, index=features.index, columns=names)], axis=1)
    labels = ThresholdLabeler(horizon_bars=HORIZON).label(market)
    return table.iloc[table.index.get_indexer(labels.spans.index)], labels


def power(n_seeds: int) -> list[Row]:
    """How often the planted driver is kept, how much else, and what a model makes of it."""
    figures: dict[str, list[tuple[float, ...]]] = {}
    skill: dict[str, list[float]] = {}
    for seed in range(n_seeds):
        table, labels = market_fold(seed, planted=True)
        scores = {name: np.full(len(labels), np.nan) for name in ("selection", "advanced_selection")}
        for fold in PurgedKFold(5).folds(labels.spans):
            X, y, spans = table.iloc[fold.train], labels.y[fold.train], labels.spans.take(fold.train)
            for selector in (ShiftedLabelSelector(), AdvancedFeatureSelector()):
                selector.fit(X, y, spans=spans, seed=seed)
                kept = set(selector.columns_)
                alien = sum("noise" in column for column in kept)
                figures.setdefault(selector.name, []).append((driver_kept(selector), len(kept), alien))
                model = LightGBMModel(n_threads=1).fit(selector.transform(X), y)
                p = model.predict_proba(selector.transform(table.iloc[fold.test]))
                scores[selector.name][fold.test] = p[:, 2] - p[:, 0]
        for name, score in scores.items():
            told = (labels.y != 0) & np.isfinite(score)
            skill.setdefault(name, []).append(area_under_curve(score[told], labels.y[told] > 0))
    note = f"planted signal, {n_seeds} seeds x 5 purged folds"
    rows = []
    for name, values in figures.items():
        driver, kept_, alien_ = np.mean(values, axis=0)
        rows += [
            Row(f"{name}: driver or its representative kept", 100 * driver, "%", note=note),
            Row(f"{name}: columns kept", kept_, note=f"{alien_:.2f} of them generated noise"),
            Row(f"{name}: direction AUC out of fold", float(np.mean(skill[name])), note=note),
        ]
    return rows


def driver_kept(selector: ShiftedLabelSelector | AdvancedFeatureSelector) -> bool:
    """Return whether the driver, or the column that stands for it, goes on to the model."""
    return representative(selector.ledger_, DRIVER) in selector.columns_


def noise_rates(n_seeds: int) -> list[Row]:
    """How much pure noise each kind of test lets pass by itself, without and with the correction."""
    alone = {
        "relevance": {"mutual_information": False, "null_importance": False},
        "mutual_information": {"relevance": False, "null_importance": False},
        "null_importance": {"relevance": False, "mutual_information": False},
        "all steps": {},
    }
    open_doors = {"max_features": 10_000, "false_discovery_rate": 1.0, "correlation": 1.0}
    passed: dict[str, list[float]] = {}
    kept: list[float] = []
    for seed in range(n_seeds):
        table, labels = market_fold(seed, planted=False)
        fold = PurgedKFold(5).folds(labels.spans)[seed % 5]
        X, y, spans = table.iloc[fold.train], labels.y[fold.train], labels.spans.take(fold.train)
        noise = X[[column for column in X if "noise" in column]]
        for name, switches in alone.items():
            parameters = {} if name == "all steps" else open_doors
            selector = AdvancedFeatureSelector(**{**parameters, **switches}).fit(
                X if name == "all steps" else noise, y, spans=spans, seed=seed
            )
            found = sum(r.kept and not r.reason.startswith("fallback") for r in selector.ledger_)
            if name == "all steps":
                kept.append(found)
            else:
                passed.setdefault(name, []).append(found / noise.shape[1])
    note = f"random walks, {n_seeds} seeds x 100 columns"
    return [
        *(
            Row(f"pure noise passing {name} alone", 100 * float(np.mean(values)), "%", note=note)
            for name, values in passed.items()
        ),
        Row("noise columns kept by all steps, mean", float(np.mean(kept)), note="of some 320 columns"),
        Row("random walks with any column kept", 100 * float(np.mean(np.array(kept) > 0)), "%"),
    ]


def speed(n_rows: int, n_columns: int) -> list[Row]:
    """Seconds and peak memory, in a process of its own."""
    code = f"from benchmarks.selector import speed_here; speed_here({n_rows}, {n_columns})"
    fast, importance, peak = map(float, run_code(code).output.split()[-3:])
    full = n_rows >= 70_000 and n_columns >= 2_000
    note = f"{n_columns:,} columns x {n_rows:,} rows, float32"
    return [
        Row("selector: constants to mutual information", fast, "s", "<= 60" if full else "", note),
        Row("selector: peak memory", peak, "x the matrix", "<= 2" if full else "", "matrix included"),
        Row("selector: null importance", importance, "s", note="300 columns, 20,000 rows, 23 fits"),
    ]


def speed_here(n_rows: int, n_columns: int) -> None:
    """Print the seconds of the cheap steps, those of null importance, and the peak in matrices."""
    warm, classes, spans = wide_fold(3_000, 40)
    AdvancedFeatureSelector(false_discovery_rate=1.0, z=-5.0).fit(warm, classes, spans=spans)
    X, classes, spans = wide_fold(n_rows, n_columns)
    matrix = X.shape[0] * X.shape[1] * 4
    before = resident_bytes()
    start = time.perf_counter()
    AdvancedFeatureSelector(relevance=False, null_importance=False).fit(X, classes, spans=spans)
    fast = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    alone = {"constant": False, "duplicates": False, "correlation": 1.0}
    evidence = {"relevance": False, "mutual_information": False}
    few = [c for j, c in enumerate(X.columns) if j % 20 != 19][:300]
    start = time.perf_counter()
    most = {"importance_rows": 20_000, "importance_columns": 300}
    AdvancedFeatureSelector(**alone, **evidence, **most).fit(X[few], classes, spans=spans)
    importance = time.perf_counter() - start
    print(fast, importance, (peak - before + matrix) / matrix)


def resident_bytes() -> int:
    """Return the memory that this process holds now (0 where the system does not tell)."""
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if told.exists() else 0


def run(quick: bool = False) -> list[Row]:
    seeds = min(2, N_SEEDS) if quick else N_SEEDS
    rows, columns = (min(N_ROWS, 20_000), min(N_COLUMNS, 400)) if quick else (N_ROWS, N_COLUMNS)
    return [*speed(rows, columns), *power(seeds), *noise_rates(seeds)]


if __name__ == "__main__":
    print(render(run()))
