"""On markets whose truth is known: what is planted is found, what is noise mostly is not."""

from __future__ import annotations

import numpy as np
import pytest

from onward.features.manual import ManualFeaturesStage
from onward.features.selection.advanced import AdvancedFeatureSelector
from onward.features.selection.ledger import representative
from onward.labels import ThresholdLabeler
from onward.splits import PurgedKFold
from onward.testing.markets import planted_signal, random_walk

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
