"""A plan of meta-labels from rows to the curve of its report."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import onward as ow
from onward.evaluation.report.equity import simulations
from onward.labels import MetaLabeler
from onward.testing.markets import random_walk
from onward.training.reporting import report_content
from tests.unit.training.small_runs import small_plan


def test_the_curve_of_a_meta_model_is_that_of_its_primary_signal_where_it_pays(tmp_path: Path) -> None:
    plan = small_plan(
        labels__method="meta",
        labels__signal="mean_reversion",
        labels__signal_bars=12,
        model__n_rounds=20,
        model__learning_rate=0.3,
        evaluation__act_above=0.4,
    )
    market = random_walk(900, seed=2)
    content = report_content(ow.train(market, plan, audit=False, home=tmp_path))
    primary = MetaLabeler(signal="mean_reversion", signal_bars=12).signals(market)
    assert content.primary is not None
    np.testing.assert_array_equal(content.primary, primary)
    rows = market.index.get_indexer(content.oof.spans.index)
    pays = content.oof.probability[:, 2] > 0.4
    assert 0 < pays.sum() < len(rows)
    decided = np.zeros(len(market))
    decided[rows] = primary[rows] * pays
    assert {-1.0, 1.0} <= set(decided[rows])
    held = simulations(content)["Model"].position.to_numpy()
    first = int(rows.min())
    assert held[1:].tolist() == decided[first : first + len(held) - 1].tolist()


def test_what_a_meta_model_serves_is_the_side_to_trade(tmp_path: Path) -> None:
    plan = small_plan(
        labels__method="meta",
        labels__signal="mean_reversion",
        labels__signal_bars=200,
        labels__events="cusum",
        model__n_rounds=20,
        model__learning_rate=0.3,
        evaluation__act_above=0.3,
    )
    market = random_walk(900, seed=2)
    result = ow.train(market, plan, home=tmp_path)
    result.save("meta")
    model = ow.load_model("models:/meta/1", home=tmp_path)
    assert model.lookback == 201  # the rule looks further back than the features
    assert model.version.manifest.features.lookback_bars == 201
    frame = model.predict(market)
    primary = np.nan_to_num(MetaLabeler(signal="mean_reversion", signal_bars=200).signals(market))
    pays = frame["up"].to_numpy() > 0.3
    np.testing.assert_array_equal(frame["signal"], np.where(pays, primary, 0.0))
    assert set(frame["signal"]) == {-1, 0, 1}
    assert frame["signal"].dtype == np.int64
    assert frame.equals(result.predictor.batch(market))
    for end in range(700, 740):
        known = market.replace(bars=market.bars.iloc[: end + 1])
        latest = model.latest(known.last(201)).frame
        assert latest["signal"].tolist() == frame["signal"].iloc[[end]].tolist()
    late = model.predict(market, start=market.open_time[700])
    assert late["signal"].equals(frame["signal"].iloc[700:])
