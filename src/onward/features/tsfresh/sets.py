"""Named sets of features: tsfresh's own, and one chosen for windows of returns and volume."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import Any

from onward.features.tsfresh.calculators import WITHOUT_PARAMETERS

__all__ = ["SETS", "Parameters", "comprehensive", "efficient", "financial", "minimal"]

Parameters = dict[Any, Sequence[Mapping[str, Any]] | None]
"""Calculator (a name, or a function of the user's) to parameter dictionaries; None for none."""


def each(name: str, values: Sequence[Any]) -> list[Mapping[str, Any]]:
    """Return one parameter dictionary a value."""
    return [{name: value} for value in values]


def minimal() -> Parameters:
    """Return the ten features of tsfresh's ``MinimalFCParameters``."""
    names = (
        "sum_values",
        "median",
        "mean",
        "length",
        "standard_deviation",
        "variance",
        "root_mean_square",
        "maximum",
        "absolute_maximum",
        "minimum",
    )
    return dict.fromkeys(names)


def comprehensive() -> Parameters:
    """Return tsfresh's ``ComprehensiveFCParameters`` (without ``matrix_profile``, which needs more)."""
    line = ["pvalue", "rvalue", "intercept", "slope", "stderr"]
    widths = (2, 5, 10, 20)
    edges = product([0.0, 0.2, 0.4, 0.6, 0.8], [0.2, 0.4, 0.6, 0.8, 1.0], [False, True], ["mean", "var"])
    deciles = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]
    chosen: Parameters = dict.fromkeys(WITHOUT_PARAMETERS)
    chosen |= {
        "time_reversal_asymmetry_statistic": each("lag", range(1, 4)),
        "c3": each("lag", range(1, 4)),
        "cid_ce": each("normalize", [True, False]),
        "symmetry_looking": [{"r": step * 0.05} for step in range(20)],
        "large_standard_deviation": [{"r": step * 0.05} for step in range(1, 20)],
        "quantile": each("q", deciles),
        "autocorrelation": each("lag", range(10)),
        "agg_autocorrelation": [{"f_agg": how, "maxlag": 40} for how in ("mean", "median", "var")],
        "partial_autocorrelation": each("lag", range(10)),
        "number_cwt_peaks": each("n", [1, 5]),
        "number_peaks": each("n", [1, 3, 5, 10, 50]),
        "binned_entropy": each("max_bins", [10]),
        "index_mass_quantile": each("q", deciles),
        "cwt_coefficients": [
            {"widths": widths, "coeff": coeff, "w": width} for coeff in range(15) for width in widths
        ],
        "spkt_welch_density": each("coeff", [2, 5, 8]),
        "ar_coefficient": [{"coeff": coeff, "k": 10} for coeff in range(11)],
        "change_quantiles": [
            {"ql": low, "qh": high, "isabs": magnitude, "f_agg": how}
            for low, high, magnitude, how in edges
            if low < high
        ],
        "fft_coefficient": [
            {"coeff": coeff, "attr": attr}
            for attr in ("real", "imag", "abs", "angle")
            for coeff in range(100)
        ],
        "fft_aggregated": each("aggtype", ["centroid", "variance", "skew", "kurtosis"]),
        "value_count": each("value", [0, 1, -1]),
        "range_count": [{"min": -1, "max": 1}, {"min": -1e12, "max": 0}, {"min": 0, "max": 1e12}],
        "approximate_entropy": [{"m": 2, "r": r} for r in (0.1, 0.3, 0.5, 0.7, 0.9)],
        "friedrich_coefficients": [{"coeff": coeff, "m": 3, "r": 30} for coeff in range(4)],
        "max_langevin_fixed_point": [{"m": 3, "r": 30}],
        "linear_trend": each("attr", line),
        "agg_linear_trend": [
            {"attr": attr, "chunk_len": part, "f_agg": how}
            for attr in ("rvalue", "intercept", "slope", "stderr")
            for part in (5, 10, 50)
            for how in ("max", "min", "mean", "var")
        ],
        "augmented_dickey_fuller": each("attr", ["teststat", "pvalue", "usedlag"]),
        "number_crossing_m": each("m", [0, -1, 1]),
        "energy_ratio_by_chunks": [{"num_segments": 10, "segment_focus": i} for i in range(10)],
        "ratio_beyond_r_sigma": each("r", [0.5, 1, 1.5, 2, 2.5, 3, 5, 6, 7, 10]),
        "linear_trend_timewise": each("attr", line),
        "count_above": each("t", [0]),
        "count_below": each("t", [0]),
        "lempel_ziv_complexity": each("bins", [2, 3, 5, 10, 100]),
        "fourier_entropy": each("bins", [2, 3, 5, 10, 100]),
        "permutation_entropy": [{"tau": 1, "dimension": size} for size in (3, 4, 5, 6, 7)],
        "query_similarity_count": [{"query": None, "threshold": 0.0}],
        "mean_n_absolute_max": each("number_of_maxima", [7]),
    }
    return chosen


