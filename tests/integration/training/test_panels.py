"""One model over several symbols: folds cut by time, features that compare, coefficients across."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.data.read import read_market
from onward.evaluation.information import information_coefficient, information_decay, realised_return
from onward.labels import ThresholdLabeler
from onward.splits import CombinatorialPurgedKFold
from onward.testing.markets import random_walk
from onward.training.assembly import make_trainer
from onward.training.trainer import Training
from onward.types import Fold, Market, Spans
from tests.unit.training.small_runs import small_plan

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
RANKS = {"return_windows": [1, 6], "beta_windows": [], "volume_windows": [12]}


def real(name: str, timerange: str) -> Market:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"the shared data folder is not here: {path}")
    return read_market(path, timerange=timerange)


def synthetic() -> Market:
    """Five symbols, one listed late, that go on for a while the way they went against the others."""
    names = ("AAA/USD", "BBB/USD", "CCC/USD", "DDD/USD", "EEE/USD")
    market = random_walk(500, seed=3, symbols=names)
    bars = market.bars.copy()
    own = np.random.default_rng(8).normal(0.0, 0.004, (len(names), 500))
    for bar in range(1, 500):
        own[:, bar] += 0.6 * (own[:, bar - 1] - own[:, bar - 1].mean())
    level = np.exp(np.cumsum(own, axis=1)).ravel()
    bars[["open", "high", "low", "close"]] = bars[["open", "high", "low", "close"]].mul(level, axis=0)
    bars["open"] = bars["open"].clip(bars["low"], bars["high"])
    late = (bars.index.get_level_values(0) == "BBB/USD") & np.tile(np.arange(500) < 60, len(names))
    bars = bars[~late]
    return Market(bars.set_axis(bars.index.remove_unused_levels()), market.timeframe)


MARKETS = {
    "synthetic": synthetic,
    "six venues and coins": lambda: real("multivenue_perp_1h.parquet", "20251101-20251112"),
    "five equities": lambda: real("daily_equity_ohlcv_5.parquet", "20120101-20130301"),
}


def trained(market: Market, **overrides: Any) -> Training:
    options = {
        "features__manual__families": ["returns", "cross_asset"],
        "features__manual__options": {"cross_asset": RANKS},
        "selection__enabled": False,
    }
    return make_trainer(small_plan(**(options | overrides)), market).train(market)


def check_cut_by_time(spans: Spans, folds: Sequence[Fold]) -> None:
    symbols = spans.index.get_level_values(0)
    for fold in folds:
        learnt, tested = spans.take(fold.train), spans.take(fold.test)
        assert len(learnt) > 0
        # All symbols of a moment are on one side ...
        assert not np.isin(learnt.start, tested.start).any()
        assert len(tested) == np.isin(spans.start, np.unique(tested.start)).sum()
        assert symbols[fold.test].nunique() >= 4
        # ... and no outcome of any symbol shares an instant with a test span of any other.
        order = np.argsort(tested.start, kind="stable")
        reach = np.maximum.accumulate(tested.end[order])
        begun = np.searchsorted(tested.start[order], learnt.end, side="right")
        assert not ((begun > 0) & (reach[np.maximum(begun - 1, 0)] >= learnt.start)).any()


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("method", ["purged_kfold", "walk_forward"])
def test_folds_of_a_training_are_cut_by_time_across_symbols(market: str, method: str) -> None:
    panel = MARKETS[market]()
    training = trained(panel, validation__method=method)
    spans = training.dataset.spans
    assert spans.index.get_level_values(0).nunique() == len(panel.symbols) >= 5
    assert len(training.folds) == 3
    check_cut_by_time(spans, [outcome.fold for outcome in training.folds])


@pytest.mark.parametrize("market", MARKETS)
def test_combinatorial_folds_are_cut_by_time_across_symbols(market: str) -> None:
    spans = ThresholdLabeler(horizon_bars=6, window_bars=24).spans(MARKETS[market]())
    check_cut_by_time(spans, CombinatorialPurgedKFold(4, 2).folds(spans))


def test_ranks_are_features_that_compare_symbols_of_one_moment() -> None:
    training = trained(synthetic())
    features = training.dataset.features
    ranks = ["manual__return_rank_panel_1", "manual__return_rank_panel_6", "manual__volume_rank_panel_12"]
    assert set(ranks) <= set(features.columns)
    late = features[ranks].iloc[-20:]
    assert late.notna().all(axis=None)
    by_moment = features.loc[:, ranks].dropna().groupby(level="open_time")
    whole = by_moment.size() == 5
    np.testing.assert_allclose(by_moment.sum()[whole], 2.5, atol=1e-5)  # 0, 1/4, 1/2, 3/4, 1


def test_the_coefficient_finds_what_was_planted_and_it_decays() -> None:
    market = synthetic()
    training = trained(market, model__n_rounds=30, labels__horizon_bars=3)
    oof = training.oof.frame()
    score = oof["up"] - oof["down"]
    spans = training.oof.spans
    found = information_coefficient(score, realised_return(market, spans), spans)
    assert found.across == "symbols"
    assert found.moments.index.is_monotonic_increasing
    assert found.summary.loc["rank_ic", "mean"] > 0.1
    assert found.summary.loc["rank_ic", "t"] > 4.0
    decay = information_decay(score, spans, market, horizons_bars=(1, 3, 24))
    assert decay.loc[1, "rank_ic"] > decay.loc[24, "rank_ic"]
    shuffled = pd.Series(np.random.default_rng(0).permutation(score), score.index)
    chance = information_coefficient(shuffled, realised_return(market, spans), spans)
    assert abs(chance.summary.loc["rank_ic", "t"]) < 3.0


@pytest.mark.parametrize("market", ["six venues and coins", "five equities"])
def test_real_panels_are_judged_across_symbols(market: str) -> None:
    panel = MARKETS[market]()
    training = trained(panel)
    oof = training.oof.frame()
    spans = training.oof.spans
    found = information_coefficient(oof["up"] - oof["down"], realised_return(panel, spans), spans)
    assert found.moments["n_rows"].max() == len(panel.symbols)
    assert found.summary[["mean", "deviation", "t", "t_newey_west"]].notna().all(axis=None)
    row = found.summary.loc["ic"]
    assert row["effective_n"] == pytest.approx(row["n_moments"] / 6, rel=0.25)
