"""Every primitive of featuretools 1.31: what we compute ourselves, what it computes, what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from onward.errors import ConfigError, nearest

__all__ = ["ENGINE_MILLISECONDS", "PRIMITIVES", "Primitive", "resolve_primitives"]

Kind = Literal["aggregation", "transform", "grouped"]

ENGINE_MILLISECONDS = 15.0
"""Least time a row that featuretools takes by cutoff time; more with many definitions."""


@dataclass(frozen=True)
class Primitive:
    """One primitive of featuretools.

    Attributes
    ----------
    name
        featuretools' own name.
    kind
        ``aggregation`` (rows of a parent to one value), ``transform`` (row by row) or ``grouped``
        (a rank within the parent: featuretools' groupby transform).
    refused
        Why it may not be used; empty when it may.
    native
        Whether our own kernels compute it; otherwise featuretools does, in a child process.
    ordered
        Whether it looks at the order or the times of rows, which says nothing among rows of one
        moment.
    microseconds
        CPU time a row and definition; of the engine, `ENGINE_MILLISECONDS`.
    """

    name: str
    kind: Kind
    refused: str = ""
    native: bool = False
    ordered: bool = False
    microseconds: float = ENGINE_MILLISECONDS * 1e3

    @property
    def causal(self) -> bool:
        """Whether its value at a row can be known at the row's decision time."""
        return not self.refused


NATIVE_AGGREGATIONS = {
    "count": 0.02,
    "sum": 0.02,
    "mean": 0.02,
    "std": 0.02,
    "variance": 0.02,
    "skew": 0.02,
    "kurtosis": 0.02,
    "min": 0.008,
    "max": 0.008,
    "max_min_delta": 0.008,
    "median": 0.03,
    "first": 0.02,
    "last": 0.02,
    "trend": 0.015,
    "num_zero_crossings": 0.008,
    "max_consecutive_positives": 0.008,
    "max_consecutive_negatives": 0.008,
    "percent_true": 0.015,
    "num_true": 0.015,
    "any": 0.015,
    "all": 0.015,
    "time_since_first": 0.02,
    "time_since_last": 0.02,
    "first_last_time_delta": 0.02,
    "avg_time_between": 0.02,
    "time_since_last_max": 0.008,
    "time_since_last_min": 0.008,
    "time_since_last_true": 0.008,
}
ORDERED = frozenset(
    {
        "first",
        "last",
        "trend",
        "num_zero_crossings",
        "max_consecutive_positives",
        "max_consecutive_negatives",
        "max_consecutive_zeros",
        "time_since_first",
        "time_since_last",
        "first_last_time_delta",
        "avg_time_between",
        "time_since_last_max",
        "time_since_last_min",
        "time_since_last_true",
        "is_monotonically_decreasing",
        "is_monotonically_increasing",
        "num_consecutive_greater_mean",
        "num_consecutive_less_mean",
        "num_peaks",
        "n_unique_days",
        "n_unique_days_of_calendar_year",
        "n_unique_days_of_month",
        "n_unique_months",
        "n_unique_weeks",
    }
)
ENGINE_AGGREGATIONS = (
    "count_above_mean",
    "count_below_mean",
    "count_greater_than",
    "count_inside_nth_std",
    "count_inside_range",
    "count_less_than",
    "count_outside_nth_std",
    "count_outside_range",
    "has_no_duplicates",
    "is_monotonically_decreasing",
    "is_monotonically_increasing",
    "max_consecutive_zeros",
    "max_count",
    "median_count",
    "min_count",
    "n_unique_days",
    "n_unique_days_of_calendar_year",
    "n_unique_days_of_month",
    "n_unique_months",
    "n_unique_weeks",
    "num_consecutive_greater_mean",
    "num_consecutive_less_mean",
    "num_peaks",
)
NATIVE_TRANSFORMS = {
    **dict.fromkeys(("add_numeric", "subtract_numeric", "multiply_numeric", "divide_numeric"), 0.004),
    **dict.fromkeys(("absolute", "negate", "square_root", "natural_logarithm", "sine", "cosine"), 0.005),
    **dict.fromkeys(("greater_than", "less_than", "not"), 0.005),
    **dict.fromkeys(("hour", "minute", "weekday", "day", "month", "quarter", "day_of_year", "week"), 0.05),
    **dict.fromkeys(("is_weekend",), 0.05),
}
ENGINE_TRANSFORMS = (
    "tangent",
    "days_in_month",
    "is_first_week_of_month",
    "is_month_end",
    "is_month_start",
    "is_quarter_end",
    "is_quarter_start",
    "is_year_end",
    "is_year_start",
    "is_leap_year",
    "is_lunch_time",
    "is_working_hours",
    "modulo_numeric",
    "nth_week_of_month",
    "second",
    "greater_than_equal_to",
    "less_than_equal_to",
)

_OTHER_ROWS = (
    "it reads other rows of the table in their order, across symbols, from wherever the sample begins"
)
_WHOLE = (
    "it is computed over all rows before the cutoff, whatever the symbol, from wherever the sample begins"
)
_CONSTANT = "it says nothing at the cutoff time of its own row, or only how late it is"
_NO_INPUT = "bars have no column of the type that it takes"
_TRIVIAL = "it needs a parameter, without which it says nothing"
_NOT_A_NUMBER = "its result is no number"

REFUSED_TRANSFORMS: Mapping[str, tuple[str, ...]] = {
    _WHOLE: ("cum_count", "cum_max", "cum_mean", "cum_min", "cum_sum", "percentile"),
    _OTHER_ROWS: (
        *("absolute_diff", "cumulative_time_since_last_false", "cumulative_time_since_last_true", "diff"),
        *("diff_datetime", "expanding_count", "expanding_max", "expanding_mean", "expanding_min"),
        *("expanding_std", "expanding_trend", "exponential_weighted_average", "exponential_weighted_std"),
        *("exponential_weighted_variance", "lag", "numeric_lag", "percent_change", "rate_of_change"),
        *("rolling_count", "rolling_max", "rolling_mean", "rolling_min", "rolling_outlier_count"),
        *("rolling_std", "rolling_trend", "same_as_previous", "savgol_filter", "time_since_previous"),
    ),
    _CONSTANT: ("time_since", "year"),
    _NO_INPUT: (
        *("age", "cityblock_distance", "count_string", "email_address_to_domain", "file_extension"),
        *("full_name_to_first_name", "full_name_to_last_name", "full_name_to_title", "geomidpoint"),
        *("haversine", "is_free_email_domain", "is_in_geobox", "latitude", "longitude"),
        *("mean_characters_per_word", "median_word_length", "num_characters", "num_unique_separators"),
        *("num_words", "number_of_common_words", "number_of_hashtags", "number_of_mentions"),
        *("number_of_unique_words", "number_of_words_in_quotes", "one_digit_postal_code"),
        *("punctuation_count", "title_word_count", "total_word_length", "two_digit_postal_code"),
        *("upper_case_count", "upper_case_word_count", "url_to_domain", "url_to_protocol", "url_to_tld"),
        *("whitespace_count", "multiply_numeric_boolean"),
    ),
    _TRIVIAL: (
        *("add_numeric_scalar", "divide_by_feature", "divide_numeric_scalar", "equal_scalar"),
        *("greater_than_equal_to_scalar", "greater_than_scalar", "isin", "less_than_equal_to_scalar"),
        *("less_than_scalar", "modulo_by_feature", "modulo_numeric_scalar", "multiply_numeric_scalar"),
        *("not_equal_scalar", "scalar_subtract_numeric_feature", "subtract_numeric_scalar"),
        *("equal", "not_equal", "is_null", "and", "or", "multiply_boolean"),
    ),
    _NOT_A_NUMBER: (
        *("date_to_holiday", "date_to_time_zone", "distance_to_holiday", "is_federal_holiday"),
        *("part_of_day", "season"),
    ),
}
REFUSED_AGGREGATIONS: Mapping[str, tuple[str, ...]] = {
    _NO_INPUT: (
        *("average_count_per_unique", "entropy", "is_unique", "max_consecutive_false"),
        *("max_consecutive_true", "mode", "n_most_common", "n_most_common_frequency"),
        *("num_false_since_last_true", "num_true_since_last_false", "num_unique", "percent_unique"),
        "time_since_last_false",
    ),
    _NOT_A_NUMBER: ("date_first_event",),
}


def _all() -> dict[tuple[Kind, str], Primitive]:
    found = [
        *(Primitive(n, "aggregation", "", True, n in ORDERED, c) for n, c in NATIVE_AGGREGATIONS.items()),
        *(Primitive(n, "aggregation", ordered=n in ORDERED) for n in ENGINE_AGGREGATIONS),
        *(Primitive(n, "transform", "", True, False, c) for n, c in NATIVE_TRANSFORMS.items()),
        *(Primitive(n, "transform") for n in ENGINE_TRANSFORMS),
        Primitive("percentile", "grouped", "", True, False, 0.03),
        *(Primitive(n, "aggregation", why) for why, names in REFUSED_AGGREGATIONS.items() for n in names),
        *(Primitive(n, "transform", why) for why, names in REFUSED_TRANSFORMS.items() for n in names),
    ]
    return {(primitive.kind, primitive.name): primitive for primitive in found}


PRIMITIVES: Mapping[tuple[Kind, str], Primitive] = MappingProxyType(_all())
"""By kind and name."""

_OPTION = {"aggregation": "aggregations", "transform": "transforms", "grouped": "ranks"}


def resolve_primitives(names: Any, kind: Kind) -> tuple[str, ...]:
    """Return primitive names of a kind, checked: each once, known, and allowed.

    Raises
    ------
    ConfigError
        If a name is unknown (with the nearest valid one), of another kind, or refused (with the
        reason).
    """
    option = _OPTION[kind]
    if isinstance(names, str):
        names = (names,)
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise ConfigError(
            f"featuretools.{option} is not a list of names",
            got=repr(names)[:120],
            allowed='names of primitives, such as ["mean", "std"]',
            remedy=f"Set featuretools.{option} accordingly.",
            settings=(option,),
        )
    for name in names:
        _check_primitive(name, kind)
    return tuple(dict.fromkeys(names))


def _check_primitive(name: str, kind: Kind) -> None:
    option = _OPTION[kind]
    allowed = [p.name for p in PRIMITIVES.values() if p.kind == kind and p.causal]
    found = PRIMITIVES.get((kind, name))
    if found is None:
        others = [p.kind for p in PRIMITIVES.values() if p.name == name]
        close = nearest(name, allowed)
        remedy = f"Did you mean {close!r}?" if close else "Take some of the allowed ones."
        if others:
            remedy = f"It belongs under featuretools.{_OPTION[others[0]]}."
        raise ConfigError(
            f"featuretools has no {kind} primitive of this name",
            got=repr(name),
            allowed=", ".join(allowed),
            remedy=remedy,
            settings=(option,),
        )
    if found.refused:
        remedy = "Leave it out."
        if name == "percentile":
            remedy = 'Use featuretools.ranks = ["percentile"]: the rank within the day, week or session.'
        raise ConfigError(
            f"the primitive {name!r} is refused: {found.refused}",
            got=f"featuretools.{option} with {name!r}",
            allowed=", ".join(allowed),
            remedy=remedy,
            settings=(option,),
        )
