"""Figures of returns against published values, and at the edges where they are not defined."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from onward.errors import ConfigError, DataError
from onward.evaluation.performance import (
    annualised_sharpe,
    drawdown,
    excess_kurtosis,
    expected_shortfall,
    longest_drawdown,
    per_period_sharpe,
    performance,
    sharpe_ratio,
    skewness,
    value_at_risk,
)

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "fixtures/references/performance.json").read_text(encoding="utf-8")
)
OURS = {
    "sharpe": "sharpe",
    "sortino": "sortino",
    "volatility": "volatility",
    "total_return": "total_return",
    "max_drawdown": "max_drawdown",
    "cagr": "cagr_by_periods",
    "calmar": "calmar_by_periods",
    "downside_risk": "downside_risk",
    "skewness": "skew_biased",
    "excess_kurtosis": "excess_kurtosis_biased",
    "value_at_risk": "var_95_hist",
    "expected_shortfall": "cvar_95_hist",
    "profit_factor": "profit_factor",
    "hit_rate": "win_rate",
    "tail_ratio": "tail_ratio",
    "ulcer_index": "ulcer_index_rms",
    "max_drawdown_periods": "max_dd_duration_bars",
}


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda case: case["name"])
def test_figures_equal_published_values(case):
    found = performance(case["returns"], periods_per_year=case["periods_per_year"]).to_dict()
    expected = case["definition"]
    for ours, theirs in OURS.items():
        assert found[ours] == pytest.approx(expected[theirs], abs=REFERENCE["tolerance"]), ours
    assert found["profit_factor"] == pytest.approx(expected["omega_0"], abs=REFERENCE["tolerance"])
    unbiased = skewness(case["returns"], unbiased=True), excess_kurtosis(case["returns"], unbiased=True)
    assert unbiased == pytest.approx(
        (expected["skew_unbiased"], expected["excess_kurtosis_unbiased"]), abs=REFERENCE["tolerance"]
    )


def test_one_period_and_one_year_are_kept_apart():
    returns = np.random.default_rng(0).normal(0.001, 0.01, 500)
    found = performance(returns, periods_per_year=365.25)
    assert found.sharpe_per_period == sharpe_ratio(returns)
    assert found.sharpe == pytest.approx(annualised_sharpe(found.sharpe_per_period, 365.25))
    assert per_period_sharpe(found.sharpe, 365.25) == pytest.approx(found.sharpe_per_period)


def test_unknown_returns_are_left_out():
    returns = np.random.default_rng(1).normal(0.0, 0.01, 100)
    gappy = np.insert(returns, [0, 0, 50], np.nan)
    assert performance(gappy, periods_per_year=252) == performance(returns, periods_per_year=252)
    assert value_at_risk(gappy) == value_at_risk(returns)


def test_drawdown_counts_from_the_start():
    assert drawdown(np.array([0.9, 1.2, 0.6])) == pytest.approx([-0.1, 0.0, -0.5])
    assert len(drawdown(np.array([]))) == 0
    assert longest_drawdown(np.array([0.0, -0.1, -0.2, 0.0, -0.1])) == 2
    assert longest_drawdown(np.array([])) == 0


def test_figures_that_are_not_defined_are_unknown():
    still = performance(np.zeros(10), periods_per_year=252)
    assert np.isnan([still.sharpe, still.sortino, still.calmar, still.hit_rate, still.profit_factor]).all()
    assert still.total_return == still.max_drawdown == still.max_drawdown_periods == 0
    steady = performance(np.full(10, 0.001), periods_per_year=252)
    assert math.isnan(steady.sharpe)
    assert math.isnan(steady.skewness)
    nothing = performance(np.array([]), periods_per_year=252)
    assert math.isnan(nothing.cagr)
    assert nothing.n_periods == 0
    one = performance([0.01], periods_per_year=252)
    assert one.total_return == pytest.approx(0.01)
    assert math.isnan(one.volatility)


def test_a_lost_account_is_lost_a_year_too():
    found = performance([0.1, -1.0, 0.0], periods_per_year=252)
    assert found.total_return == found.cagr == found.max_drawdown == -1.0


def test_growth_that_would_be_astronomical_is_unknown():
    assert math.isnan(performance([0.15], periods_per_year=8_766).cagr)
    # What a week of luck reads: 2 % a day are 1,377 times a year.
    week = performance(np.full(7, 0.02), periods_per_year=365.25)
    assert math.isnan(week.cagr)
    assert math.isnan(week.calmar)
    assert performance(np.full(7, 0.018), periods_per_year=365.25).cagr == pytest.approx(1.018**365.25 - 1)


def test_a_million_losses_do_not_underflow_the_growth_a_year():
    found = performance(np.full(1_000_000, -0.01), periods_per_year=8_766)
    assert found.total_return == -1.0
    assert found.cagr == pytest.approx(math.expm1(8_766 * math.log(0.99)))


@pytest.mark.parametrize(
    ("returns", "message"),
    [
        ([[0.1], [0.2]], "one series"),
        ([0.1, np.inf], "infinite"),
        ([0.1, -1.5], "more than everything"),
        ([1e308] * 10, "larger than any market"),
        ([1e8] * 50, "compound to more"),
        (["a"], "must be numbers"),
        (0.1, "one series"),
    ],
)
def test_other_returns_are_refused(returns, message):
    with pytest.raises(DataError, match=message):
        performance(returns, periods_per_year=252)


@pytest.mark.parametrize("tail", [2, -1, np.nan])
@pytest.mark.parametrize("figure", [value_at_risk, expected_shortfall])
def test_a_tail_is_a_share(figure, tail):
    with pytest.raises(ConfigError, match="tail is out of range"):
        figure([0.1, -0.1], tail=tail)


@pytest.mark.parametrize("periods", [0, -1.0, np.nan, np.inf, "a", None, True])
def test_a_year_needs_periods(periods):
    with pytest.raises(ConfigError, match="periods a year"):
        performance([0.1], periods_per_year=periods)


SHAPES = st.lists(st.integers(-1_000, 1_000), min_size=3, max_size=30).filter(lambda v: len(set(v)) > 1)
UNITS = st.integers(-300, 297).map(lambda power: 10.0**power)


@given(SHAPES, UNITS)
def test_figures_without_a_unit_do_not_know_the_unit(shape, unit):
    plain = np.array(shape, dtype=np.float64)
    scaled = plain * unit
    assert sharpe_ratio(scaled) == pytest.approx(plain.mean() / plain.std(ddof=1), rel=1e-9, abs=1e-12)
    assert skewness(scaled) == pytest.approx(stats.skew(plain), rel=1e-9, abs=1e-9)
    assert excess_kurtosis(scaled) == pytest.approx(stats.kurtosis(plain), rel=1e-9, abs=1e-9)


def test_large_values_that_differ_by_little_keep_their_shape():
    values = 1e300 + 1e290 * np.array([0.0, 1.0, 4.0])
    assert skewness(values) == pytest.approx(stats.skew([0.0, 1.0, 4.0]), rel=1e-4)


def test_tiny_returns_have_a_risk():
    found = performance([1e-200, -2e-200, 3e-200], periods_per_year=1.0)
    assert found.volatility == pytest.approx(2.516611478423583e-200)
    assert found.downside_risk == pytest.approx(2e-200 / math.sqrt(3))
    assert found.sortino == pytest.approx(math.sqrt(3) / 3)


@pytest.mark.parametrize("infinite", [math.inf, -math.inf])
def test_an_infinite_value_has_no_shape(infinite):
    values = [0.1, infinite, 0.2]
    assert math.isnan(sharpe_ratio(values))
    assert math.isnan(skewness(values))
    assert math.isnan(excess_kurtosis(values))
