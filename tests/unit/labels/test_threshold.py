import json
import math

import numpy as np
import pandas as pd
import pytest

from onward.errors import LabelError, NotEnoughDataError
from onward.labels import CATALOG, MODES, ThresholdLabeler, labeler_from_json
from onward.protocols import Labeler
from onward.testing.markets import random_walk
from onward.types import Market

HOUR = 3_600_000_000_000


def market_of(closes, *, missing=(), symbol="A"):
    times = pd.date_range("2024-01-01", periods=len(closes), freq="h", tz="UTC", unit="ns")
    close = pd.Series(closes, dtype=np.float64).to_numpy()
    index = pd.MultiIndex.from_product([[symbol], times], names=["symbol", "open_time"])
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), close), index=index)
    frame["volume"] = 1.0
    return Market(frame.drop(index=index[list(missing)]), pd.Timedelta("1h"))


@pytest.fixture(scope="module")
def panel():
    return random_walk(600, symbols=("A", "B"), seed=3)


def test_it_satisfies_the_protocol():
    assert isinstance(ThresholdLabeler(), Labeler)


def test_classes_follow_the_sign_of_the_move_beyond_the_border():
    closes = np.exp([0.0, 0.03, 0.03, 0.01, 0.02, 0.02])
    labels = ThresholdLabeler(horizon_bars=1, mode="fixed", threshold=0.015).label(market_of(closes))
    assert labels.y.tolist() == [1, 0, -1, 0, 0]
    assert labels.y.dtype == np.int64
    assert labels.weight.tolist() == [1.0] * 5


def test_a_move_that_only_reaches_the_border_stays_in_range():
    closes = [1.0, 2.0, 1.0]
    border = math.log(2.0)
    assert ThresholdLabeler(1, "fixed", threshold=border).label(market_of(closes)).y.tolist() == [0, 0]
    smaller = math.nextafter(border, 0.0)
    assert ThresholdLabeler(1, "fixed", threshold=smaller).label(market_of(closes)).y.tolist() == [1, -1]


