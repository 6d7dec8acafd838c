"""Values of parameters that can give no number, or would take memory without end, are refused up front."""

from __future__ import annotations

import time
import tracemalloc
import warnings

import numpy as np
import pytest

from onward.errors import ConfigError
from onward.features.tsfresh import UndefinedWarning, extract_rolling, resolve_parameters, rolling_features
from onward.features.tsfresh.sets import comprehensive
from tests.unit.features.tsfresh.tsfresh_windows import by_tsfresh, differs

NAN = float("nan")
LINE = {"f_agg": "mean", "chunk_len": 5}
CORRIDOR = {"ql": 0.1, "qh": 0.9, "isabs": True}

NO_NUMBER = [
    ("agg_autocorrelation", {"f_agg": "mean", "maxlag": 0}, "not 0"),
    ("agg_autocorrelation", {"f_agg": "mean", "maxlag": 2.5}, "whole"),
    ("agg_autocorrelation", {"f_agg": "meen", "maxlag": 3}, "Did you mean 'mean'"),
    ("agg_linear_trend", {**LINE, "attr": "slop"}, "Did you mean 'slope'"),
    ("agg_linear_trend", {**LINE, "attr": "slope", "chunk_len": 0}, "from 1"),
    ("agg_linear_trend", {**LINE, "attr": "slope", "chunk_len": -1}, "from 1"),
    ("agg_linear_trend", {**LINE, "attr": "slope", "chunk_len": 2.0}, "whole"),
    ("agg_linear_trend", {**LINE, "attr": "slope", "f_agg": "median"}, "method of a NumPy array"),
    ("approximate_entropy", {"m": 0, "r": 0.1}, "from 1"),
    ("approximate_entropy", {"m": 2, "r": -0.1}, "0 or more"),
    ("approximate_entropy", {"m": 2, "r": NAN}, "0 or more"),
    ("ar_coefficient", {"coeff": 4, "k": 3}, "to k"),
    ("ar_coefficient", {"coeff": 0, "k": -1}, "order"),
    ("augmented_dickey_fuller", {"attr": "statistic"}, "teststat, pvalue, usedlag"),
    ("augmented_dickey_fuller", {"attr": "pvalue", "autolag": "AICC"}, "Did you mean 'AIC'"),
    ("autocorrelation", {"lag": -3}, "from 0"),
    ("autocorrelation", {"lag": 2.0}, "whole"),
    ("binned_entropy", {"max_bins": 0}, "from 1"),
    ("binned_entropy", {"max_bins": 10.0}, "whole"),
    ("binned_entropy", {"max_bins": "sturgis"}, "Did you mean 'sturges'"),
    ("c3", {"lag": 2.0}, "whole"),
    ("change_quantiles", {**CORRIDOR, "f_agg": "maen"}, "Did you mean 'mean'"),
    ("cwt_coefficients", {"widths": (2, 5), "coeff": 1, "w": 3}, "one of the widths"),
    ("cwt_coefficients", {"widths": (0, 5), "coeff": 1, "w": 5}, "above 0"),
    ("cwt_coefficients", {"widths": (2, 5), "coeff": 1.0, "w": 2}, "whole"),
    ("energy_ratio_by_chunks", {"num_segments": 0, "segment_focus": 0}, "1 or more"),
    ("energy_ratio_by_chunks", {"num_segments": 4, "segment_focus": 4}, "num_segments - 1"),
    ("energy_ratio_by_chunks", {"num_segments": 4, "segment_focus": -5}, "num_segments - 1"),
    ("fft_aggregated", {"aggtype": "centroids"}, "Did you mean 'centroid'"),
    ("fft_coefficient", {"attr": "abs", "coeff": -1}, "from 0"),
    ("fft_coefficient", {"attr": "absolute", "coeff": 1}, "real, imag, abs, angle"),
    ("fourier_entropy", {"bins": -1}, "from 1"),
    ("friedrich_coefficients", {"coeff": 4, "m": 3, "r": 30}, "to m"),
    ("friedrich_coefficients", {"coeff": 0, "m": 0, "r": 30}, "degree"),
    ("friedrich_coefficients", {"coeff": 0, "m": 3, "r": 0}, "from 1"),
    ("lempel_ziv_complexity", {"bins": -2}, "from 0"),
    ("linear_trend", {"attr": "count"}, "slope"),
    ("max_langevin_fixed_point", {"m": 3, "r": 30.0}, "whole"),
    ("mean_n_absolute_max", {"number_of_maxima": 0}, "from 1"),
    ("number_cwt_peaks", {"n": 0}, "from 1"),
    ("number_peaks", {"n": -1}, "from 1"),
    ("partial_autocorrelation", {"lag": -1}, "from 0"),
    ("permutation_entropy", {"tau": 0, "dimension": 3}, "from 1"),
    ("permutation_entropy", {"tau": 1, "dimension": 1}, "from 2"),
    ("quantile", {"q": 1.5}, "from 0 to 1"),
    ("quantile", {"q": NAN}, "from 0 to 1"),
    ("spkt_welch_density", {"coeff": 2.0}, "whole"),
    ("time_reversal_asymmetry_statistic", {"lag": 1.5}, "whole"),
]
"""Calculator, parameters, what the refusal says."""


