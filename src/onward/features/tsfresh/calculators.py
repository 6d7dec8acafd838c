"""tsfresh's calculators by name, and the parameters that each takes.

A table rather than an import: tsfresh takes seconds to load and is an optional extra.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["SIGNATURES", "Signature"]


@dataclass(frozen=True)
class Signature:
    """Parameters of one calculator.

    Attributes
    ----------
    required
        Parameters that every dictionary must hold.
    optional
        Parameters that it may hold.
    by_time
        Whether the calculator reads the time of each value.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    by_time: bool = False

    @property
    def known(self) -> tuple[str, ...]:
        """Every parameter that may occur."""
        return self.required + self.optional


WITHOUT_PARAMETERS = (
    "abs_energy",
    "absolute_maximum",
    "absolute_sum_of_changes",
    "benford_correlation",
    "count_above_mean",
    "count_below_mean",
    "first_location_of_maximum",
    "first_location_of_minimum",
    "has_duplicate",
    "has_duplicate_max",
    "has_duplicate_min",
    "kurtosis",
    "last_location_of_maximum",
    "last_location_of_minimum",
    "length",
    "longest_strike_above_mean",
    "longest_strike_below_mean",
    "maximum",
    "mean",
    "mean_abs_change",
    "mean_change",
    "mean_second_derivative_central",
    "median",
    "minimum",
    "percentage_of_reoccurring_datapoints_to_all_datapoints",
    "percentage_of_reoccurring_values_to_all_values",
    "ratio_value_number_to_time_series_length",
    "root_mean_square",
    "sample_entropy",
    "skewness",
    "standard_deviation",
    "sum_of_reoccurring_data_points",
    "sum_of_reoccurring_values",
    "sum_values",
    "variance",
    "variance_larger_than_standard_deviation",
    "variation_coefficient",
)

SIGNATURES: Mapping[str, Signature] = MappingProxyType(
    {name: Signature() for name in WITHOUT_PARAMETERS}
    | {
        "agg_autocorrelation": Signature(("f_agg", "maxlag")),
        "agg_linear_trend": Signature(("attr", "chunk_len", "f_agg")),
        "approximate_entropy": Signature(("m", "r")),
        "ar_coefficient": Signature(("coeff", "k")),
        "augmented_dickey_fuller": Signature(("attr",), ("autolag",)),
        "autocorrelation": Signature(("lag",)),
        "binned_entropy": Signature(("max_bins",)),
        "c3": Signature(("lag",)),
        "change_quantiles": Signature(("ql", "qh", "isabs", "f_agg")),
        "cid_ce": Signature(("normalize",)),
        "count_above": Signature(("t",)),
        "count_below": Signature(("t",)),
        "cwt_coefficients": Signature(("widths", "coeff", "w")),
        "energy_ratio_by_chunks": Signature(("num_segments", "segment_focus")),
        "fft_aggregated": Signature(("aggtype",)),
        "fft_coefficient": Signature(("coeff", "attr")),
        "fourier_entropy": Signature(("bins",)),
        "friedrich_coefficients": Signature(("coeff", "m", "r")),
        "index_mass_quantile": Signature(("q",)),
        "large_standard_deviation": Signature(("r",)),
        "lempel_ziv_complexity": Signature(("bins",)),
        "linear_trend": Signature(("attr",)),
        "linear_trend_timewise": Signature(("attr",), by_time=True),
        "matrix_profile": Signature(("feature",), ("threshold", "windows", "sample_pct", "n_jobs")),
        "max_langevin_fixed_point": Signature(("m", "r")),
        "mean_n_absolute_max": Signature(("number_of_maxima",)),
        "number_crossing_m": Signature(("m",)),
        "number_cwt_peaks": Signature(("n",)),
        "number_peaks": Signature(("n",)),
        "partial_autocorrelation": Signature(("lag",)),
        "permutation_entropy": Signature(("tau", "dimension")),
        "quantile": Signature(("q",)),
        "query_similarity_count": Signature((), ("query", "threshold", "normalize")),
        "range_count": Signature(("min", "max")),
        "ratio_beyond_r_sigma": Signature(("r",)),
        "spkt_welch_density": Signature(("coeff",)),
        "symmetry_looking": Signature(("r",)),
        "time_reversal_asymmetry_statistic": Signature(("lag",)),
        "value_count": Signature(("value",)),
    }
)
"""Every calculator of tsfresh 0.21.2."""
