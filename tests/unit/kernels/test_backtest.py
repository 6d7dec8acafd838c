"""The backtest kernel against hand-made cases and an account kept in cash and units."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.kernels.backtest import net_returns, reference_net_returns


def test_a_signal_is_filled_at_the_next_open():
    open_ = np.array([100.0, 110.0, 121.0])
    close = np.array([105.0, 115.0, 133.1])
    net, held = net_returns(open_, close, np.array([1.0, 1.0, 1.0]), 0.0)
    assert held.tolist() == [0.0, 1.0, 1.0]  # nothing is held in the bar that decides
    assert net == pytest.approx([0.0, 0.1, 0.1])  # open to open; the last bar to its own close


def test_costs_are_paid_on_every_change_of_position():
    flat = np.full(4, 100.0)
    net, _ = net_returns(flat, flat, np.array([1.0, -1.0, -1.0, 0.0]), 0.001)
    assert net == pytest.approx([0.0, -0.001, -0.002, 0.0])  # turning trades twice; holding costs nothing


def test_an_unknown_target_keeps_the_position():
    flat = np.full(4, 100.0)
    _, held = net_returns(flat, flat, np.array([-1.0, np.nan, 0.0, 1.0]), 0.001)
    assert held.tolist() == [0.0, -1.0, -1.0, 0.0]


def test_a_ruined_account_stays_ruined():
    open_ = np.array([100.0, 100.0, 250.0, 100.0, 200.0])
    net, held = net_returns(open_, open_, np.array([-1.0, -1.0, 1.0, 1.0, 1.0]), 0.0)
    assert net.tolist() == [0.0, -1.0, 0.0, 0.0, 0.0]
    assert held.tolist() == [0.0, -1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_short_series(n):
    price = np.full(n, 10.0)
    net, held = net_returns(price, price, np.ones(n), 0.001)
    assert len(net) == len(held) == n
    assert held[:1].tolist() == [0.0] * min(n, 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 80), st.integers(0, 2**32 - 1), st.floats(0.0, 0.02), st.floats(0.001, 0.4))
def test_it_equals_an_account_in_cash_and_units(n, seed, cost, volatility):
    generator = np.random.default_rng(seed)
    open_ = 100.0 * np.exp(np.cumsum(generator.normal(0.0, volatility, n)))
    close = open_ * np.exp(generator.normal(0.0, volatility, n))
    target = generator.choice([-1.0, -0.5, 0.0, 0.7, 1.0, np.nan], n)
    net, held = net_returns(open_, close, target, cost)
    expected_net, expected_held = reference_net_returns(open_, close, target, cost)
    assert held.tolist() == expected_held.tolist()
    assert net == pytest.approx(expected_net, abs=1e-9)
    assert net.min() >= -1.0