@pytest.mark.parametrize(("calculator", "entry", "words"), NO_NUMBER)
def test_what_can_give_no_number_is_refused(calculator, entry, words):
    with pytest.raises(ConfigError, match=words) as refusal:
        resolve_parameters({calculator: [entry]})
    assert f"{calculator} can give no number with this" in refusal.value.what
    assert refusal.value.got
    assert refusal.value.allowed
    assert refusal.value.remedy


def test_tsfresh_gives_no_number_for_any_of_them():
    """Nothing is refused that tsfresh computes."""
    calculators = pytest.importorskip(
        "tsfresh.feature_extraction.feature_calculators", reason="needs the automl extra"
    )
    draw = np.random.default_rng(0)
    for calculator, entry, _ in NO_NUMBER:
        function = getattr(calculators, calculator)
        for x in (draw.normal(size=48), draw.normal(size=9)):
            assert np.isnan(value_or_nan(function, x, entry)), (calculator, entry)


def value_or_nan(function, x, entry):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's, of means of nothing
        try:
            if function.fctype == "combiner":
                return float(next(iter(function(x, param=[dict(entry)])))[1])
            return float(function(x, **entry))
        except Exception:
            return np.nan


@pytest.mark.parametrize(
    ("calculator", "entry"),
    [
        ("binned_entropy", {"max_bins": 10**10}),
        ("fourier_entropy", {"bins": 10**8}),
        ("number_cwt_peaks", {"n": 10**6}),
        ("cwt_coefficients", {"widths": (10**12,), "coeff": 0, "w": 10**12}),
        ("friedrich_coefficients", {"coeff": 0, "m": 3, "r": 10**9}),
        ("max_langevin_fixed_point", {"m": 10**6, "r": 30}),
        ("permutation_entropy", {"tau": 1, "dimension": 10**10}),
        ("autocorrelation", {"lag": 10**20}),
        ("autocorrelation", {"lag": 10**400}),
    ],
)
def test_what_would_take_memory_without_end_is_refused(calculator, entry):
    with pytest.raises(ConfigError) as refusal:
        resolve_parameters({calculator: [entry]})
    assert refusal.value.allowed


def test_the_largest_values_take_little_memory():
    largest = {
        "binned_entropy": [{"max_bins": 100_000}],
        "ar_coefficient": [{"coeff": 1, "k": 10**9}],
        "energy_ratio_by_chunks": [{"num_segments": 10**9, "segment_focus": 10**9 - 1}],
        "friedrich_coefficients": [{"coeff": 0, "m": 30, "r": 10_000}],
        "lempel_ziv_complexity": [{"bins": 10**9}],
        "number_cwt_peaks": [{"n": 1_000}],
        "number_peaks": [{"n": 10**9}],
        "cwt_coefficients": [{"widths": (10_000,), "coeff": 40, "w": 10_000}],
        "autocorrelation": [{"lag": 10**9}],
        "c3": [{"lag": 10**9}],
    }
    x = np.random.default_rng(0).normal(size=60)
    extract_rolling(x, window=48, parameters=largest)  # compiles
    tracemalloc.start()
    started = time.perf_counter()
    extract_rolling(x, window=48, parameters=largest)
    took, peak = time.perf_counter() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64e6
    assert took < 10.0