def test_spans_run_from_decision_to_decision_and_count_bars_across_gaps():
    market = market_of(np.ones(8), missing=(3, 4))
    spans = ThresholdLabeler(horizon_bars=2, mode="fixed").spans(market)
    hours = [0, 1, 2, 5, 6, 7]
    origin = market.open_time_ns[0] + HOUR
    assert ((spans.start - origin) // HOUR).tolist() == hours[:4]
    assert ((spans.end - origin) // HOUR).tolist() == hours[2:]
    assert spans.index.equals(market.index[:4])


def test_symbols_do_not_mix(panel):
    for mode in MODES:
        labeler = ThresholdLabeler(horizon_bars=6, mode=mode, window_bars=30, fitted_threshold=0.01)
        together = labeler.label(panel)
        for symbol in panel.symbols:
            alone = labeler.label(panel.select([symbol]))
            here = together.spans.index.get_level_values(0) == symbol
            assert together.y[here].tolist() == alone.y.tolist()
            assert together.spans.index[here].equals(alone.spans.index)


def test_quantile_borders_come_from_the_given_rows_alone(panel):
    labeler = ThresholdLabeler(horizon_bars=6, mode="quantile", quantile=0.4)
    rows = np.arange(100, 300)
    fitted = labeler.fit(panel, rows)
    close = panel.bars["close"].to_numpy()[: panel.rows["A"].stop]
    known = np.abs(np.log(close[6:] / close[:-6]))[rows]
    assert fitted.fitted_threshold == pytest.approx(np.quantile(known, 0.4), rel=1e-12)
    share = (fitted.label(panel).y[rows] == 0).mean()
    assert share == pytest.approx(0.4, abs=0.01)
    assert labeler.fitted_threshold is None
    mask = np.isin(np.arange(len(labeler.spans(panel))), rows)
    assert labeler.fit(panel, mask) == fitted


def test_quantile_labels_need_a_fit(panel):
    with pytest.raises(LabelError, match=r"before it is fitted.*Call fit"):
        ThresholdLabeler(mode="quantile").label(panel)
    assert len(ThresholdLabeler(mode="quantile").spans(panel)) == 2 * (600 - 24)


@pytest.mark.parametrize("mode", ["fixed", "volatility", "adaptive"])
def test_other_modes_learn_nothing_from_rows(panel, mode):
    labeler = ThresholdLabeler(mode=mode)
    assert labeler.fit(panel, np.arange(5)) is labeler


def test_volatility_borders_are_the_trailing_deviation(panel):
    labeler = ThresholdLabeler(horizon_bars=4, mode="volatility", multiplier=0.5, window_bars=20)
    close = panel.bars["close"].loc["A"]
    expected = np.log(close).diff().rolling(20).std() * 2.0 * 0.5
    spans = labeler.spans(panel)
    first = spans.index.get_level_values(0) == "A"
    assert spans.index[first][0] == ("A", close.index[20])
    np.testing.assert_allclose(labeler.thresholds(panel)[first], expected.to_numpy()[20 : 600 - 4], rtol=1e-9)


def test_adaptive_borders_use_returns_that_had_ended(panel):
    labeler = ThresholdLabeler(horizon_bars=4, mode="adaptive", quantile=0.25, window_bars=20)
    close = np.log(panel.bars["close"].loc["A"].to_numpy())
    border = labeler.thresholds(panel)
    for row in (23, 24, 300, 595):
        ended = [abs(close[j + 4] - close[j]) for j in range(row - 23, row - 3)]
        position = row - 23
        assert border[position] == pytest.approx(np.quantile(ended, 0.25), rel=1e-12)
    assert len(border) == 2 * (600 - 4 - 23)


def test_rows_that_rest_on_an_unknown_close_have_no_label():
    closes = np.linspace(1.0, 2.0, 40)
    closes[20] = np.nan
    labeler = ThresholdLabeler(horizon_bars=3, mode="fixed")
    rows = labeler.spans(market_of(closes)).index.get_level_values(1).hour
    assert len(rows) == 40 - 3 - 2
    trailing = ThresholdLabeler(horizon_bars=3, mode="volatility", window_bars=5).spans(market_of(closes))
    assert len(trailing) == (37 - 5) - 1 - 6


def test_prices_that_never_move_are_all_range():
    for mode in MODES:
        labeler = ThresholdLabeler(3, mode, window_bars=5, fitted_threshold=0.0)
        assert set(labeler.label(market_of(np.full(40, 7.0))).y.tolist()) == {0}


@pytest.mark.parametrize(
    ("mode", "needed"), [("fixed", 11), ("quantile", 11), ("volatility", 16), ("adaptive", 25)]
)
def test_too_few_bars_for_the_horizon(mode, needed):
    labeler = ThresholdLabeler(10, mode, window_bars=5)
    prices = np.linspace(1.0, 2.0, 30)
    assert len(labeler.spans(market_of(prices[:needed]))) == 1
    with pytest.raises(NotEnoughDataError, match=f"at least {needed} bars") as caught:
        labeler.spans(market_of(prices[: needed - 1]))
    assert caught.value.remedy
    with pytest.raises(NotEnoughDataError):
        labeler.label(market_of(prices[: needed - 1]))


def test_a_symbol_that_is_too_short_is_left_out_not_fatal():
    long, short = market_of(np.ones(30), symbol="A"), market_of(np.ones(3), symbol="B")
    panel = Market(pd.concat([long.bars, short.bars]), long.timeframe)
    spans = ThresholdLabeler(horizon_bars=5, mode="fixed").spans(panel)
    assert set(spans.index.get_level_values(0)) == {"A"}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"horizon_bars": 0}, "horizon_bars"),
        ({"horizon_bars": 2.5}, "horizon_bars"),
        ({"horizon_bars": True}, "horizon_bars"),
        ({"window_bars": 1}, "window_bars"),
        ({"window_bars": "168"}, "window_bars"),
        ({"threshold": 0.0}, "threshold"),
        ({"threshold": math.inf}, "threshold"),
        ({"threshold": "1%"}, "threshold"),
        ({"quantile": 1.0}, "quantile"),
        ({"quantile": math.nan}, "quantile"),
        ({"multiplier": -1}, "multiplier"),
        ({"multiplier": True}, "multiplier"),
        ({"fitted_threshold": -0.1}, "fitted_threshold"),
        ({"mode": "volatilty"}, "Did you mean 'volatility'"),
        ({"mode": None}, "mode"),
    ],
)
def test_arguments_out_of_range_are_named(arguments, field):
    with pytest.raises(LabelError, match=field) as caught:
        ThresholdLabeler(**arguments)
    assert caught.value.allowed
    assert caught.value.remedy


@pytest.mark.parametrize("rows", [[], [-1], [10_000], [0.5], [[1, 2]], "all", None])
def test_rows_that_cannot_be_fitted_on(panel, rows):
    for mode in ("quantile", "volatility"):
        with pytest.raises(LabelError, match="cannot be fitted on these rows"):
            ThresholdLabeler(mode=mode).fit(panel, rows)


def test_json_round_trip_keeps_the_labels(panel):
    fitted = ThresholdLabeler(6, "quantile", quantile=0.3).fit(panel, np.arange(400))
    again = ThresholdLabeler.from_json(json.loads(json.dumps(fitted.to_json())))
    assert again == fitted
    assert again.label(panel).y.tolist() == fitted.label(panel).y.tolist()


def test_numpy_arguments_become_plain_json():
    labeler = ThresholdLabeler(np.int64(6), threshold=np.float32(0.5))
    assert json.loads(json.dumps(labeler.to_json()))["horizon_bars"] == 6


def test_the_catalogue_rebuilds_every_labeler():
    for name, cls in CATALOG.items():
        assert cls().name == name
        assert labeler_from_json(json.loads(json.dumps(cls().to_json()))) == cls()
    with pytest.raises(LabelError, match="Did you mean 'threshold'"):
        labeler_from_json({"labeler": "treshold"})
    with pytest.raises(LabelError, match="not known; got None"):
        labeler_from_json({})


def test_states_of_something_else_are_refused():
    state = ThresholdLabeler().to_json()
    with pytest.raises(LabelError, match="not the state of a ThresholdLabeler"):
        ThresholdLabeler.from_json({**state, "labeler": "triple_barrier"})
    with pytest.raises(LabelError, match="Did you mean 'multiplier'"):
        ThresholdLabeler.from_json({**state, "multiplyer": 1})