def efficient() -> Parameters:
    """Return tsfresh's ``EfficientFCParameters``: 777 features, 5 more with times."""
    costly = ("sample_entropy", "approximate_entropy")
    return {name: wanted for name, wanted in comprehensive().items() if name not in costly}


def financial() -> Parameters:
    """Return 70 features chosen for windows of returns, volume or ranges.

    Left out on purpose: what only counts bars (``length``), what is a multiple of another feature
    when windows have one length (sum and mean, energy and root mean square), counts of exact
    repeats, and fits that mean nothing on stationary series.
    """
    return {
        "mean": None,
        "median": None,
        "standard_deviation": None,
        "skewness": None,
        "kurtosis": None,
        "variation_coefficient": None,
        "root_mean_square": None,
        "maximum": None,
        "minimum": None,
        "mean_n_absolute_max": each("number_of_maxima", [5]),
        "quantile": each("q", [0.05, 0.25, 0.75, 0.95]),
        "ratio_beyond_r_sigma": each("r", [1, 2, 3]),
        "symmetry_looking": each("r", [0.05]),
        "mean_abs_change": None,
        "mean_second_derivative_central": None,
        "cid_ce": each("normalize", [True]),
        "change_quantiles": [
            {"ql": 0.0, "qh": 0.2, "isabs": True, "f_agg": "mean"},
            {"ql": 0.2, "qh": 0.8, "isabs": True, "f_agg": "mean"},
            {"ql": 0.2, "qh": 0.8, "isabs": False, "f_agg": "var"},
            {"ql": 0.8, "qh": 1.0, "isabs": True, "f_agg": "mean"},
        ],
        "count_above_mean": None,
        "longest_strike_above_mean": None,
        "longest_strike_below_mean": None,
        "first_location_of_maximum": None,
        "first_location_of_minimum": None,
        "number_crossing_m": each("m", [0]),
        "number_peaks": each("n", [1, 3]),
        "autocorrelation": each("lag", [1, 2, 3, 5, 10]),
        "partial_autocorrelation": each("lag", [2, 3, 5]),
        "agg_autocorrelation": [{"f_agg": how, "maxlag": 20} for how in ("mean", "var")],
        "c3": each("lag", [1, 2]),
        "time_reversal_asymmetry_statistic": each("lag", [1, 2]),
        "linear_trend": each("attr", ["slope", "rvalue", "stderr"]),
        "agg_linear_trend": [
            {"attr": attr, "chunk_len": 6, "f_agg": how}
            for attr in ("slope", "rvalue")
            for how in ("mean", "var")
        ],
        "energy_ratio_by_chunks": [{"num_segments": 4, "segment_focus": i} for i in range(4)],
        "index_mass_quantile": each("q", [0.25, 0.5, 0.75]),
        "fft_coefficient": [{"coeff": coeff, "attr": "abs"} for coeff in (1, 2, 3, 4)],
        "fft_aggregated": each("aggtype", ["centroid", "variance"]),
        "spkt_welch_density": each("coeff", [2, 5]),
        "fourier_entropy": each("bins", [10]),
        "binned_entropy": each("max_bins", [10]),
        "permutation_entropy": [{"tau": 1, "dimension": size} for size in (3, 5)],
        "lempel_ziv_complexity": each("bins", [3]),
    }


SETS: Mapping[str, Callable[[], Parameters]] = MappingProxyType(
    {
        "minimal": minimal,
        "financial": financial,
        "efficient": efficient,
        "comprehensive": comprehensive,
    }
)
"""Sets by name."""