def test_every_set_is_lawful():
    assert len(resolve_parameters(comprehensive())) == 788


def test_odd_values_that_tsfresh_computes_are_computed():
    pytest.importorskip("tsfresh", reason="needs the automl extra")
    odd = {
        "change_quantiles": [
            {"ql": -0.1, "qh": 0.5, "isabs": True, "f_agg": "mean"},
            {"ql": 0.1, "qh": 1.5, "isabs": True, "f_agg": "mean"},
            {"ql": 0.9, "qh": 0.1, "isabs": True, "f_agg": "nobody"},
        ],
        "energy_ratio_by_chunks": [{"num_segments": 4, "segment_focus": -1}],
        "index_mass_quantile": [{"q": 1.5}, {"q": -0.1}],
        "friedrich_coefficients": [{"coeff": 0, "m": 3, "r": 1_000}],
        "cwt_coefficients": [{"widths": (2, 30), "coeff": 47, "w": 30}],
        "ar_coefficient": [{"coeff": 30, "k": 30}, {"coeff": 5, "k": 30}, {"coeff": 1, "k": 10**5}],
    }
    x = np.random.default_rng(3).normal(size=48)
    values = extract_rolling(x, window=48, parameters=odd).features.to_numpy()
    assert not differs(values, by_tsfresh(x[None], odd), np.abs(x).max()).any()
    negative = resolve_parameters({"c3": [{"lag": -3}], "ar_coefficient": [{"coeff": -1, "k": 3}]})
    assert not any(feature.native for feature in negative)


BEYOND = {
    "autocorrelation": [{"lag": 9}, {"lag": 10}],
    "partial_autocorrelation": [{"lag": 4}, {"lag": 5}, {"lag": 50}],
    "fft_coefficient": [{"attr": "abs", "coeff": 5}, {"attr": "abs", "coeff": 6}],
    "spkt_welch_density": [{"coeff": 5}, {"coeff": 6}],
    "cwt_coefficients": [{"widths": (2,), "coeff": k, "w": 2} for k in (9, 10)],
    "agg_linear_trend": [{"attr": "slope", "chunk_len": n, "f_agg": "max"} for n in (9, 10)],
    "mean_n_absolute_max": [{"number_of_maxima": 9}, {"number_of_maxima": 10}],
    "permutation_entropy": [{"tau": 1, "dimension": 10}, {"tau": 1, "dimension": 11}],
    "ar_coefficient": [{"coeff": 0, "k": 4}, {"coeff": 0, "k": 5}],
}


def test_parameters_beyond_the_window_stay_undefined_and_are_told_once():
    x = np.random.default_rng(1).normal(size=12)
    with pytest.warns(UndefinedWarning) as caught:
        table = rolling_features(x, window=10, parameters=BEYOND)
    undefined = [name.removeprefix("value__") for name in table.columns[table.isna().all()]]
    report = extract_rolling(x, window=10, parameters=BEYOND).report
    assert list(report.undefined[10]) == undefined
    assert len(undefined) == 10
    assert (
        table[[name for name in table if name.removeprefix("value__") not in undefined]].notna().all().all()
    )
    assert len(caught) == 1
    assert "autocorrelation__lag_10" in str(caught[0].message)
    assert "and 7 more reach beyond a window of 10" in str(caught[0].message)


def test_of_a_set_nothing_is_told():
    result = extract_rolling(np.arange(12.0), window=10, parameters="efficient")
    assert len(result.report.undefined[10]) > 300
    assert len(rolling_features(np.arange(12.0), window=10, parameters="efficient")) == 3
