"""Barriers against the published cases, against a plain walk through the bars, and at their edges."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.errors import LabelError, NotEnoughDataError
from onward.labels import TripleBarrierLabeler, labeler_from_json
from onward.labels.volatility import trailing_deviation
from onward.testing.markets import random_walk
from onward.types import Market

REFERENCES = Path(__file__).parents[2] / "fixtures" / "references"
PUBLISHED = json.loads((REFERENCES / "triple_barrier.json").read_text())
CASES = {case["name"]: case for case in PUBLISHED["hand_cases"]["cases"]}
HOUR = 3_600_000_000_000


def market_of(close, open_=None, high=None, low=None, symbol="A"):
    times = pd.date_range("2024-01-01", periods=len(close), freq="h", tz="UTC", unit="ns")
    index = pd.MultiIndex.from_product([[symbol], times], names=["symbol", "open_time"])
    columns = {"open": open_, "high": high, "low": low, "close": close}
    prices = {n: np.array(close if v is None else v, dtype=np.float64) for n, v in columns.items()}
    return Market(pd.DataFrame({**prices, "volume": 1.0}, index=index), pd.Timedelta("1h"))


def labeler(**changes):
    values = {"horizon_bars": 3, "mode": "fixed", "threshold": 0.02, "profit": 1.0, "side": "long"}
    return TripleBarrierLabeler(**{**values, **changes})


def first_row(market, **changes):
    """Return (bar of the touch, class) of the first row; None when it has no label."""
    try:
        labels = labeler(**changes).label(market)
    except NotEnoughDataError:
        return None
    if labels.spans.index[0] != market.index[0]:
        return None
    return int((labels.spans.end[0] - labels.spans.start[0]) // HOUR), int(labels.y[0])


@pytest.mark.parametrize("name", ["up first", "down first", "touch before end of data", "NaN close inside"])
def test_touches_on_closes_as_published(name):
    expected = CASES[name]["expect_close_only"]
    assert first_row(market_of(CASES[name]["close"])) == (expected["t1"], expected["label"])


@pytest.mark.parametrize("name", ["vertical, positive return", "vertical, exactly zero return"])
def test_the_vertical_barrier_as_published(name):
    market, expected = market_of(CASES[name]["close"]), CASES[name]["expect_close_only"]
    assert first_row(market) == (3, expected["label_zero_variant"])
    assert first_row(market, vertical="sign") == (3, expected["label_sign_variant"])


def test_a_price_that_only_reaches_a_barrier_does_not_cross_it():
    case = CASES["exact touch, exactly representable"]
    expected = case["expect_close_only"]["strict(AFML 3.2, mlfinpy, RiskLabAI)"]
    market = market_of(case["close"])
    assert first_row(market, threshold=0.25) == (expected["t1"], expected["label_zero_variant"])
    assert first_row(market, threshold=0.25, vertical="sign")[1] == expected["label_sign_variant"]


def bars_of(name):
    case = CASES[name]
    return market_of(case["close"], case["open"], case["high"], case["low"]), case["vertical"]


def test_both_barriers_in_one_bar_as_published():
    market, horizon = bars_of("both barriers in one bar")
    options = {"price": "high_low", "horizon_bars": horizon}
    assert first_row(market, **options, tie="stop") == (1, -1)
    assert first_row(market, **options, tie="profit") == (1, 1)
    assert first_row(market, **options, tie="drop") is None
    assert first_row(market, horizon_bars=horizon) == (1, 1)
    assert first_row(market, **options, side="both") == (1, 0)
    assert first_row(market, **options, side="short") == (1, 1)
    assert first_row(market, **options, side="short", tie="profit") == (1, -1)


def test_the_level_nearer_to_the_open_counts_when_asked():
    options = {"price": "high_low", "horizon_bars": 1, "tie": "nearest"}
    for open_, expected in ((101.0, 1), (99.0, -1), (100.0, -1)):
        market = market_of([100, 100], [100, open_], [100, 103], [100, 97])
        assert first_row(market, **options) == (1, expected)
    assert first_row(market, **options, side="short") == (1, 1)


@pytest.mark.parametrize("name", ["gap through stop", "gap through target then stop range"])
def test_a_bar_that_opens_beyond_a_barrier_ends_there(name):
    market, horizon = bars_of(name)
    expected = CASES[name]["expect_high_low"]
    chosen = labeler(price="high_low", horizon_bars=horizon)
    assert chosen.label(market).y.tolist() == [expected["label"]]
    assert chosen.outcomes(market)["price"].tolist() == [expected["exit_price"]]
    if "expect_close_only" in CASES[name]:
        assert first_row(market, horizon_bars=horizon) == (1, CASES[name]["expect_close_only"]["label"])


def test_the_range_of_the_entry_bar_does_not_count():
    market, horizon = bars_of("entry bar range must not count")
    outcome = labeler(price="high_low", horizon_bars=horizon).outcomes(market)
    assert outcome["barrier"].tolist() == ["vertical"]


def test_the_end_of_the_data_is_not_the_vertical_barrier():
    assert first_row(market_of(CASES["end of data"]["close"])) is None


def test_the_short_side_as_published():
    case = CASES["short side"]
    market, expected = market_of(case["close"]), case["expect_close_only"]
    assert first_row(market, side="short", stop=5.0) == (expected["t1"], -1)
    outcome = labeler(side="short", stop=5.0).outcomes(market).iloc[0]
    assert -outcome["return"] == pytest.approx(expected["ret_side_adjusted"])


def test_a_dead_market_has_no_width_and_no_labels():
    dead = market_of([100.0] * 40 + [101.0, 102.0])
    assert CASES["zero width"]["expect_close_only"]["label"] is None
    volatile = labeler(mode="volatility", window_bars=5)
    assert volatile.spans(dead).index.isin(dead.index[:40]).sum() == 0
    with pytest.raises(NotEnoughDataError, match="widths up to 0"):
        volatile.spans(market_of([100.0] * 40))


def test_a_nan_close_at_the_vertical_barrier_leaves_the_row_open():
    assert first_row(market_of([100, 101, 101, np.nan])) is None
    assert first_row(market_of([np.nan, 101, 103, 101])) is None


GENERATED = PUBLISHED["generated"]


@pytest.mark.parametrize("setting", GENERATED["close_only"], ids=lambda s: f"{s['pt']}-{s['sl']}")
def test_generated_paths_on_closes_as_published(setting):
    market = market_of(GENERATED["close"])
    chosen = TripleBarrierLabeler(
        side="long",
        horizon_bars=setting["horizon"],
        profit=setting["pt"],
        stop=setting["sl"],
        mode="volatility",
        estimator="ewm",
        window_bars=20,
        unit="bar",
    )
    rows = pd.DataFrame(setting["rows"])
    cut_off = rows["barrier"] == "none"
    outcome = chosen.outcomes(market)
    assert not market.index[rows["t0"][cut_off]].isin(outcome.index).any()
    rows = rows[~cut_off].astype({"t1": np.int64, "label_3class": np.int64, "label_sign": np.int64})
    outcome = outcome.loc[market.index[rows["t0"]]]
    assert outcome["barrier"].replace({"upper": "pt", "lower": "sl"}).tolist() == rows["barrier"].tolist()
    np.testing.assert_allclose(outcome["width"], rows["width"], rtol=1e-9)
    np.testing.assert_allclose(outcome["return"], rows["ret"], rtol=0, atol=1e-9)
    assert outcome["end"].tolist() == market.decision_time[rows["t1"]].tolist()
    assert outcome["class"].tolist() == rows["label_3class"].tolist()
    by_sign = labeler_from_json({**chosen.to_json(), "vertical": "sign"}).outcomes(market)
    assert by_sign.loc[outcome.index, "class"].tolist() == rows["label_sign"].tolist()


@pytest.mark.parametrize("setting", GENERATED["high_low"], ids=lambda s: s["tie"])
def test_generated_paths_through_bars_as_published(setting):
    bars = GENERATED["ohlc"]
    market = market_of(bars["close"], bars["open"], bars["high"], bars["low"])
    chosen = TripleBarrierLabeler(
        side="long",
        horizon_bars=setting["horizon"],
        profit=setting["pt"],
        stop=setting["sl"],
        mode="fixed",
        threshold=setting["width"],
        price="high_low",
        # The reference's "open" lets the open decide when it lies beyond a level, else the stop.
        tie={"sl": "stop", "pt": "profit", "nan": "drop", "open": "stop"}[setting["tie"]],
    )
    rows = pd.DataFrame(setting["rows"])
    ambiguous = rows["barrier"] == "ambiguous"
    outcome = chosen.outcomes(market)
    assert not market.index[rows["t0"][ambiguous]].isin(outcome.index).any()
    rows = rows[~ambiguous]
    outcome = outcome.loc[market.index[rows["t0"]]]
    assert outcome["end"].tolist() == market.decision_time[rows["t1"]].tolist()
    classes = rows["barrier"].map({"pt": 1, "sl": -1, "vertical": 0})
    assert outcome["class"].tolist() == classes.tolist()
    np.testing.assert_allclose(outcome["price"], rows["exit_price"], rtol=1e-9)


@given(
    seed=st.integers(0, 10_000),
    side=st.sampled_from(["long", "short"]),
    profit=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    stop=st.sampled_from([None, 0.0, 0.5, 3.0]),
    horizon=st.integers(1, 9),
    vertical=st.sampled_from(["range", "sign"]),
)
def test_paths_on_closes_equal_a_plain_walk(seed, side, profit, stop, horizon, vertical):
    if profit == 0.0 and stop in (None, 0.0):
        vertical = "sign"
    close = 100.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, 0.02, 40)))
    market = market_of(close)
    labels = labeler(side=side, profit=profit, stop=stop, horizon_bars=horizon, vertical=vertical).label(
        market
    )
    sign = 1 if side == "long" else -1
    far = profit if stop is None else stop
    expected = []
    for row in range(len(close)):
        for bar in range(row + 1, min(row + horizon, len(close) - 1) + 1):
            gain = sign * (close[bar] / close[row] - 1.0)
            if profit > 0.0 and gain > profit * 0.02:
                expected.append((row, bar, sign))
                break
            if far > 0.0 and gain < -far * 0.02:
                expected.append((row, bar, -sign))
                break
            if bar == row + horizon:
                drift = int(np.sign(close[bar] - close[row])) if vertical == "sign" else 0
                expected.append((row, bar, drift))
    rows = market.index.get_indexer(labels.spans.index)
    ends = np.searchsorted(market.decision_time_ns, labels.spans.end)
    found = zip(rows.tolist(), ends.tolist(), labels.y.tolist(), strict=True)
    assert list(found) == expected


@pytest.fixture(scope="module")
def panel():
    return random_walk(500, symbols=("A", "B"), seed=5)


def test_symbols_do_not_mix_and_gaps_count_bars(panel):
    chosen = TripleBarrierLabeler(horizon_bars=6, window_bars=30, price="high_low")
    together = chosen.label(panel)
    for symbol in panel.symbols:
        alone = chosen.label(panel.select([symbol]))
        here = together.spans.index.get_level_values(0) == symbol
        assert together.y[here].tolist() == alone.y.tolist()
        assert together.spans.index[here].equals(alone.spans.index)
    holed = market_of([100.0, 100.0, 100.0, 103.0, 100.0, 100.0])
    holed = holed.replace(bars=holed.bars.drop(index=holed.index[[1]]))
    assert first_row(holed, horizon_bars=2) == (3, 1)


def test_widths_are_deviations_known_at_the_decision(panel):
    chosen = TripleBarrierLabeler(horizon_bars=9, window_bars=30)
    returns = panel.select(["A"]).bars["close"].pct_change()
    expected = returns.rolling(30).std() * 3.0
    spans = chosen.spans(panel)
    here = spans.index.get_level_values(0) == "A"
    np.testing.assert_allclose(chosen.thresholds(panel)[here], expected.loc[spans.index[here]], rtol=1e-9)
    weighted = trailing_deviation(panel, 30, "ewm")[: len(returns)]
    np.testing.assert_allclose(weighted, returns.ewm(span=30, min_periods=30).std(), rtol=1e-9)
    longer = TripleBarrierLabeler(horizon_bars=9, window_bars=30, min_return=0.015)
    assert 0 < len(longer.spans(panel)) < len(spans)
    assert longer.thresholds(panel).min() >= 0.015


def test_default_classes_of_a_random_walk_are_balanced():
    y = TripleBarrierLabeler().label(random_walk(6_000, seed=1)).y
    assert [abs(float(np.mean(y == c)) - 1 / 3) < 0.05 for c in (-1, 0, 1)] == [True] * 3


def test_fitting_takes_nothing_and_checks_its_rows(panel):
    chosen = TripleBarrierLabeler(window_bars=30)
    assert chosen.fit(panel, np.arange(10)) is chosen
    with pytest.raises(LabelError, match="cannot be fitted on these rows"):
        chosen.fit(panel, np.array([10**6]))


def test_it_survives_json(panel):
    chosen = TripleBarrierLabeler(
        horizon_bars=7, window_bars=30, profit=2, stop=1.0, side="short", price="high_low", tie="nearest"
    )
    again = labeler_from_json(json.loads(json.dumps(chosen.to_json())))
    assert again == chosen
    with pytest.raises(LabelError, match="unknown field"):
        TripleBarrierLabeler.from_json({**chosen.to_json(), "stopp": 1.0})
    with pytest.raises(LabelError, match="not the state of a TripleBarrierLabeler"):
        TripleBarrierLabeler.from_json({"labeler": "threshold"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"horizon_bars": 0}, "horizon_bars"),
        ({"horizon_bars": 2.5}, "horizon_bars"),
        ({"window_bars": 1}, "window_bars"),
        ({"profit": -1.0}, "profit is out of range"),
        ({"profit": np.nan}, "profit is out of range"),
        ({"profit": True}, "profit is out of range"),
        ({"stop": -0.5}, "stop is out of range"),
        ({"stop": "far"}, "stop is out of range"),
        ({"threshold": 0.0}, "threshold is out of range"),
        ({"min_return": -0.1}, "min_return is out of range"),
        ({"mode": "volatile"}, "Did you mean 'volatility'"),
        ({"mode": "quantile"}, "mode of TripleBarrierLabeler is not known"),
        ({"side": "lang"}, "Did you mean 'long'"),
        ({"price": "hl"}, "price of TripleBarrierLabeler"),
        ({"tie": "stops"}, "Did you mean 'stop'"),
        ({"vertical": "zero"}, "vertical of TripleBarrierLabeler"),
        ({"unit": "hour"}, "unit of TripleBarrierLabeler"),
        ({"estimator": "ema"}, "Did you mean 'ewm'"),
        ({"profit": 2.0, "stop": 1.0}, "must be symmetric"),
        ({"tie": "profit"}, "no barrier is the profit"),
        ({"profit": 0.0}, "every label of TripleBarrierLabeler would be in range"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    with pytest.raises(LabelError, match=message):
        TripleBarrierLabeler(**changes)


def test_too_little_data_is_refused_with_what_is_needed():
    with pytest.raises(NotEnoughDataError, match="at least 170 bars"):
        TripleBarrierLabeler().spans(random_walk(100))
    with pytest.raises(NotEnoughDataError, match=r"min_return = 0\.9"):
        TripleBarrierLabeler(window_bars=30, min_return=0.9).spans(random_walk(100))
    with pytest.raises(NotEnoughDataError):
        TripleBarrierLabeler(mode="fixed").spans(random_walk(100).between(None, pd.Timestamp(0, tz="UTC")))
