"""Other futures keep the past bit for bit and change what comes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.audit.perturbation import STYLES, perturb_future, redraw_between
from onward.testing import markets
from onward.types import Market, from_ns, to_ns
from tests.fixtures.references.leaks_world import world

PANEL = markets.random_walk(120, seed=1, symbols=("A", "B"))


def known_by(market, moment):
    return market.known_at(from_ns(np.array([moment]))[0])


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(STYLES), st.integers(0, 599), st.integers(0, 5))
def test_the_past_is_kept_and_the_future_changes(style, row, seed):
    market = world(0, 600)
    moment = int(market.decision_time_ns[row])
    changed = perturb_future(market, moment, style, seed=seed)
    before, after = known_by(market, moment), known_by(changed, moment)
    pd.testing.assert_frame_equal(before.bars, after.bars, check_exact=True)
    for name in market.series:
        pd.testing.assert_frame_equal(before.series[name].frame, after.series[name].frame, check_exact=True)
    if row < 590:
        assert changed.content_hash != market.content_hash
        assert not changed.bars.equals(market.bars)


@pytest.mark.parametrize("style", STYLES)
def test_bars_stay_bars_in_every_symbol(style):
    moment = int(PANEL.decision_time_ns[60])
    changed = perturb_future(PANEL, moment, style)
    bars = changed.bars
    assert changed.symbols == ("A", "B")
    assert bars.index.is_monotonic_increasing
    assert bars.index.is_unique
    assert (bars > 0).all().all()
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1) * (1 - 1e-12)).all()
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1) * (1 + 1e-12)).all()


def test_rise_and_fall_reach_new_extremes_of_everything():
    market = world(0, 600)
    moment = int(market.decision_time_ns[300])
    high, low = perturb_future(market, moment, "rise"), perturb_future(market, moment, "fall")
    assert high.bars["high"].max() > 2 * market.bars["high"].max()
    assert low.bars["low"].min() < market.bars["low"].min() / 2
    assert high.bars["volume"].max() > market.bars["volume"].max()
    for name, side in market.series.items():
        values = side.frame["value"]
        assert high.series[name].frame["value"].max() > values.max()
        assert low.series[name].frame["value"].min() < values.min()


def test_rows_are_removed_and_added_on_request():
    market = world(0, 600)
    moment = int(market.decision_time_ns[300])
    assert len(perturb_future(market, moment, "remove")) < len(market)
    more = perturb_future(market, moment, "extend")
    assert len(more) > len(market)
    side, longer = market.series["fng"].frame, more.series["fng"].frame
    delay = set(to_ns(side["available_at"]) - to_ns(side["timestamp"]))
    assert len(longer) > len(side)
    assert set(to_ns(longer["available_at"]) - to_ns(longer["timestamp"])) == delay


@pytest.mark.parametrize("style", STYLES)
def test_a_symbol_that_left_early_gets_no_bars_in_the_past(style):
    left = PANEL.bars[(PANEL.rows["B"].start + 40 > np.arange(len(PANEL))) | (np.arange(len(PANEL)) < 120)]
    market = Market(left, timeframe=PANEL.timeframe)
    for row in (38, 39, 40, 80, 118):
        moment = int(market.decision_time_ns[row])
        changed = perturb_future(market, moment, style, seed=1)
        pd.testing.assert_frame_equal(
            known_by(market, moment).bars, known_by(changed, moment).bars, check_exact=True
        )
        assert not changed.bars.equals(market.bars)


def test_bars_or_one_source_can_be_changed_alone():
    market = world(0, 600)
    moment = int(market.decision_time_ns[300])
    only = perturb_future(market, moment, "rise", bars=False, series=("fng",))
    assert only.bars is market.bars
    assert [n for n in market.series if only.series[n] is not market.series[n]] == ["fng"]


def test_a_redrawn_stretch_ends_where_it_should():
    start, end = int(PANEL.decision_time_ns[40]), int(PANEL.decision_time_ns[80])
    redrawn = redraw_between(PANEL, start, end, "mirror")
    inside = (PANEL.decision_time_ns > start) & (PANEL.decision_time_ns <= end)
    same = (redrawn.bars == PANEL.bars).all(axis=1).to_numpy()
    assert same[~inside].all()
    assert not same[inside].any()


def test_flat_markets_without_volume_do_not_break_a_style():
    bars = PANEL.bars.assign(open=1.0, high=1.0, low=1.0, close=1.0, volume=0.0)
    flat = PANEL.replace(bars=bars)
    for style in STYLES:
        changed = perturb_future(flat, int(flat.decision_time_ns[50]), style)
        assert np.isfinite(changed.bars.to_numpy()).all()
