"""On markets whose truth is known: what is planted is found, what is noise mostly is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.features.manual import ManualFeaturesStage
from onward.features.selection.advanced import AdvancedFeatureSelector
from onward.features.selection.ledger import representative
from onward.features.selection.relevance import (
    caution,
    effective_rows,
    label_targets,
    measure_relevance,
    rank_columns,
    shifted_targets,
)
from onward.labels import ThresholdLabeler
from onward.splits import PurgedKFold
from onward.testing.markets import planted_signal, random_walk
from onward.types import Spans

HOUR = 3_600_000_000_000
FAMILIES = ["price", "oscillators", "temporal", "custom_series"]


def training_rows(market, families, number):
    stage = ManualFeaturesStage.for_market(market, families)
    labels = ThresholdLabeler(horizon_bars=24).label(market)
    X = stage.compute(market).astype(np.float32)
    X = X.iloc[X.index.get_indexer(labels.spans.index)]
    fold = PurgedKFold(5).folds(labels.spans)[number]
    return X.iloc[fold.train], labels.y[fold.train], labels.spans.take(fold.train)


@pytest.mark.parametrize("number", [0, 2])
def test_a_planted_driver_is_kept(number):
    X, y, spans = training_rows(planted_signal(seed=3), FAMILIES, number)
    selector = AdvancedFeatureSelector().fit(X, y, spans=spans)
    assert representative(selector.ledger_, "manual__driver") in selector.columns_
    assert len(selector.columns_) < X.shape[1] / 3


def test_random_walks_leave_nearly_nothing():
    found, tested = 0, 0
    for seed in range(4):
        X, y, spans = training_rows(random_walk(3_000, seed=seed), FAMILIES[:3], 1)
        selector = AdvancedFeatureSelector().fit(X, y, spans=spans, seed=seed)
        found += sum(r.kept and not r.reason.startswith("fallback") for r in selector.ledger_)
        tested += sum(r.z_direction is not None for r in selector.ledger_)
    assert found < 0.04 * tested  # three tests at z 1.65 alone would pass a fifth


def noise_rows(n_rows, seed, n_columns=1_000, horizon=24):
    """Columns from white noise to nearly a random walk that know nothing; overlapping labels."""
    generator = np.random.default_rng(seed)
    speeds = np.resize([0.0, 0.5, 0.9, 0.97, 0.99], n_columns)
    X = generator.normal(size=(n_rows + 500, n_columns))
    for i in range(1, len(X)):
        X[i] += speeds * X[i - 1]
    outcome = np.convolve(generator.normal(size=n_rows + horizon - 1), np.ones(horizon), "valid")
    y = np.digitize(outcome, np.quantile(outcome, [1 / 3, 2 / 3])) - 1
    start = HOUR * np.arange(n_rows, dtype=np.int64)
    names = [f"tsfresh__{j}" for j in range(n_columns)]
    table = pd.DataFrame(X[500:].astype(np.float32), columns=names)
    return table, y, Spans(table.index, start, start + horizon * HOUR)


@pytest.mark.parametrize(("n_rows", "seeds"), [(300, 6), (600, 5), (2_000, 2)])
def test_few_rows_let_no_more_noise_pass_than_the_rate_says(n_rows, seeds):
    """A Gaussian tail finds something in most of such tables, up to 16 columns of noise in one."""
    found = []
    for seed in range(seeds):
        X, y, spans = noise_rows(n_rows, seed)
        ledger = AdvancedFeatureSelector(null_importance=False).fit(X, y, spans=spans, seed=seed).ledger_
        kept = [r for r in ledger if r.kept]
        found.append(sum(not r.reason.startswith("fallback") for r in kept))
        cautious = n_rows / 24 < 60
        assert all(("caution: rows worth" in r.reason) == cautious for r in kept)
    assert np.mean(np.array(found) > 0) <= 0.3  # three kinds of evidence at 10 % each
    assert np.sum(found) <= 0.001 * 1_000 * seeds


def test_the_tail_of_chance_is_told_from_the_labels_that_do_not_overlap():
    X, y, spans = noise_rows(600, 0, n_columns=2_000)
    assert effective_rows(spans) == pytest.approx(25, rel=0.05)
    time = shifted_targets(spans, 200, 0)
    ranks, targets = rank_columns(X), label_targets(y)
    student = measure_relevance(ranks, targets, *time, effective_rows(spans))
    gaussian = measure_relevance(ranks, targets, *time)
    np.testing.assert_array_equal(student.z, gaussian.z)
    assert (student.p >= gaussian.p).all()
    for chance in (0.05, 0.01):
        assert (student.p <= chance).mean() <= 1.2 * chance
    assert (gaussian.p <= 0.001).mean() > 0.0015 > (student.p <= 0.001).mean()


def test_a_panel_is_worth_as_many_rows_as_one_of_its_symbols():
    start = np.tile(HOUR * np.arange(480, dtype=np.int64), 3)
    index = pd.MultiIndex.from_product([["a", "b", "c"], range(480)])
    assert effective_rows(Spans(index, start, start + 24 * HOUR)) == pytest.approx(20, rel=0.05)
    assert caution(20) == "caution: rows worth 20 labels that do not overlap, 60 are wanted"
    assert caution(60) == ""
