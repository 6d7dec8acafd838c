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
