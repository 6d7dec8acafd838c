import json

import numpy as np
import pandas as pd
import pytest

from onward.errors import LabelError, NotEnoughDataError, SeriesError
from onward.labels import MetaLabeler, TripleBarrierLabeler, labeler_from_json
from onward.labels.signals import RULES, signal_values
from onward.testing.markets import random_walk
from onward.types import SideSeries
from tests.unit.labels import label_signals

ADDRESS = "tests.unit.labels.label_signals:last_move"


@pytest.fixture(scope="module")
def panel():
    return random_walk(400, symbols=("A", "B"), seed=2)


def options(**changes):
    return {"horizon_bars": 6, "window_bars": 30, "profit": 0.8, "stop": 0.5, **changes}


@pytest.mark.parametrize("vertical", ["range", "sign"])
def test_classes_say_how_following_the_signal_ended(panel, vertical):
    """A long row fares as the long barriers do; a short one as the short ones, sign turned."""
    labeler = MetaLabeler(signal="momentum", signal_bars=5, vertical=vertical, **options())
    labels = labeler.label(panel)
    signal = pd.Series(labeler.signals(panel), index=panel.index).loc[labels.spans.index]
    assert set(signal) == {-1.0, 1.0}
    for side, name in ((1, "long"), (-1, "short")):
        plain = TripleBarrierLabeler(side=name, vertical=vertical, **options()).label(panel)
        y = pd.Series(plain.y, index=plain.spans.index)
        end = pd.Series(plain.spans.end, index=plain.spans.index)
        here = (signal == side).to_numpy()
        assert (side * y.loc[signal.index[here]]).tolist() == labels.y[here].tolist()
        assert end.loc[signal.index[here]].tolist() == labels.spans.end[here].tolist()


def test_acting_made_money_exactly_where_the_class_says_so(panel):
    labeler = MetaLabeler(signal="breakout", signal_bars=10, vertical="sign", **options())
    outcome = labeler.outcomes(panel)
    side = pd.Series(labeler.signals(panel), index=panel.index).loc[outcome.index]
    assert np.sign(side * outcome["return"]).astype(int).tolist() == outcome["class"].tolist()


def test_rows_without_a_side_carry_no_label(panel):
    labeler = MetaLabeler(signal="mean_reversion", signal_bars=20, **options())
    signal = labeler.signals(panel)
    assert {-1.0, 0.0, 1.0} == set(signal[~np.isnan(signal)].tolist())
    rows = panel.index.get_indexer(labeler.spans(panel).index)
    assert (np.abs(signal[rows]) == 1.0).all()


def series_market(panel, values, **columns):
    time = panel.decision_time[panel.rows["A"]]
    frame = pd.DataFrame({"symbol": "A", "timestamp": time, "available_at": time + pd.Timedelta("1h")})
    frame["side"] = values
    return panel.replace(series={"desk": SideSeries("desk", frame.assign(**columns))})


def test_a_column_of_signals_counts_from_when_it_was_known(panel):
    generator = np.random.default_rng(0)
    values = generator.integers(-1, 2, 400).astype(float)
    market = series_market(panel, values)
    signal = MetaLabeler(signal="series:desk", **options()).signals(market)
    assert signal[1:400].tolist() == values[:-1].tolist()
    assert np.isnan(signal[0])
    assert np.isnan(signal[400:]).all()
    several = series_market(panel, values, other=0.0)
    by_name = MetaLabeler(signal="series:desk.side", **options()).signals(several)
    np.testing.assert_array_equal(by_name, signal)


def test_functions_are_kept_by_their_address(panel):
    labeler = MetaLabeler(signal=label_signals.last_move, **options())
    state = json.loads(json.dumps(labeler.to_json()))
    assert state["signal"] == ADDRESS
    again = labeler_from_json(state)
    assert again.label(panel).y.tolist() == labeler.label(panel).y.tolist()
    assert again.spans(panel).index.equals(labeler.spans(panel).index)


def test_rules_by_hand():
    market = random_walk(4)
    bars = market.bars.assign(close=[10.0, 11.0, 11.0, 9.0])
    market = market.replace(bars=bars)
    np.testing.assert_array_equal(RULES["momentum"](market, 1), [np.nan, 1.0, 0.0, -1.0])
    np.testing.assert_array_equal(RULES["breakout"](market, 2), [np.nan, np.nan, 0.0, -1.0])
    np.testing.assert_array_equal(RULES["mean_reversion"](market, 3), [np.nan, np.nan, 0.0, 1.0])
    assert np.isnan(RULES["momentum"](market, 9)).all()


@pytest.mark.parametrize(
    ("signal", "error", "message"),
    [
        ("momentun", LabelError, "Did you mean 'momentum'"),
        ("series:nothing", SeriesError, "no series"),
        ("series:desk", LabelError, "no column, though the series has several"),
        ("series:desk.sidee", LabelError, "Did you mean 'series:desk.side'"),
        ("series:desk.size", LabelError, "other values"),
        ("no_such_module:rule", LabelError, "cannot be found"),
        ("tests.unit.labels.label_signals:missing", LabelError, "cannot be found"),
        ("tests.unit.labels.label_signals:NOT_A_FUNCTION", LabelError, "not a function"),
        (lambda market: np.ones(3), LabelError, r"shape \(3,\)"),
        (lambda market: np.full(len(market), 0.5), LabelError, "other values, the first 0.5"),
        (lambda market: ["long"] * len(market), LabelError, "gives no primary signal"),
        (lambda market: pd.Series(1.0, index=range(len(market))), LabelError, "another index"),
    ],
)
def test_what_is_no_signal_is_refused(panel, signal, error, message):
    market = series_market(panel, 1.0, size=2.5)
    with pytest.raises(error, match=message):
        signal_values(signal, market, 5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"signal": ""}, "neither text nor a function"),
        ({"signal": 3}, "neither text nor a function"),
        ({"signal_bars": 0}, "signal_bars"),
        ({"profit": -1.0}, "profit is out of range"),
        ({"profit": 0.0}, "every label of MetaLabeler"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    with pytest.raises(LabelError, match=message):
        MetaLabeler(**changes)


def test_a_signal_that_never_speaks_leaves_nothing_to_learn(panel):
    with pytest.raises(NotEnoughDataError, match="a side on 0 rows"):
        MetaLabeler(signal=lambda market: np.zeros(len(market)), **options()).spans(panel)
