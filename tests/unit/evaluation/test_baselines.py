import numpy as np
import pandas as pd
import pytest

from onward.evaluation.baselines import (
    mean_reversion_signal,
    momentum_signal,
    rule_probabilities,
    rule_signals,
    trailing_returns,
)
from onward.labels import ThresholdLabeler
from onward.testing.markets import random_walk


def market_of(log_close):
    market = random_walk(len(log_close))
    return market.replace(bars=market.bars.assign(close=np.exp(log_close)))


def test_rules_know_nothing_of_the_future():
    market = random_walk(300, symbols=("A", "B"))
    cut = market.known_at(market.decision_time[199])
    for rule in (momentum_signal, mean_reversion_signal):
        whole = pd.Series(rule(market, 24), index=market.index)
        known = pd.Series(rule(cut, 24), index=cut.index)
        pd.testing.assert_series_equal(known, whole.loc[known.index])


def test_momentum_follows_and_mean_reversion_fades():
    rising = market_of(np.r_[np.zeros(50), np.linspace(0, 0.5, 50)] + 1e-4 * np.tile([1, -1], 50))
    assert momentum_signal(rising, 24)[-1] == 1.0
    assert mean_reversion_signal(rising, 24)[-1] == -1.0
    falling = market_of(np.r_[np.zeros(50), np.linspace(0, -0.5, 50)] + 1e-4 * np.tile([1, -1], 50))
    assert momentum_signal(falling, 24)[-1] == -1.0
    assert mean_reversion_signal(falling, 24)[-1] == 1.0
    assert np.isnan(momentum_signal(rising, 24)[:24]).all()


def test_a_market_that_stands_still_gives_no_signal():
    still = market_of(np.zeros(100))
    assert (momentum_signal(still, 24)[24:] == 0).all()
    assert (mean_reversion_signal(still, 24)[24:] == 0).all()


def test_symbols_never_mix():
    market = random_walk(100, symbols=("A", "B"))
    alone = market.select(["B"])
    np.testing.assert_array_equal(trailing_returns(market, 10)[100:], trailing_returns(alone, 10))
    assert np.isnan(trailing_returns(market, 10)[100:110]).all()
    assert np.isnan(trailing_returns(market, 500)).all()


def test_signals_are_aligned_with_the_labelled_rows():
    market = random_walk(600)
    spans = ThresholdLabeler().spans(market)
    rows = market.index.get_indexer(spans.index)
    signals = rule_signals(market, rows, spans)
    assert set(signals) == {"momentum", "mean_reversion"}
    for signal in signals.values():
        assert len(signal) == len(spans)
        assert set(np.unique(signal)) <= {-1.0, 0.0, 1.0}
    np.testing.assert_array_equal(signals["momentum"], momentum_signal(market, 24)[rows])


def test_probabilities_are_the_training_frequencies_given_the_signal():
    signal = np.repeat([1.0, -1.0], 500)
    y = np.r_[np.ones(400), -np.ones(100), np.zeros(250), -np.ones(250)].astype(int)
    found = rule_probabilities(signal, y, np.array([1.0, -1.0, 0.0, np.nan]))
    assert found[0] == pytest.approx([0.2, 0.0, 0.8], abs=0.002)
    assert found[1] == pytest.approx([0.5, 0.5, 0.0], abs=0.002)
    prior = np.array([350, 250, 400]) / 1_000
    np.testing.assert_allclose(found[2:], [prior, prior])  # never seen in training, and not known
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
