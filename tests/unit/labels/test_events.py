import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from onward.errors import LabelError, NotEnoughDataError
from onward.labels import (
    CATALOG,
    CusumSampledLabeler,
    ThresholdLabeler,
    TripleBarrierLabeler,
    cusum_events,
    labeler_from_json,
)
from onward.testing.markets import random_walk
from onward.types import Labels

REFERENCES = Path(__file__).parents[2] / "fixtures" / "references"
PUBLISHED = json.loads((REFERENCES / "cusum.json").read_text())


@pytest.fixture(scope="module")
def panel():
    return random_walk(500, symbols=("A", "B"), seed=4)


@pytest.mark.parametrize("case", PUBLISHED["cases"], ids=lambda case: f"{case['on']}-{case['h']}")
def test_events_as_published(case):
    prices = np.array(PUBLISHED["prices"])
    series = np.log(prices) if case["on"] == "log_returns" else prices
    assert cusum_events(series, case["h"]).tolist() == case["events"]


def test_events_follow_from_what_came_before():
    series = np.cumsum(np.random.default_rng(0).normal(size=300))
    events = cusum_events(series, 1.5)
    for cut in (50, 137, 299):
        assert cusum_events(series[:cut], 1.5).tolist() == events[events < cut].tolist()


def test_thresholds_may_differ_by_row():
    series = np.arange(6.0)
    assert cusum_events(series, np.array([0.5, 0.5, 0.5, 9.0, np.nan, 0.5])).tolist() == [1, 2, 5]


@pytest.mark.parametrize(
    ("values", "threshold", "message"),
    [
        (np.ones((2, 2)), 1.0, "one series"),
        (np.ones(3), np.ones(2), "one series"),
        (np.array([1.0, np.inf]), 1.0, "1 infinite values"),
        (np.ones(3), -1.0, "not negative"),
        (np.ones(3), np.nan, "not negative"),
    ],
)
def test_what_cannot_be_filtered_is_refused(values, threshold, message):
    with pytest.raises(LabelError, match=message):
        cusum_events(values, threshold)


@pytest.mark.parametrize("mode", ["volatility", "fixed"])
def test_only_events_are_labelled_and_each_as_before(panel, mode):
    inner = TripleBarrierLabeler(horizon_bars=6, window_bars=30)
    size = 2.0 if mode == "volatility" else 0.01
    labeler = CusumSampledLabeler(inner, cusum_threshold=size, cusum_mode=mode, window_bars=30)
    sampled, everything = labeler.label(panel), inner.label(panel)
    place = everything.spans.index.get_indexer(sampled.spans.index)
    assert 0 < len(sampled) < len(everything)
    assert sampled.y.tolist() == everything.y[place].tolist()
    assert sampled.spans.end.tolist() == everything.spans.end[place].tolist()
    events = panel.index[labeler.events(panel)]
    assert set(sampled.spans.index) == set(events) & set(everything.spans.index)
    alone = labeler.label(panel.select(["B"]))
    here = sampled.spans.index.get_level_values(0) == "B"
    assert sampled.y[here].tolist() == alone.y.tolist()


def test_events_of_a_fixed_size_are_those_of_the_filter(panel):
    labeler = CusumSampledLabeler(cusum_threshold=0.02, cusum_mode="fixed")
    for rows in panel.rows.values():
        logarithm = np.log(panel.bars["close"].to_numpy()[rows])
        expected = cusum_events(logarithm, 0.02).tolist()
        assert np.flatnonzero(labeler.events(panel)[rows]).tolist() == expected


def test_fitting_hands_on_the_chosen_events_only(panel):
    inner = ThresholdLabeler(horizon_bars=6, mode="quantile")
    labeler = CusumSampledLabeler(inner, window_bars=30)
    rows = np.arange(20, 60)
    fitted = labeler.fit(panel, rows)
    sampled = panel.index.get_indexer(labeler.spans(panel).index[rows])
    close = panel.bars["close"].to_numpy()
    known = np.abs(np.log(close[sampled + 6] / close[sampled]))
    assert fitted.labeler.fitted_threshold == pytest.approx(np.quantile(known, inner.quantile))
    assert fitted.label(panel).y[rows].tolist().count(0) == pytest.approx(40 / 3, abs=1)
    with pytest.raises(LabelError, match="cannot be fitted on these rows"):
        labeler.fit(panel, np.array([10**6]))


def test_a_price_that_stands_still_makes_no_events():
    market = random_walk(100)
    flat = market.replace(bars=market.bars * 0.0 + 100.0)
    with pytest.raises(NotEnoughDataError, match="0 events among 100 bars"):
        CusumSampledLabeler(ThresholdLabeler(3, "fixed"), window_bars=10).spans(flat)


def test_a_move_from_before_a_standstill_fires_nothing_in_it():
    """One small move stays in the sum; when it leaves the window, the deviation falls to 0."""
    market = random_walk(60)
    still = market.replace(bars=market.bars.assign(close=np.where(np.arange(60) < 20, 100.0, 101.0)))
    labeler = CusumSampledLabeler(ThresholdLabeler(3, "fixed"), cusum_threshold=4.0, window_bars=10)
    assert not labeler.events(still).any()


@dataclass(frozen=True)
class Weighted(ThresholdLabeler):
    """Counts later rows for more."""

    def label(self, market):
        labels = super().label(market)
        weight = np.arange(1.0, len(labels) + 1.0)
        return Labels(labels.y, labels.spans, weight / weight.mean())


def test_weights_of_the_events_that_are_left_have_mean_one(panel):
    labeler = CusumSampledLabeler(Weighted(6, "fixed"), window_bars=30)
    weight = labeler.label(panel).weight
    assert weight.mean() == pytest.approx(1.0)
    assert (np.diff(weight) > 0.0).all()


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_it_survives_json_around_every_labeler(name, panel):
    labeler = CusumSampledLabeler(CATALOG[name](), cusum_threshold=1.5, window_bars=30)
    again = labeler_from_json(json.loads(json.dumps(labeler.to_json())))
    assert again == labeler
    fitted = labeler.fit(panel, np.arange(10))
    assert labeler_from_json(fitted.to_json()).label(panel).y.tolist() == fitted.label(panel).y.tolist()


def test_a_state_without_an_inner_labeler_means_the_default():
    assert labeler_from_json({"labeler": "cusum_sampled"}) == CusumSampledLabeler()
    with pytest.raises(LabelError, match="unknown field"):
        labeler_from_json({"labeler": "cusum_sampled", "threshold": 1.0})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labeler": "threshold"}, "only a labeler can be sampled"),
        ({"cusum_threshold": 0.0}, "cusum_threshold is out of range"),
        ({"cusum_mode": "volatile"}, "Did you mean 'volatility'"),
        ({"window_bars": 1}, "window_bars"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    with pytest.raises(LabelError, match=message):
        CusumSampledLabeler(**changes)
