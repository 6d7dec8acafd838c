import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onward.errors import LabelError
from onward.labels import (
    ThresholdLabeler,
    TripleBarrierLabeler,
    average_uniqueness,
    return_attribution,
    sample_weights,
    time_decay,
)
from onward.testing.markets import random_walk
from onward.types import Market, Spans

REFERENCES = Path(__file__).parents[2] / "fixtures" / "references"


@pytest.fixture(scope="module")
def published():
    return json.loads((REFERENCES / "weights.json").read_text())["generated"]


@pytest.fixture(scope="module")
def market(published):
    close = np.array(published["close"])
    times = pd.date_range("2024-01-01", periods=len(close), freq="h", tz="UTC", unit="ns")
    index = pd.MultiIndex.from_product([["A"], times], names=["symbol", "open_time"])
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close", "volume"), close), index=index)
    return Market(frame, pd.Timedelta("1h"))


@pytest.fixture(scope="module")
def spans(published, market):
    events = np.array(published["events"])
    time = market.decision_time
    return Spans.from_times(time[events[:, 0]], time[events[:, 1]], market.index[events[:, 0]])


def test_uniqueness_as_published(published, market, spans):
    expected = published["average_uniqueness"]
    np.testing.assert_allclose(average_uniqueness(spans), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(average_uniqueness(spans, market), expected, rtol=0, atol=1e-9)
    order = np.random.default_rng(0).permutation(len(spans))
    shuffled = Spans(spans.index[order], spans.start[order], spans.end[order])
    np.testing.assert_allclose(average_uniqueness(shuffled), np.array(expected)[order], rtol=0, atol=1e-9)


def test_attribution_as_published(published, market, spans):
    np.testing.assert_allclose(
        return_attribution(spans, market, include_entry_bar=True),
        published["return_attribution_afml"],
        rtol=0,
        atol=1e-9,
    )
    np.testing.assert_allclose(
        return_attribution(spans, market),
        published["return_attribution_excluding_entry_bar"],
        rtol=0,
        atol=1e-9,
    )


@pytest.mark.parametrize("oldest", ["1.0", "0.5", "0.0", "-0.25"])
def test_decay_as_published(published, spans, oldest):
    decay = time_decay(np.array(published["average_uniqueness"]), spans.start, float(oldest))
    np.testing.assert_allclose(decay, published["time_decay"][oldest], rtol=0, atol=1e-9)


def test_symbols_do_not_share_instants():
    panel = random_walk(80, symbols=("A", "B"))
    labeler = ThresholdLabeler(horizon_bars=5, mode="fixed")
    together = average_uniqueness(labeler.spans(panel))
    alone = average_uniqueness(labeler.spans(panel.select(["B"])))
    assert together[len(alone) :].tolist() == alone.tolist()
    weights = return_attribution(labeler.spans(panel), panel)
    assert weights.mean() == pytest.approx(1.0)


def test_overlapping_labels_of_every_bar_are_one_over_their_number():
    market = random_walk(80)
    unique = average_uniqueness(ThresholdLabeler(horizon_bars=5, mode="fixed").spans(market))
    assert unique[10:-10] == pytest.approx(np.full(len(unique) - 20, 1 / 6))


def test_instants_are_bars_where_the_market_is_given():
    market = random_walk(60)
    holed = market.replace(bars=market.bars.drop(index=market.index[20:40]))
    spans = ThresholdLabeler(horizon_bars=3, mode="fixed").spans(holed)
    assert average_uniqueness(spans, holed)[10:-10] == pytest.approx(np.full(len(spans) - 20, 1 / 4))


def test_labels_of_one_moment_have_one_age():
    decay = time_decay(np.array([0.5, 0.5, 1.0]), np.array([1, 1, 2]), 0.0)
    assert decay.tolist() == [0.5, 0.5, 1.0]


def test_nothing_in_nothing_out():
    empty = Spans(pd.Index([]), np.empty(0, np.int64), np.empty(0, np.int64))
    assert len(average_uniqueness(empty)) == 0
    assert len(time_decay(np.empty(0), np.empty(0, np.int64))) == 0


def test_what_cannot_be_weighted_is_refused(market, spans):
    backwards = Spans(spans.index, spans.end, spans.start)
    with pytest.raises(LabelError, match="ends before it starts"):
        average_uniqueness(backwards)
    with pytest.raises(LabelError, match="does not fall on bars"):
        return_attribution(Spans(spans.index, spans.start, spans.end + 1), market)
    with pytest.raises(LabelError, match="does not fall on bars"):
        return_attribution(Spans(spans.index, spans.start, spans.end + 10**18), market)
    between = Spans(spans.index[:1], spans.start[:1] + 1, spans.start[:1] + 2)
    with pytest.raises(LabelError, match="does not fall on bars"):
        average_uniqueness(between, market)
    with pytest.raises(LabelError, match="symbol that the market does not have"):
        average_uniqueness(spans, random_walk(10, symbols=("B",)))
    flat = market.replace(bars=market.bars * 0.0 + 1.0)
    with pytest.raises(LabelError, match="prices that are known and move"):
        return_attribution(spans, flat)
    unknown = market.replace(bars=market.bars * np.nan)
    with pytest.raises(LabelError, match="prices that are known and move"):
        return_attribution(spans, unknown)


@pytest.mark.parametrize("oldest", [-1.0, 1.5, np.nan])
def test_decay_out_of_range_is_refused(oldest):
    with pytest.raises(LabelError, match="factor of the oldest label"):
        time_decay(np.ones(2), np.arange(2), oldest)


@pytest.mark.parametrize("uniqueness", [np.ones(3), np.array([0.0, 1.0]), np.array([np.nan, 1.0])])
def test_decay_needs_one_uniqueness_a_label(uniqueness):
    with pytest.raises(LabelError, match="one positive uniqueness a label"):
        time_decay(uniqueness, np.arange(2))


def test_weights_of_training_rows_have_mean_one(market, spans):
    unique = average_uniqueness(spans, market)
    plain = sample_weights(spans, market, "uniqueness")
    np.testing.assert_allclose(plain, unique / unique.mean(), rtol=1e-12)
    np.testing.assert_allclose(
        sample_weights(spans, market, "return"), return_attribution(spans, market), rtol=1e-12
    )
    assert sample_weights(spans, market, "none").tolist() == [1.0] * len(spans)
    for scheme in ("none", "uniqueness", "return"):
        old = sample_weights(spans, market, scheme)
        decayed = sample_weights(spans, market, scheme, oldest=0.25)
        assert decayed.mean() == pytest.approx(1.0)
        ratio = decayed / old
        expected = time_decay(unique, spans.start, 0.25)
        np.testing.assert_allclose(ratio / ratio[-1], expected / expected[-1], rtol=1e-12)


def test_the_oldest_rows_can_lose_all_weight(market, spans):
    weight = sample_weights(spans, market, "uniqueness", oldest=-0.25)
    assert (weight == 0.0).sum() == 2
    assert weight.mean() == pytest.approx(1.0)


def test_weights_follow_from_the_rows_in_hand_alone():
    market = random_walk(400, symbols=("A", "B"), seed=8)
    spans = TripleBarrierLabeler(horizon_bars=12, window_bars=30).spans(market)
    thinned = spans.take(np.arange(0, len(spans), 7))
    unique = average_uniqueness(thinned, market)
    assert unique.mean() > 2.0 * average_uniqueness(spans, market).mean()
    np.testing.assert_allclose(sample_weights(thinned, market), unique / unique.mean())


def test_no_rows_have_no_weights(market, spans):
    assert len(sample_weights(spans.take(np.empty(0, np.int64)), market)) == 0


def test_unknown_weights_are_refused(market, spans):
    with pytest.raises(LabelError, match="Did you mean 'uniqueness'"):
        sample_weights(spans, market, "uniquenes")
    with pytest.raises(LabelError, match="factor of the oldest label"):
        sample_weights(spans, market, oldest=2.0)
