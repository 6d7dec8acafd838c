"""Values of a parameter that can give no number, or would take memory without end.

Decided calculator by calculator from what tsfresh 0.21.2 does. A value is refused when tsfresh raises
or gives NaN for it on every window; what it computes, odd as it may be (a negative lag of ``c3`` runs
round the window's end), is computed. Two exceptions: a lag of -1 of ``autocorrelation`` and -1 bins of
``lempel_ziv_complexity``, numbers by accident of NumPy's broadcasting and slicing, are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from onward.errors import ConfigError, nearest

__all__ = ["MOST_BINS", "MOST_WIDTHS", "refuse_impossible"]

ENDLESS = 1_000_000_000
"""Beyond any window, and well within what a kernel can count."""
MOST_BINS = 100_000
"""Bins of a histogram: a window with as many edges takes two megabytes and a tenth of a millisecond."""
MOST_QUANTILE_BINS = 10_000
MOST_POWERS = 30
MOST_WIDTHS = 1_000
WIDEST_WAVELET = 10_000
MOST_NEIGHBOURS = 10_000
MOST_FREQUENCIES = 129
"""Welch's density has no more: its segments hold at most 256 values."""

LINE = ("slope", "intercept", "rvalue", "pvalue", "stderr", "intercept_stderr")
NUMPY_BIN_RULES = ("auto", "fd", "doane", "scott", "stone", "rice", "sturges", "sqrt")
NO_NUMBER = "tsfresh raises or gives NaN for it on every window: correct it, or leave the calculator out."
TOO_MUCH = "More takes memory or time without end and says no more about a window."

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """What a parameter must be.

    Attributes
    ----------
    parameter
        Its name.
    holds
        Whether the value in a dictionary of parameters can give a number.
    allowed
        Those values in words.
    names
        Known names, when it is one: the nearest is proposed.
    most
        Largest whole number that is computed.
    """

    parameter: str
    holds: Callable[[Entry], bool]
    allowed: str
    names: tuple[str, ...] = ()
    most: int = ENDLESS

    def refusal(self, calculator: str, value: Any) -> ConfigError:
        """Return the refusal of a value."""
        if is_whole(value) and value > self.most:
            what, remedy = f"{calculator} takes no {self.parameter} as large as this", TOO_MUCH
        else:
            what, remedy = f"{calculator} can give no number with this {self.parameter}", NO_NUMBER
        close = nearest(value, self.names) if isinstance(value, str) else None
        return ConfigError(
            what,
            got=repr(value),
            allowed=self.allowed,
            remedy=f"Did you mean {close!r}?" if close else remedy,
        )


def is_whole(value: Any) -> bool:
    """Return whether a value can be an index: a whole number of any integer type."""
    return isinstance(value, int | np.integer)


def whole(parameter: str, low: int = 0, high: int = ENDLESS) -> Rule:
    """Return the rule of a whole number within bounds."""
    return Rule(
        parameter,
        lambda entry: is_whole(entry[parameter]) and low <= entry[parameter] <= high,
        f"a whole number from {low} to {high:,}",
        most=high,
    )


def one_of(parameter: str, *names: str) -> Rule:
    """Return the rule of a choice."""
    return Rule(parameter, lambda entry: entry[parameter] in names, ", ".join(names), names)


def within(parameter: str, low: float, high: float) -> Rule:
    """Return the rule of a number within bounds."""
    return Rule(
        parameter,
        lambda entry: low <= float(entry[parameter]) <= high,
        f"a number from {low:g} to {high:g}" if high < np.inf else f"a number of {low:g} or more",
    )


def function_of(parameter: str, home: Any, where: str) -> Rule:
    """Return the rule of a function's name in some place where tsfresh looks for it."""
    return Rule(
        parameter,
        lambda entry: callable(getattr(home, str(entry[parameter]), None)),
        f"mean, var, std, min, max, sum, or another {where}",
        ("mean", "median", "var", "std", "min", "max", "sum"),
    )


def histogram_bins(parameter: str) -> Rule:
    """Return the rule of a histogram's bins: a number, one of NumPy's rules, or edges."""

    def holds(entry: Entry) -> bool:
        value = entry[parameter]
        if isinstance(value, str):
            return value in NUMPY_BIN_RULES
        if isinstance(value, Sequence | np.ndarray):
            return len(value) > 1
        return is_whole(value) and 1 <= value <= MOST_BINS

    return Rule(
        parameter,
        holds,
        f"a whole number from 1 to {MOST_BINS:,}, rising edges, or {', '.join(NUMPY_BIN_RULES)}",
        NUMPY_BIN_RULES,
        MOST_BINS,
    )


def lag_count(entry: Entry) -> bool:
    """Return whether a number of lags is whole and not zero; negative ones count from the end."""
    last = float(entry["maxlag"])
    return last.is_integer() and last != 0.0 and abs(last) <= ENDLESS


def wavelet_widths(entry: Entry) -> bool:
    """Return whether there are widths, all positive, and not too many or too wide."""
    widths = tuple(entry["widths"])
    return 0 < len(widths) <= MOST_WIDTHS and all(0.0 < width <= WIDEST_WAVELET for width in widths)


