"""Every labeler of the catalogue against the contract, and the contract against labelers that break it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from onward.labels import (
    CATALOG,
    MODES,
    CusumSampledLabeler,
    MetaLabeler,
    ThresholdLabeler,
    TrendScanningLabeler,
    TripleBarrierLabeler,
)
from onward.labels.horizon import outcomes
from onward.testing.labelers import check_labeler, scrambled
from onward.testing.markets import random_walk
from onward.types import Labels, Spans


@pytest.fixture(scope="module")
def market():
    panel = random_walk(500, symbols=("A", "B"), seed=11)
    return panel.replace(bars=panel.bars.drop(index=panel.index[200:230]))


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_every_labeler_keeps_its_promises(name, market):
    check_labeler(CATALOG[name](), market)


@pytest.mark.parametrize("horizon", [1, 7])
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_the_threshold_labeler_keeps_them(mode, horizon, market):
    check_labeler(ThresholdLabeler(horizon, mode, threshold=0.004, window_bars=30), market)


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_every_labeler_keeps_them_on_events_only(name, market):
    check_labeler(CusumSampledLabeler(CATALOG[name](), window_bars=30), market)


@pytest.mark.parametrize(
    "options",
    [
        {"side": "long", "profit": 1.0, "stop": 0.5, "vertical": "sign", "unit": "bar", "estimator": "ewm"},
        {"side": "short", "profit": 0.5, "stop": 0.0},
        {"price": "high_low", "tie": "stop"},
        {"price": "high_low", "tie": "nearest", "profit": 0.3},
        {"price": "high_low", "tie": "drop", "profit": 0.3},
        {"price": "high_low", "tie": "profit", "side": "long"},
        {"mode": "fixed", "threshold": 0.004, "horizon_bars": 1},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_barriers_of_every_kind_keep_them(options, market):
    check_labeler(TripleBarrierLabeler(**{"horizon_bars": 7, "window_bars": 30, **options}), market)


@pytest.mark.parametrize("signal", ["momentum", "mean_reversion", "breakout"])
def test_every_primary_signal_keeps_them(signal, market):
    check_labeler(MetaLabeler(signal=signal, signal_bars=5, horizon_bars=7, window_bars=30), market)


@pytest.mark.parametrize("step", [1, 4])
def test_trends_of_every_length_keep_them(step, market):
    check_labeler(TrendScanningLabeler(horizon_bars=9, shortest_bars=2, step_bars=step), market)


def test_scrambling_changes_the_chosen_bars_and_no_others(market):
    rows = np.arange(len(market)) % 3 == 0
    other = scrambled(market, rows, np.random.default_rng(0))
    same = (other.bars["close"] == market.bars["close"]).to_numpy()
    assert np.array_equal(same, ~rows)
    assert (other.bars["high"] >= other.bars["low"]).all()


@dataclass(frozen=True)
class Wrapped(ThresholdLabeler):
    mode: str = "fixed"
    threshold: float = 0.004
    horizon_bars: int = 5


class ShiftedStart(Wrapped):
    def spans(self, market):
        spans = super().spans(market)
        return Spans(spans.index, spans.start + 1, spans.end)


class EndsTooEarly(Wrapped):
    """Claims to know the label two bars before it does."""

    def _spans(self, market, labelled):
        spans = super()._spans(market, labelled)
        return Spans(spans.index, spans.start, spans.end - 2 * market.timeframe_ns)


class BeyondTheData(Wrapped):
    def _spans(self, market, labelled):
        spans = super()._spans(market, labelled)
        return Spans(spans.index, spans.start, spans.end + 2 * market.timeframe_ns)


class WholeSampleBorder(Wrapped):
    """The border is a quantile of all outcomes, whatever rows it was fitted on."""

    def _borders(self, market):
        return np.full(len(market), np.nanquantile(np.abs(outcomes(market, self.horizon_bars)), 0.4))


class SpansMoveWithFit(Wrapped):
    def fit(self, market, rows):
        return replace(self, horizon_bars=4)


class EndsWithTheWindowThatWon(TrendScanningLabeler):
    """The span of the book: it ends before the windows that lost are over."""

    def _spans(self, market, rows):
        from onward.kernels.forward.trends import largest_trend

        window = np.zeros(len(market), dtype=np.int64)
        for part in market.rows.values():
            close = market.bars["close"].to_numpy()[part]
            window[part] = largest_trend(close, self.shortest_bars, self.horizon_bars, self.step_bars)[1]
        time = market.decision_time_ns
        return Spans(market.index[rows], time[rows], time[rows + window[rows]])


class SignalOfTheFuture(MetaLabeler):
    def signals(self, market):
        close = market.bars["close"].to_numpy()
        return np.append(np.sign(close[3:] - close[:-3]), [0.0, 0.0, 0.0])


class EventsOfTheFuture(CusumSampledLabeler):
    def events(self, market):
        return np.roll(super().events(market), -2)


class Backwards(Wrapped):
    def _spans(self, market, labelled):
        spans = super()._spans(market, labelled)
        return Spans(spans.index, spans.start, spans.start - 1)


class FloatClasses(Wrapped):
    def label(self, market):
        labels = super().label(market)
        return Labels(labels.y.astype(float), labels.spans, labels.weight)


class HeavyWeights(Wrapped):
    def label(self, market):
        labels = super().label(market)
        return Labels(labels.y, labels.spans, labels.weight * 2.0)


class Constant(Wrapped):
    def label(self, market):
        labels = super().label(market)
        return Labels(labels.y * 0, labels.spans, labels.weight)


class Vandal(Wrapped):
    def label(self, market):
        labels = super().label(market)
        market.bars.iloc[0, 0] *= 2.0
        market.__dict__.pop("content_hash", None)
        return labels


@pytest.mark.parametrize(
    ("cls", "promise"),
    [
        (ShiftedStart, "does not start at the row's decision time"),
        (EndsTooEarly, "bars after its end"),
        (BeyondTheData, "beyond the symbol's data"),
        (WholeSampleBorder, "bars after its end"),
        (EndsWithTheWindowThatWon, "bars after its end"),
        (SignalOfTheFuture, r"signals\(\) changes with bars after the decision"),
        (EventsOfTheFuture, r"bars after its end|events\(\) changes with bars after the decision"),
        (SpansMoveWithFit, "fitting moved the spans"),
        (Backwards, "ends before it starts"),
        (FloatClasses, "not int64"),
        (HeavyWeights, "mean 1"),
        (Constant, "no label depends"),
        (Vandal, "was modified"),
    ],
)
def test_broken_promises_are_found(cls, promise, market):
    copy = market.replace(bars=market.bars.copy())
    with pytest.raises(AssertionError, match=promise):
        check_labeler(cls(), copy)


def test_something_else_is_not_a_labeler(market):
    with pytest.raises(AssertionError, match="does not satisfy"):
        check_labeler(object(), market)
