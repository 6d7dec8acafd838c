"""A model of meta-labels says when to act; the primary signal says on which side."""

import numpy as np
import pandas as pd
import pytest

from onward.errors import ConfigError, DataError
from onward.evaluation.backtest import BacktestSettings, backtest, followed
from onward.labels import CusumSampledLabeler, MetaLabeler, ThresholdLabeler, primary_signal
from onward.testing.markets import random_walk
from onward.types import INDEX_NAMES, Market

FREE = {"fee_bps": 0.0, "slippage_bps": 0.0, "max_drift": None}


def falling(n=60):
    """A market that loses 1 % in every bar."""
    close = 100.0 * 0.99 ** np.arange(1, n + 1)
    times = pd.date_range("2024-01-01", periods=n, freq="h", tz="UTC", unit="ns")
    index = pd.MultiIndex.from_product([["X/USD"], times], names=INDEX_NAMES)
    frame = {"open": close / 0.99, "high": close / 0.99, "low": close, "close": close, "volume": 1.0}
    return Market(pd.DataFrame(frame, index=index), pd.Timedelta("1h"))


def verdicts(market, rows, probability):
    columns = dict(zip(("down", "range", "up"), np.transpose(probability), strict=True))
    return pd.DataFrame(columns, index=market.index[rows])


def test_a_short_that_pays_is_a_short_position():
    """The fault this guards against: class 1 taken for a rising price."""
    market = falling()
    rows = np.arange(10, 50)
    said = verdicts(market, rows, np.tile([0.1, 0.2, 0.7], (40, 1)))
    short = np.full(60, -1.0)
    result = backtest(market, followed(market, said, short), BacktestSettings(**FREE))
    assert set(result.position[1:]) == {-1.0}
    assert result.performance.total_return > 0.3
    as_long = backtest(market, said, BacktestSettings(**FREE))
    assert as_long.performance.total_return < -0.3


def test_the_signal_is_followed_where_paying_is_most_probable():
    market = falling(6)
    primary = np.array([1.0, -1.0, 1.0, -1.0, 0.0, np.nan])
    chances = [
        [0.2, 0.3, 0.5],  # pays, long
        [0.3, 0.3, 0.4],  # pays, short
        [0.5, 0.1, 0.4],  # loses
        [0.1, 0.5, 0.4],  # undecided
        [0.0, 0.0, 1.0],  # pays, but there is no side
        [0.0, 0.0, 1.0],  # pays, but the side is not known yet
    ]
    frame = followed(market, verdicts(market, np.arange(6), chances), primary)
    assert frame["signal"].tolist() == [1.0, -1.0, 0.0, 0.0, 0.0, 0.0]
    assert np.allclose(frame[["down", "range", "up"]].sum(axis=1), 1.0)
    assert frame[["down", "range", "up"]].iloc[0].tolist() == [0.2, 0.3, 0.5]
    assert np.allclose(frame[["down", "range", "up"]].iloc[1], [0.4, 0.3, 0.3])
    assert (frame["range"].iloc[2:] == 1.0).all()


@pytest.mark.parametrize(("act_above", "acted"), [(0.0, 3), (0.35, 2), (0.5, 1), (0.7, 0)])
def test_a_threshold_decides_when_it_is_given(act_above, acted):
    market = falling(3)
    said = verdicts(market, np.arange(3), [[0.3, 0.1, 0.6], [0.5, 0.1, 0.4], [0.5, 0.3, 0.2]])
    frame = followed(market, said, np.ones(3), act_above=act_above)
    assert int(frame["signal"].sum()) == acted
    # However low the threshold, sizing by probability never turns against the signal.
    assert ((frame["up"] - frame["down"]) * frame["signal"] >= 0.0).all()


@pytest.mark.parametrize("sizing", ["probability", "bet_size", "kelly", "volatility_target"])
def test_every_sizing_takes_the_side_of_the_signal(sizing):
    market = random_walk(200, seed=2)
    generator = np.random.default_rng(0)
    rows = np.arange(30, 190)
    primary = generator.choice([-1.0, 0.0, 1.0], 200)
    said = verdicts(market, rows, generator.dirichlet([1.0, 1.0, 1.0], len(rows)))
    terms = BacktestSettings(sizing=sizing, volatility_window_bars=20, **FREE)
    result = backtest(market, followed(market, said, primary), terms)
    assert len(result.time) == 161  # the bars at which something was said, and the one after them
    held = result.position.to_numpy()[1:161]
    assert (held * primary[30:190] >= 0.0).all()
    assert np.count_nonzero(held) > 20


def test_verdicts_follow_their_bars_not_their_order():
    market = random_walk(50, seed=1, symbols=("A", "B"))
    generator = np.random.default_rng(3)
    rows = generator.permutation(100)[:60]
    said = verdicts(market, rows, generator.dirichlet([1.0, 1.0, 1.0], 60))
    primary = generator.choice([-1.0, 1.0], 100)
    frame = followed(market, said, primary)
    assert frame.index.equals(market.index[np.sort(rows)])
    pays = (said["up"] > said["down"]) & (said["up"] > said["range"])
    wanted = pd.Series(primary[rows] * pays, index=said.index)
    assert frame["signal"].equals(wanted.reindex(frame.index).rename("signal"))


def test_the_primary_signal_is_found_in_what_a_bundle_keeps():
    market = random_walk(300, seed=4)
    meta = MetaLabeler(signal="breakout", signal_bars=12, horizon_bars=6)
    wanted = meta.signals(market)
    for labeler in (meta, CusumSampledLabeler(meta)):
        found = primary_signal(labeler.to_json(), market)
        np.testing.assert_array_equal(found, wanted)
    assert primary_signal(ThresholdLabeler().to_json(), market) is None
    assert primary_signal(CusumSampledLabeler(ThresholdLabeler()).to_json(), market) is None


@pytest.mark.parametrize(
    ("primary", "act_above", "words"),
    [
        (np.ones(5), None, "does not fit the market"),
        (np.full(6, 0.5), None, "does not fit the market"),
        (np.ones(6), 1.0, "out of range"),
        (np.ones(6), -0.1, "out of range"),
        (np.ones(6), float("nan"), "out of range"),
    ],
)
def test_what_cannot_be_followed(primary, act_above, words):
    market = falling(6)
    said = verdicts(market, np.arange(6), np.full((6, 3), 1 / 3))
    with pytest.raises(DataError, match=words):
        followed(market, said, primary, act_above=act_above)


def test_verdicts_need_probabilities():
    market = falling(6)
    with pytest.raises(DataError, match="need probabilities"):
        followed(market, pd.DataFrame({"signal": 1.0}, index=market.index), np.ones(6))


@pytest.mark.parametrize("act_above", [1.0, -0.5, float("nan")])
def test_terms_refuse_what_is_no_probability(act_above):
    with pytest.raises(ConfigError, match="act_above"):
        BacktestSettings(act_above=act_above)