POLYNOMIAL = (
    Rule(
        "m",
        lambda e: 0.0 < float(e["m"]) <= MOST_POWERS,
        f"a degree from 1 to {MOST_POWERS}",
        most=MOST_POWERS,
    ),
    Rule(
        "r",
        lambda e: is_whole(e["r"]) and 1 <= e["r"] <= MOST_QUANTILE_BINS,
        f"a whole number of quantile bins from 1 to {MOST_QUANTILE_BINS:,}",
        most=MOST_QUANTILE_BINS,
    ),
)
SIGNED_LAG = Rule(
    "lag",
    lambda e: is_whole(e["lag"]) and abs(int(e["lag"])) <= ENDLESS,
    f"a whole number of at most {ENDLESS:,} in magnitude",
)

RULES: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "agg_autocorrelation": (
            function_of("f_agg", np, "function of NumPy"),
            Rule("maxlag", lag_count, "a whole number that is not 0"),
        ),
        "agg_linear_trend": (
            one_of("attr", *LINE),
            whole("chunk_len", 1),
            function_of("f_agg", np.ndarray, "method of a NumPy array"),
        ),
        "approximate_entropy": (whole("m", 1), within("r", 0.0, np.inf)),
        "ar_coefficient": (
            Rule("k", lambda e: 0 <= float(e["k"]) <= ENDLESS, "an order of 0 or more"),
            Rule("coeff", lambda e: -ENDLESS <= e["coeff"] <= e["k"], "0 (the constant) to k"),
        ),
        "augmented_dickey_fuller": (
            one_of("attr", "teststat", "pvalue", "usedlag"),
            Rule(
                "autolag",
                lambda e: (
                    str(e.get("autolag", "AIC")).lower() in ("aic", "bic", "t-stat") or e["autolag"] is None
                ),
                "AIC, BIC, t-stat or null",
                ("AIC", "BIC", "t-stat"),
            ),
        ),
        "autocorrelation": (whole("lag"),),
        "binned_entropy": (histogram_bins("max_bins"),),
        "c3": (SIGNED_LAG,),
        "change_quantiles": (
            Rule(
                "f_agg",
                lambda e: e["ql"] >= e["qh"] or callable(getattr(np, str(e["f_agg"]), None)),
                "mean, var, std, min, max, sum, or another function of NumPy",
                ("mean", "median", "var", "std", "min", "max", "sum"),
            ),
        ),
        "cwt_coefficients": (
            Rule(
                "widths",
                wavelet_widths,
                f"1 to {MOST_WIDTHS:,} widths above 0 and up to {WIDEST_WAVELET:,}",
            ),
            Rule("w", lambda e: e["w"] in tuple(e["widths"]), "one of the widths"),
            whole("coeff", -ENDLESS),
        ),
        "energy_ratio_by_chunks": (
            Rule("num_segments", lambda e: 1 <= float(e["num_segments"]) <= ENDLESS, "1 or more"),
            Rule(
                "segment_focus",
                lambda e: (
                    is_whole(e["segment_focus"])
                    and -e["num_segments"] <= e["segment_focus"] < e["num_segments"]
                ),
                "0 to num_segments - 1, or negative from the last one back",
            ),
        ),
        "fft_aggregated": (one_of("aggtype", "centroid", "variance", "skew", "kurtosis"),),
        "fft_coefficient": (one_of("attr", "real", "imag", "abs", "angle"), whole("coeff")),
        "fourier_entropy": (histogram_bins("bins"),),
        "friedrich_coefficients": (
            *POLYNOMIAL,
            Rule(
                "coeff",
                lambda e: is_whole(e["coeff"]) and 0 <= e["coeff"] <= e["m"],
                "0 (the highest power) to m",
            ),
        ),
        "lempel_ziv_complexity": (whole("bins"),),
        "linear_trend": (one_of("attr", *LINE),),
        "linear_trend_timewise": (one_of("attr", *LINE),),
        "matrix_profile": (one_of("feature", "min", "max", "mean", "median", "25", "75"),),
        "max_langevin_fixed_point": POLYNOMIAL,
        "mean_n_absolute_max": (whole("number_of_maxima", 1),),
        "number_cwt_peaks": (whole("n", 1, MOST_WIDTHS),),
        "number_peaks": (whole("n", 1),),
        "partial_autocorrelation": (whole("lag"),),
        "permutation_entropy": (whole("tau", 1), whole("dimension", 2, MOST_NEIGHBOURS)),
        "quantile": (within("q", 0.0, 1.0),),
        "query_similarity_count": (
            Rule(
                "query",
                lambda e: e.get("query") is None or np.size(e["query"]) >= 3,
                "at least 3 values, or none",
            ),
        ),
        "spkt_welch_density": (whole("coeff", -MOST_FREQUENCIES),),
        "time_reversal_asymmetry_statistic": (SIGNED_LAG,),
    }
)
"""By calculator: what its parameters must be. The others take any number."""


def refuse_impossible(calculator: str, entry: Entry) -> None:
    """Refuse a value with which a calculator gives a number on no window.

    Raises
    ------
    ConfigError
        With what is allowed, and the nearest name.
    TypeError, ValueError, OverflowError
        If a value is of a type that cannot be compared at all.
    """
    for rule in RULES.get(calculator, ()):
        if rule.holds(entry):
            continue
        raise rule.refusal(calculator, entry.get(rule.parameter))
