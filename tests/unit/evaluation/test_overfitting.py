"""Overfitting statistics against published examples, brute force and simulation."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, rankdata

from onward.errors import ConfigError, DataError, NotEnoughDataError
from onward.evaluation import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe_ratio,
    minimum_backtest_length,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    probability_of_backtest_overfitting,
    search_statistics,
)
from onward.evaluation.overfitting import effective_trials
from onward.evaluation.performance import sharpe_ratio

FIXTURES = Path(__file__).parents[2] / "fixtures/references"
SHARPE = json.loads((FIXTURES / "sharpe.json").read_text(encoding="utf-8"))
PBO = json.loads((FIXTURES / "pbo.json").read_text(encoding="utf-8"))


def cases(key):
    return [pytest.param(case, id=case["name"]) for case in SHARPE["cases"] if key in case]


def only(key):
    return next(case for case in SHARPE["cases"] if key in case)


@pytest.mark.parametrize("case", cases("dsr"))
def test_the_deflated_ratio_equals_the_published_example(case):
    found = deflated_sharpe_ratio(
        sharpe=case["sr_per_period"],
        n_periods=case["T"],
        skewness=case["skew"],
        kurtosis=case["kurtosis_pearson"],
        trial_deviation=case["sd_trials_per_period"],
        n_trials=case["N"],
    )
    assert found == pytest.approx(case["dsr"], abs=SHARPE["tolerance"])
    assert round(found, 4) == case["published"]
    threshold = expected_maximum_sharpe_ratio(case["N"], deviation=case["sd_trials_per_period"])
    assert threshold == pytest.approx(case["sr0"], abs=SHARPE["tolerance"])


@pytest.mark.parametrize("case", cases("psr"))
def test_the_probabilistic_ratio_equals_the_published_example(case):
    found = probabilistic_sharpe_ratio(
        benchmark_sharpe=case["benchmark"],
        sharpe=case["sr_per_period"],
        n_periods=case["T"],
        skewness=case["skew"],
        kurtosis=case["kurtosis_pearson"],
    )
    assert found == pytest.approx(case["psr"], abs=SHARPE["tolerance"])


@pytest.mark.parametrize("case", cases("args"))
def test_the_track_record_equals_the_published_example(case):
    sharpe, benchmark, skew, kurtosis, confidence = case["args"]
    found = minimum_track_record_length(
        benchmark_sharpe=benchmark, confidence=confidence, sharpe=sharpe, skewness=skew, kurtosis=kurtosis
    )
    assert found / case["periods_per_year"] == pytest.approx(case["years"], abs=1e-7)


def test_the_expected_maximum_equals_published_values():
    for n_trials, expected in only("values")["values"].items():
        found = expected_maximum_sharpe_ratio(int(n_trials), deviation=1.0)
        assert found == pytest.approx(expected, abs=SHARPE["tolerance"])
    case = only("N")
    length = next(c for c in SHARPE["cases"] if "MinBTL" in c["name"])
    assert minimum_backtest_length(length["N"]) == pytest.approx(length["years"], abs=SHARPE["tolerance"])
    assert case["N"] == 100


@pytest.mark.parametrize("case", cases("psr0"))
def test_statistics_of_returns_equal_those_of_others(case):
    returns = case["returns"]
    assert sharpe_ratio(returns) == pytest.approx(case["sr"], abs=SHARPE["tolerance"])
    assert probabilistic_sharpe_ratio(returns) == pytest.approx(case["psr0"], abs=SHARPE["tolerance"])
    deflated = deflated_sharpe_ratio(returns, trial_deviation=0.03, n_trials=20)
    assert deflated == pytest.approx(case["dsr_N20_sd0_03"], abs=SHARPE["tolerance"])
    assert minimum_track_record_length(returns) == pytest.approx(case["mintrl_95"], abs=1e-6)


def test_the_expected_maximum_is_what_skill_less_trials_show():
    trials = np.random.default_rng(0).normal(0.0, 1.0, (4_000, 50)).max(axis=1)
    assert expected_maximum_sharpe_ratio(50, deviation=1.0) == pytest.approx(trials.mean(), abs=0.05)
    assert expected_maximum_sharpe_ratio(1, deviation=1.0, mean=0.2) == 0.2
    growing = [expected_maximum_sharpe_ratio(n, deviation=1.0) for n in (1, 1.2, 1.5, 2, 3, 10)]
    assert growing == sorted(growing)


@pytest.mark.parametrize("n_trials", [1e6, 1e14, 9e15, 1e17, 1e300, 1.7e308])
def test_any_number_of_trials_has_an_expected_maximum(n_trials):
    found = expected_maximum_sharpe_ratio(n_trials, deviation=1.0)
    gamma = 0.5772156649015329
    exact = (1 - gamma) * norm.isf(1 / n_trials) + gamma * norm.isf(1 / n_trials / math.e)
    assert found == pytest.approx(exact, rel=1e-12)
    assert minimum_backtest_length(n_trials) == pytest.approx(exact**2)
    assert 0.0 <= deflated_sharpe_ratio([0.1, 0.2, -0.1], trial_deviation=0.1, n_trials=n_trials) < 0.5


def test_at_the_minimum_length_the_probability_is_the_confidence():
    length = minimum_track_record_length(sharpe=0.1, skewness=-0.5, kurtosis=6.0, confidence=0.9)
    reached = probabilistic_sharpe_ratio(sharpe=0.1, n_periods=length, skewness=-0.5, kurtosis=6.0)
    assert reached == pytest.approx(0.9)
    assert minimum_track_record_length(sharpe=-0.1) == math.inf


def test_trials_may_be_given_one_by_one():
    returns = np.random.default_rng(3).normal(0.001, 0.01, 400)
    trials = np.random.default_rng(4).normal(0.0, 0.05, 30)
    found = deflated_sharpe_ratio(returns, trial_sharpes=trials)
    given_ = deflated_sharpe_ratio(returns, trial_deviation=trials.std(ddof=1), n_trials=30)
    assert found == given_
    idle = np.append(trials, np.nan)
    assert deflated_sharpe_ratio(returns, trial_sharpes=idle) == deflated_sharpe_ratio(
        returns, trial_deviation=trials.std(ddof=1), n_trials=31
    )
    assert deflated_sharpe_ratio(returns, trial_sharpes=trials, n_trials=5) > found
    # A single trial is no search.
    assert deflated_sharpe_ratio(returns, trial_sharpes=[0.1]) == probabilistic_sharpe_ratio(returns)


def test_unknown_returns_are_left_out_and_still_ones_have_no_ratio():
    returns = np.random.default_rng(5).normal(0.001, 0.01, 60)
    assert probabilistic_sharpe_ratio(np.append(returns, np.nan)) == probabilistic_sharpe_ratio(returns)
    assert math.isnan(probabilistic_sharpe_ratio(np.zeros(20)))
    assert math.isnan(deflated_sharpe_ratio(np.full(20, 0.01), trial_sharpes=[0.1, 0.2]))
    assert math.isnan(minimum_track_record_length(np.zeros(20)))


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({}, ConfigError, "needs returns or moments"),
        ({"returns": [0.1, 0.2], "sharpe": 0.1, "n_periods": 20}, ConfigError, "needs returns or moments"),
        ({"sharpe": 0.1}, ConfigError, "needs returns or moments"),
        ({"sharpe": 0.1, "n_periods": 20, "skewness": -3.0}, ConfigError, "not the excess"),
        ({"sharpe": np.inf, "n_periods": 20}, ConfigError, "not finite"),
        ({"sharpe": 0.1, "n_periods": 20, "kurtosis": np.inf}, ConfigError, "not finite"),
        ({"sharpe": 0.1, "n_periods": 20, "skewness": np.nan}, ConfigError, "not finite"),
        ({"sharpe": 0.1, "n_periods": 20, "kurtosis": np.nan}, ConfigError, "not finite"),
        ({"sharpe": 0.1, "n_periods": 1}, NotEnoughDataError, "needs returns"),
        ({"returns": [0.1]}, NotEnoughDataError, "needs returns"),
        ({"returns": [[0.1, 0.2]]}, DataError, "one series"),
        ({"returns": [0.1, np.inf]}, DataError, "infinite"),
        ({"returns": [0.1, 0.2, -0.1], "benchmark_sharpe": np.nan}, DataError, "not a finite"),
    ],
)
def test_bad_moments_are_refused(keywords, error, message):
    keywords = dict(keywords)
    returns = keywords.pop("returns", None)
    with pytest.raises(error, match=message):
        probabilistic_sharpe_ratio(returns, **keywords)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({}, "needs to know the trials"),
        ({"trial_deviation": 0.1}, "needs to know the trials"),
        ({"trial_sharpes": [0.1], "trial_deviation": 0.1, "n_trials": 2}, "needs to know the trials"),
        ({"trial_deviation": -0.1, "n_trials": 2}, "deviation of the trials"),
        ({"trial_deviation": 0.1, "n_trials": 0.5}, "number of trials"),
        ({"trial_sharpes": []}, "cannot be read"),
        ({"trial_sharpes": [0.1, np.inf]}, "cannot be read"),
        ({"trial_sharpes": ["a"]}, "must be numbers"),
    ],
)
def test_bad_trials_are_refused(keywords, message):
    with pytest.raises((ConfigError, DataError), match=message):
        deflated_sharpe_ratio([0.01, 0.02, -0.01], **keywords)


@pytest.mark.parametrize("confidence", [0.4, 1.0, np.nan])
def test_a_confidence_has_bounds(confidence):
    with pytest.raises(ConfigError, match="confidence"):
        minimum_track_record_length(sharpe=0.1, confidence=confidence)


def matrices():
    designs = {case["name"]: case["returns"] for case in PBO["cases"] if len(case["returns"]) > 20}
    return [
        pytest.param(designs.get(case["name"], case["returns"]), case, id=f"{case['name']}-{case['S']}")
        for case in PBO["cases"]
    ]


@pytest.mark.parametrize(("returns", "case"), matrices())
def test_overfitting_equals_that_of_others(returns, case):
    found = probability_of_backtest_overfitting(returns, case["S"])
    assert found.n_combinations == case["n_combinations"]
    assert found.logits == pytest.approx(case["logits"], abs=PBO["tolerance"])
    for ours, theirs in {
        "probability": "pbo_le0",
        "probability_strict": "pbo_lt0",
        "probability_of_loss": "prob_oos_loss",
        "slope": "degradation_slope",
        "intercept": "degradation_intercept",
    }.items():
        assert getattr(found, ours) == pytest.approx(case[theirs], abs=PBO["tolerance"]), ours
    assert float(found) == found.probability


def brute_force(values, n_blocks):
    blocks = np.array_split(np.arange(len(values)), n_blocks)
    logits, outside = [], []
    for half in itertools.combinations(range(n_blocks), n_blocks // 2):
        inner = np.concatenate([blocks[b] for b in half])
        outer = np.setdiff1d(np.arange(len(values)), inner)
        ratio = [np.nan_to_num([sharpe_ratio(c) for c in values[rows].T]) for rows in (inner, outer)]
        best = int(np.argmax(ratio[0]))
        share = rankdata(ratio[1])[best] / (values.shape[1] + 1)
        logits.append(math.log(share / (1 - share)))
        outside.append(ratio[1][best])
    return np.array(logits), np.array(outside)


@settings(max_examples=40)
@given(st.integers(12, 60), st.integers(2, 7), st.sampled_from([2, 4, 6]), st.integers(0, 2**32 - 1))
def test_overfitting_equals_brute_force(n_rows, n_trials, n_blocks, seed):
    generator = np.random.default_rng(seed)
    values = generator.normal(0.0, 0.01, (n_rows, n_trials)) + generator.choice([0.0, 0.1])
    values[: n_rows // 2, 0] = 0.0  # a strategy that entered late
    found = probability_of_backtest_overfitting(values, n_blocks)
    logits, outside = brute_force(values, n_blocks)
    assert found.logits == pytest.approx(logits, abs=1e-9)
    assert found.out_of_sample == pytest.approx(outside, abs=1e-7)


def test_noise_is_overfitted_half_of_the_time_and_skill_never():
    generator = np.random.default_rng(7)
    noise = [
        probability_of_backtest_overfitting(generator.normal(0.0, 0.01, (400, 20)), 8).probability
        for _ in range(30)
    ]
    assert 0.4 < np.mean(noise) < 0.6
    skilled = generator.normal(0.0, 0.01, (400, 20))
    skilled[:, 3] += 0.01
    found = probability_of_backtest_overfitting(pd.DataFrame(skilled), 8)
    assert found.probability == found.probability_of_loss == 0.0
    assert set(found.chosen) == {3}


@pytest.mark.parametrize("scale", [1e300, 1e155, 1e-170, 1e-290])
@pytest.mark.parametrize("statistic", ["sharpe", "mean"])
def test_overfitting_does_not_know_the_unit(scale, statistic):
    values = np.random.default_rng(12).normal(0.1, 1.0, (80, 6))
    plain = probability_of_backtest_overfitting(values, 8, statistic=statistic)
    found = probability_of_backtest_overfitting(values * scale, 8, statistic=statistic)
    assert 0.0 < plain.probability < 1.0
    assert found.probability == plain.probability
    assert np.array_equal(found.chosen, plain.chosen)
    unit = scale if statistic == "mean" else 1.0
    np.testing.assert_allclose(found.in_sample / unit, plain.in_sample, rtol=1e-9)
    assert found.slope == pytest.approx(plain.slope, rel=1e-9)
    assert found.intercept / unit == pytest.approx(plain.intercept, rel=1e-9)


def test_means_serve_for_figures_that_are_no_returns():
    values = np.random.default_rng(1).normal(0.0, 1.0, (64, 5)) * np.array([1, 1, 1, 1, 50.0])
    by_mean = probability_of_backtest_overfitting(values, 8, statistic="mean")
    assert by_mean.in_sample.max() > 1.0
    halves = np.array(list(itertools.combinations(range(8), 4)))
    blocks = values.reshape(8, 8, 5).mean(axis=1)
    assert by_mean.in_sample == pytest.approx([blocks[list(half)].mean(axis=0).max() for half in halves])


def test_trials_that_never_traded_rank_in_the_middle():
    values = np.zeros((32, 3))
    found = probability_of_backtest_overfitting(values, 4)
    assert found.logits.tolist() == [0.0] * 6
    assert found.probability == 1.0
    assert found.probability_strict == found.probability_of_loss == 0.0
    assert math.isnan(found.slope)


@pytest.mark.parametrize(
    ("values", "n_blocks", "statistic", "message"),
    [
        (np.zeros((40, 2)), 5, "sharpe", "number of blocks"),
        (np.zeros((40, 2)), 0, "sharpe", "number of blocks"),
        (np.zeros((400, 2)), 24, "sharpe", "number of blocks"),
        (np.zeros((40, 2)), 4.0, "sharpe", "no whole number"),
        (np.zeros((40, 2)), True, "sharpe", "no whole number"),
        (np.zeros((40, 1)), 4, "sharpe", "trials to compare"),
        (np.zeros(40), 4, "sharpe", "trials to compare"),
        (np.full((40, 2), np.nan), 4, "sharpe", "unknown or infinite"),
        (np.zeros((7, 2)), 4, "sharpe", "too few rows"),
        (np.zeros((40, 2)), 4, "median", "Unknown statistic"),
        ([["a", "b"]], 2, "sharpe", "no number"),
    ],
)
def test_bad_matrices_are_refused(values, n_blocks, statistic, message):
    with pytest.raises((ConfigError, DataError), match=message):
        probability_of_backtest_overfitting(values, n_blocks, statistic=statistic)


def test_a_search_is_summed_up():
    generator = np.random.default_rng(2)
    values = generator.normal(0.0, 0.01, (800, 12))
    found = search_statistics(values, periods_per_year=365.25, n_blocks=8)
    ratios = [sharpe_ratio(column) for column in values.T]
    assert found.chosen == int(np.argmax(ratios))
    assert found.sharpe == pytest.approx(max(ratios) * math.sqrt(365.25))
    assert found.n_effective == pytest.approx(12, abs=0.5)
    assert found.deflated_sharpe < found.probabilistic_sharpe
    assert found.overfitting == float(probability_of_backtest_overfitting(values, 8))
    more = search_statistics(values, periods_per_year=365.25, n_blocks=8, n_trials=500)
    assert more.deflated_sharpe < found.deflated_sharpe
    other = search_statistics(values, periods_per_year=365.25, n_blocks=8, chosen=0)
    assert other.sharpe_per_period == ratios[0]
    assert set(found.to_dict()) >= {"deflated_sharpe", "overfitting"}


def test_a_search_of_one_is_judged_as_one():
    values = np.random.default_rng(2).normal(0.001, 0.01, 300)
    found = search_statistics(values, periods_per_year=252)
    assert found.n_effective == 1.0
    assert found.deflated_sharpe == found.probabilistic_sharpe == probabilistic_sharpe_ratio(values)
    assert math.isnan(found.overfitting)
    with pytest.raises(ConfigError, match="no column"):
        search_statistics(values, periods_per_year=252, chosen=1)


def test_copies_count_as_one_trial():
    one = np.random.default_rng(2).normal(0.0, 0.01, 300)
    assert effective_trials(np.column_stack([one] * 10)) == pytest.approx(1.0)
    assert effective_trials(np.column_stack([one, np.zeros(300)])) == 1.0


@given(st.lists(st.integers(-300, 300), min_size=3, max_size=3), st.integers(0, 2**32 - 1))
def test_each_trial_may_be_in_a_unit_of_its_own(powers, seed):
    trials = np.random.default_rng(seed).normal(size=(40, 3))
    trials[:, 1] += trials[:, 0]
    scaled = trials * 10.0 ** np.array(powers)
    assert effective_trials(scaled) == pytest.approx(effective_trials(trials), rel=1e-9)
