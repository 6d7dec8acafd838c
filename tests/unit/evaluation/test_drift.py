"""Drift: statistics against SciPy and by hand; what autocorrelation does to p-values."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.stats import false_discovery_control, ks_2samp

from onward.errors import ConfigError, NotEnoughDataError
from onward.evaluation.drift import (
    drift_of_folds,
    feature_drift,
    kolmogorov_smirnov,
    kolmogorov_smirnov_p,
    population_stability,
)
from onward.evaluation.effective_size import (
    _autocorrelation_time_reference,
    autocorrelation_time,
    crossing_time,
)
from onward.splits import PurgedKFold
from onward.types import INDEX_NAMES, Spans, from_ns
from tests.unit.evaluation.feature_rows import HOUR, made_rows

values = st.lists(st.integers(-3, 3), min_size=3, max_size=40)


def autoregressive(generator, n, phi, columns=1):
    noise = generator.normal(size=(n + 500, columns)) * np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], noise, axis=0)[500:]


def time_below_the_median(phi):
    """Correlation of the signs of a Gaussian pair is 2 / pi asin(rho)."""
    return 1 + 2 * (2 / np.pi * np.arcsin(phi ** np.arange(1, 3_000))).sum()


def spans_of(n, symbols="A", first=0):
    start = HOUR * np.arange(first, first + n, dtype=np.int64)
    index = pd.MultiIndex.from_product([list(symbols), from_ns(start)], names=INDEX_NAMES)
    start = np.tile(start, len(symbols))
    return Spans(index, start, start + 12 * HOUR)


def compare(before, after, **options):
    names = [f"c{j}" for j in range(before.shape[1])]
    return feature_drift(
        pd.DataFrame(before, columns=names),
        pd.DataFrame(after, columns=names),
        train_spans=spans_of(len(before)),
        test_spans=spans_of(len(after), first=len(before)),
        **options,
    )


@settings(max_examples=80, deadline=None)
@given(values, values)
def test_the_distance_is_scipys(left, right):
    found = kolmogorov_smirnov(np.array(left, float), np.array(right, float))
    with warnings.catch_warnings():  # its p-value does not like ties
        warnings.simplefilter("ignore")
        expected = ks_2samp(left, right).statistic
    assert found == pytest.approx(expected, abs=1e-12)


def test_for_independent_values_the_p_value_is_the_exact_one():
    generator = np.random.default_rng(0)
    for shift in (0.0, 0.2, 0.5):
        left, right = generator.normal(size=150), generator.normal(shift, size=90)
        expected = ks_2samp(left, right, method="exact").pvalue
        found = kolmogorov_smirnov_p(kolmogorov_smirnov(left, right), 150, 90)
        assert found == pytest.approx(expected, rel=0.2, abs=0.01)


def test_plain_p_values_call_every_slow_column_drifted_and_ours_do_not():
    """300 stationary AR(1) columns without drift, autocorrelation of a 24-bar feature."""
    generator = np.random.default_rng(1)
    data = autoregressive(generator, 2_500, 0.95, columns=300)
    before, after = data[:2_000], data[2_000:]
    plain = np.array([ks_2samp(b, a, method="asymp").pvalue for b, a in zip(before.T, after.T, strict=True)])
    ours = compare(before, after)
    assert (plain < 0.05).mean() > 0.8
    assert 0.003 < (ours["ks_p"] < 0.05).mean() < 0.07
    assert (ours["ks_q"] < 0.05).sum() <= 2
    assert ours["effective_test"].mean() == pytest.approx(500 / time_below_the_median(0.95), rel=0.25)
    # The index's thumb rule errs as plainly; what is expected of it without drift does not.
    assert (ours["psi"] > 0.1).mean() > 0.6
    assert ours["psi"].mean() == pytest.approx(ours["psi_expected"].mean(), rel=0.25)
    assert (ours["psi"] > 3 * ours["psi_expected"]).mean() < 0.1


def test_true_drift_is_found():
    generator = np.random.default_rng(2)
    data = autoregressive(generator, 2_500, 0.9, columns=3)
    moved = data[2_000:] + np.array([0.0, 2.5, 0.0])
    moved[:, 2] *= 4.0
    found = compare(data[:2_000], moved)
    assert (found["ks_p"] < 0.01).tolist() == [False, True, True]
    assert (found["psi"] > 2 * found["psi_expected"]).tolist() == [False, True, True]
    assert found["median_shift"][1] == pytest.approx(2.5 / 1.35, abs=0.5)
    np.testing.assert_allclose(found["ks_q"], false_discovery_control(found["ks_p"]))


def test_independent_rows_show_the_index_that_theory_expects():
    generator = np.random.default_rng(3)
    found = compare(generator.normal(size=(800, 200)), generator.normal(size=(300, 200)))
    assert found["autocorrelation_bars"].median() < 1.15
    # Nine degrees of freedom of ten bins; the bins come from the training rows.
    assert found["psi"].mean() == pytest.approx(9 * (1 / 800 + 1 / 300), rel=0.2)


def test_the_index_by_hand():
    before, after = np.repeat([1.0, 2.0], [60, 40]), np.repeat([1.0, 2.0], [30, 70])
    expected = (0.3 - 0.6) * np.log(0.3 / 0.6) + (0.7 - 0.4) * np.log(0.7 / 0.4)
    assert population_stability(before, after) == pytest.approx(expected)
    quantiles = np.arange(100.0)
    shares = np.array([0.5, 0.25, 0.25, 0.005])  # 0.005: half a row where there is none
    of_train = np.array([0.25, 0.25, 0.25, 0.25])
    after = np.repeat([10.0, 30.0, 60.0], [50, 25, 25])
    assert population_stability(quantiles, after, n_bins=4) == pytest.approx(
        ((shares - of_train) * np.log(shares / of_train)).sum()
    )
    assert population_stability(before, before) == 0.0


def test_values_never_seen_and_values_not_known_have_bins_of_their_own():
    flat = np.ones(100)
    assert population_stability(flat, flat) == 0.0
    assert population_stability(flat, np.full(100, 0.5)) > 5.0
    assert population_stability(flat, np.full(100, 1.5)) > 5.0
    known, gone = np.arange(100.0), np.where(np.arange(100) < 50, np.arange(100.0), np.nan)
    assert population_stability(known, gone) > 2.0
    assert population_stability(gone, gone) == 0.0
    assert population_stability(np.full(9, np.nan), np.full(9, np.nan)) == 0.0
    assert population_stability(np.full(9, np.nan), np.ones(9)) > 2.0


@settings(max_examples=60, deadline=None)
@given(values, values, st.integers(2, 12))
def test_the_index_is_never_negative_and_ignores_order(before, after, n_bins):
    before, after = np.array(before, float), np.array(after, float)
    found = population_stability(before, after, n_bins=n_bins)
    assert found >= 0.0
    assert population_stability(before[::-1], np.sort(after), n_bins=n_bins) == pytest.approx(found)
    assert population_stability(before, before, n_bins=n_bins) == 0.0


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.95, 0.99])
def test_the_autocorrelation_time_equals_the_loop_and_theory(phi):
    generator = np.random.default_rng(4)
    step = np.arange(4_000)
    found = [
        autocorrelation_time(x, step, np.zeros(4_000, np.int64))
        for x in autoregressive(generator, 4_000, phi, columns=6).T
    ]
    assert np.mean(found) == pytest.approx((1 + phi) / (1 - phi), rel=0.35, abs=0.2)
    x = autoregressive(generator, 801, phi)[:, 0]
    one = autocorrelation_time(x, step[:801], np.zeros(801, np.int64))
    assert one == pytest.approx(_autocorrelation_time_reference(x), rel=0.08)


def test_a_threshold_is_crossed_sooner_than_the_level_is_forgotten():
    generator = np.random.default_rng(8)
    step, zero = np.arange(8_000), np.zeros(8_000, np.int64)
    x = autoregressive(generator, 8_000, 0.9, columns=4)
    found = np.mean([crossing_time(column, step, zero) for column in x.T])
    assert found == pytest.approx(time_below_the_median(0.9), rel=0.15)
    assert found < np.mean([autocorrelation_time(column, step, zero) for column in x.T])
    flag = (x[:, 0] > 1.5).astype(float)  # rare: all quartiles are the same value
    assert crossing_time(flag, step, zero) == pytest.approx(autocorrelation_time(flag, step, zero))
    assert crossing_time(-flag, step, zero) == pytest.approx(autocorrelation_time(flag, step, zero))
    assert np.isnan(crossing_time(np.full(9, np.nan), step[:9], zero[:9]))


def test_holes_and_symbols_do_not_shorten_the_time():
    generator = np.random.default_rng(5)
    step, zero = np.arange(6_000), np.zeros(6_000, np.int64)
    x = autoregressive(generator, 6_000, 0.9)[:, 0]
    whole = autocorrelation_time(x, step, zero)
    kept = (step < 2_000) | (step > 3_500)
    assert autocorrelation_time(x[kept], step[kept], zero[kept]) == pytest.approx(whole, rel=0.3)
    unknown = np.where(kept, x, np.nan)
    assert autocorrelation_time(unknown, step, zero) == pytest.approx(whole, rel=0.3)
    both = np.column_stack((x, autoregressive(generator, 6_000, 0.9)[:, 0] + 9.0)).ravel()
    interleaved = autocorrelation_time(both, np.repeat(step, 2), np.tile([0, 1], 6_000))
    assert interleaved == pytest.approx(whole, rel=0.3)
    assert np.isnan(autocorrelation_time(np.ones(50), step[:50], zero[:50]))


def test_symbols_of_one_moment_count_once():
    generator = np.random.default_rng(6)
    common = generator.normal(size=700)
    table = feature_drift(
        pd.DataFrame({"f": np.tile(common[:500], 3)}),
        pd.DataFrame({"f": np.tile(common[500:], 3)}),
        train_spans=spans_of(500, "ABC"),
        test_spans=spans_of(200, "ABC", first=500),
    )
    assert table["effective_train"][0] <= 500
    assert table["effective_test"][0] <= 200


def test_odd_columns_are_reported_not_refused():
    n = 200
    before = pd.DataFrame(
        {"flat": 1.0, "never": np.nan, "late": np.nan, "gone": np.arange(n) * 1.0}, range(n)
    )
    after = pd.DataFrame({"flat": 1.0, "never": np.nan, "late": 2.0, "gone": np.nan}, range(n))
    found = feature_drift(before, after, train_spans=spans_of(n), test_spans=spans_of(n, first=n)).set_index(
        "column"
    )
    assert found.loc["flat", ["psi", "ks", "median_shift"]].tolist() == [0.0, 0.0, 0.0]
    assert found.loc["never", "psi"] == 0.0
    assert found.loc[["never", "late", "gone"], ["ks", "ks_p", "ks_q"]].isna().all(axis=None)
    assert found["nan_train"].tolist() == [0.0, 1.0, 1.0, 0.0]
    assert found["nan_test"].tolist() == [0.0, 1.0, 0.0, 1.0]
    assert (found.loc[["late", "gone"], "psi"] > 5).all()


def test_a_table_of_folds_sees_training_and_test_rows_of_each():
    X, _, spans = made_rows(400, seed=7)
    folds = PurgedKFold(4).folds(spans)
    table = drift_of_folds(X, spans, folds)
    assert len(table) == 4 * X.shape[1]
    fold = folds[2]
    alone = feature_drift(
        X.iloc[fold.train],
        X.iloc[fold.test],
        train_spans=spans.take(fold.train),
        test_spans=spans.take(fold.test),
    )
    third = table[table["fold"] == 2].drop(columns="fold").reset_index(drop=True)
    pd.testing.assert_frame_equal(third, alone)
    assert drift_of_folds(X, spans, []).empty


def test_what_cannot_be_compared_is_refused():
    X, _, spans = made_rows(60)
    same = {"train_spans": spans, "test_spans": spans}
    with pytest.raises(ConfigError, match="different columns"):
        feature_drift(X, X[["echo", "signal", "noise"]], **same)
    with pytest.raises(ConfigError, match="disagree in number"):
        feature_drift(X, X.iloc[:9], **same)
    with pytest.raises(ConfigError, match="n_bins 1"):
        feature_drift(X, X, n_bins=1, **same)
    with pytest.raises(NotEnoughDataError, match="too few rows"):
        feature_drift(X, X.iloc[:1], train_spans=spans, test_spans=spans.take(np.array([0])))


@pytest.mark.parametrize("n_bins", [0, 1, -3])
def test_one_bin_tells_nothing_apart(n_bins):
    with pytest.raises(ConfigError, match="too few bins"):
        population_stability(np.arange(9.0), np.arange(9.0), n_bins=n_bins)


@pytest.mark.parametrize("sizes", [(0, 5), (5, 0), (np.nan, 5), (0, 0)])
def test_without_independent_values_the_chance_is_not_known(sizes):
    assert np.isnan(kolmogorov_smirnov_p(0.5, *sizes))
