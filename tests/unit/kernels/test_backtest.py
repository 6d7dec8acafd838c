"""The backtest kernel against hand-made cases and an account kept in cash and units."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.kernels.backtest import Simulation, simulate, simulate_reference


def run(open_, close, orders, *, gap=None, bar=None, cost=0.0, at_close=False, drift=np.inf, least=0.0):
    n = len(close)
    columns = (open_, close, orders, gap or [0.0] * n, bar or [0.0] * n)
    arrays = [np.array(column, dtype=np.float64) for column in columns]
    return simulate(*arrays, cost, at_close, drift, least)


FLAT = [100.0] * 4


def test_an_order_is_filled_at_the_open_and_earns_to_the_close():
    found = run([100.0, 110.0, 121.0], [105.0, 115.0, 133.1], [0.0, 1.0, 1.0])
    assert found.net == pytest.approx([0.0, 115 / 110 - 1, 133.1 / 115 - 1])
    assert found.position.tolist() == [0.0, 1.0, 1.0]
    assert np.prod(1 + found.net) == pytest.approx(1.21)  # bought at 110, worth 133.1


def test_an_order_at_the_close_earns_from_there():
    found = run([100.0, 110.0, 121.0], [105.0, 115.0, 133.1], [1.0, 1.0, 0.0], at_close=True)
    assert found.net == pytest.approx([0.0, 115 / 105 - 1, 133.1 / 115 - 1])
    assert found.position.tolist() == [1.0, 1.0, 0.0]


def test_a_gap_is_earned_by_the_position_held_through_it():
    # Long over night, turned short at the open: the night's jump belongs to the long side.
    found = run([100.0, 120.0], [100.0, 120.0], [1.0, -1.0])
    assert found.net.tolist() == [0.0, pytest.approx(0.2)]
    assert found.growth == pytest.approx([1.2, 1.0])


def test_costs_are_paid_on_the_value_traded():
    found = run(FLAT, FLAT, [1.0, -1.0, -1.0, 0.0], cost=0.001)
    assert found.net == pytest.approx([-0.001, -0.002, 0.0, -0.001])  # turning trades twice
    assert found.traded == pytest.approx([1.0, 2.0, 0.0, 1.0])
    assert found.cost == pytest.approx([0.001, 0.002, 0.0, 0.001])


def test_a_short_holds_its_units_and_drifts():
    found = run([100.0, 100.0, 110.0], [100.0, 110.0, 121.0], [0.0, -1.0, -1.0])
    # Sold one unit for each 100 of equity: what is owed grows, the target stays.
    assert np.prod(1 + found.net) == pytest.approx(1.0 - 0.21)
    assert found.exposure == pytest.approx([0.0, -1.1 / 0.9, -1.21 / 0.79])
    assert found.position.tolist() == [0.0, -1.0, -1.0]
    assert found.traded.tolist() == [0.0, 1.0, 0.0]


def test_restoring_a_short_trades_and_pays():
    found = run([100.0, 100.0, 110.0], [100.0, 110.0, 121.0], [0.0, -1.0, -1.0], drift=0.0, cost=0.01)
    assert found.traded == pytest.approx([0.0, 1.0, 1.1 / 0.9 - 1.0])
    assert found.net[2] == pytest.approx((1.0 - 0.01 * (1.1 / 0.9 - 1.0)) * 0.9 - 1.0)


def test_an_exposure_that_drifts_too_far_is_brought_back():
    # Falling from 100 to 90 and 80, the short's exposure is 0.82 and then 0.67 of what it should be.
    prices = [100.0, 100.0, 90.0, 80.0, 80.0]
    found = run(prices, prices, [-1.0] * 5, drift=0.25)
    assert found.traded == pytest.approx([1.0, 0.0, 0.0, 1.0 - 80 / 120, 0.0])
    assert found.exposure[-1] == pytest.approx(-1.0)
    assert len(found.entry) == 1


def test_funding_does_not_turn_a_long_into_a_loan():
    n = 2_000
    price = np.full(n, 100.0)
    given_ = (price, price, np.ones(n), np.zeros(n), np.full(n, 0.001), 0.0, False)
    kept, trimmed = simulate(*given_, np.inf, 0.0), simulate(*given_, 0.1, 0.0)
    assert kept.net.min() == -1.0  # a unit's funding a thousand times is a unit
    assert trimmed.exposure.max() < 1.11
    assert trimmed.net.min() > -0.0012


def test_an_unknown_order_keeps_the_position():
    found = run(FLAT, FLAT, [-1.0, np.nan, 0.0, 1.0], cost=0.001)
    assert found.position.tolist() == [-1.0, -1.0, 0.0, 1.0]


def test_small_changes_are_left_alone_but_going_flat_is_not():
    found = run(FLAT, FLAT, [0.5, 0.55, 0.7, 0.0], least=0.1, cost=0.001)
    assert found.position.tolist() == [0.5, 0.5, 0.7, 0.0]
    tiny = run(FLAT, FLAT, [0.5, 0.05, 0.0, 0.0], least=0.5)
    assert tiny.position.tolist() == [0.5, 0.5, 0.0, 0.0]


def test_funding_is_paid_by_longs_and_received_by_shorts():
    rates = [0.01, 0.01, 0.01, 0.01]
    long = run(FLAT, FLAT, [0.0, 1.0, 1.0, 0.0], bar=rates)
    short = run(FLAT, FLAT, [0.0, -1.0, -1.0, 0.0], bar=rates)
    assert long.net == pytest.approx([0.0, -0.01, -0.01 / 0.99, 0.0])  # a unit's worth, not the equity's
    assert long.funding == pytest.approx([0.0, 0.01, 0.01 / 0.99, 0.0])
    assert short.net == pytest.approx([0.0, 0.01, 0.01 / 1.01, 0.0])


def test_a_fill_at_the_close_comes_after_the_settlement_of_its_bar():
    found = run(FLAT, FLAT, [1.0, 1.0, 0.0, 0.0], bar=[0.01, 0.02, 0.03, 0.04], at_close=True)
    assert found.funding == pytest.approx([0.0, 0.02, 0.03 / 0.98, 0.0])


def test_settlements_in_a_gap_are_paid_before_the_next_order():
    found = run(FLAT, FLAT, [1.0, 0.0, 1.0, 1.0], gap=[0.5, 0.01, 0.5, 0.02])
    assert found.funding == pytest.approx([0.0, 0.01, 0.0, 0.02])


def test_round_trips_account_for_everything_earned():
    open_, close = [100.0, 100.0, 120.0, 120.0, 90.0], [100.0, 120.0, 120.0, 90.0, 90.0]
    found = run(open_, close, [0.0, 1.0, -0.5, -0.5, 0.0], cost=0.001, bar=[0.0, 0.002, 0.0, 0.001, 0.0])
    assert found.entry.tolist() == [1, 2]
    assert found.exit.tolist() == [2, 4]
    assert found.size.tolist() == [1.0, -0.5]
    assert np.prod(found.growth) == pytest.approx(np.prod(1.0 + found.net))


def test_resizing_is_one_round_trip():
    found = run(FLAT, FLAT, [0.5, 1.0, 0.25, 0.25])
    assert (found.entry.tolist(), found.exit.tolist(), found.size.tolist()) == ([0], [3], [0.5])


@pytest.mark.parametrize("at_close", [False, True])
def test_a_ruined_account_stays_ruined(at_close):
    price = [100.0, 100.0, 250.0, 100.0, 200.0]
    found = run(price, price, [-1.0, -1.0, 1.0, 1.0, 1.0], at_close=at_close)
    assert found.net.tolist() == [0.0, 0.0, -1.0, 0.0, 0.0]
    assert found.position[3:].tolist() == [0.0, 0.0]
    assert found.growth.tolist() == [0.0]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_short_series(n):
    price = np.full(n, 10.0)
    found = simulate(price, price, np.ones(n), np.zeros(n), np.zeros(n), 0.001, False, np.inf, 0.0)
    assert all(len(column) == n for column in found[:6])
    assert len(found.entry) == min(n, 1)


@settings(max_examples=120)
@given(
    st.integers(1, 80),
    st.integers(0, 2**32 - 1),
    st.floats(0.0, 0.02),
    st.floats(0.001, 0.4),
    st.booleans(),
    st.sampled_from([0.0, 0.1, np.inf]),
    st.sampled_from([0.0, 0.25]),
)
def test_it_equals_an_account_in_cash_and_units(n, seed, cost, volatility, at_close, drift, least):
    generator = np.random.default_rng(seed)
    open_ = 100.0 * np.exp(np.cumsum(generator.normal(0.0, volatility, n)))
    close = open_ * np.exp(generator.normal(0.0, volatility, n))
    orders = generator.choice([-1.0, -0.5, 0.0, 0.7, 1.0, 1.5, np.nan], n)
    gap, bar = generator.normal(0.0, 0.002, (2, n)) * (generator.random((2, n)) < 0.3)
    given_ = (open_, close, orders, gap, bar, cost, at_close, drift, least)
    found, expected = simulate(*given_), simulate_reference(*given_)
    for name in Simulation._fields:
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-7, abs=1e-9), name
    assert found.net.min() >= -1.0
    assert np.prod(found.growth) == pytest.approx(np.prod(1.0 + found.net), abs=1e-9)


@settings(max_examples=60)
@given(st.integers(2, 60), st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([0.0, 0.1, np.inf]))
def test_the_future_moves_nothing(n, seed, at_close, drift):
    generator = np.random.default_rng(seed)
    columns = [100.0 * np.exp(generator.normal(0.0, 0.05, n)) for _ in range(2)]
    columns += [generator.choice([-1.0, 0.0, 0.5, 1.0], n), *generator.normal(0.0, 0.001, (2, n))]
    cut = int(generator.integers(1, n))
    others = [np.concatenate((column[:cut], generator.permutation(column[cut:]) * 1.1)) for column in columns]
    first = simulate(*columns, 0.001, at_close, drift, 0.0)
    second = simulate(*others, 0.001, at_close, drift, 0.0)
    for name in Simulation._fields[:6]:
        assert getattr(first, name)[:cut].tolist() == getattr(second, name)[:cut].tolist(), name
