"""Calculators without parameters: level, spread, shape, changes, extremes, runs and repeats.

Definitions: tsfresh 0.21.2, ``feature_calculators``. Skewness and kurtosis are the bias-corrected
G1 and G2 with the rounding guard that pandas applies (central sums below 1e-14 count as zero).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import MAXIMUM, MEAN, MINIMUM, STANDARD_DEVIATION, VARIANCE, Chunk
from onward.kernels.tsfresh.family import Calculator, Family
from onward.kernels.tsfresh.inner import inner_kernel
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, dot, mean_of, pairwise_sum

__all__ = ["Summary"]

NAMES = (
    "sum_values",
    "mean",
    "median",
    "length",
    "standard_deviation",
    "variance",
    "root_mean_square",
    "maximum",
    "absolute_maximum",
    "minimum",
    "abs_energy",
    "mean_abs_change",
    "mean_change",
    "mean_second_derivative_central",
    "absolute_sum_of_changes",
    "variation_coefficient",
    "variance_larger_than_standard_deviation",
    "skewness",
    "kurtosis",
    "longest_strike_below_mean",
    "longest_strike_above_mean",
    "count_above_mean",
    "count_below_mean",
    "last_location_of_maximum",
    "first_location_of_maximum",
    "last_location_of_minimum",
    "first_location_of_minimum",
    "has_duplicate_max",
    "has_duplicate_min",
    "has_duplicate",
    "percentage_of_reoccurring_values_to_all_values",
    "percentage_of_reoccurring_datapoints_to_all_datapoints",
    "sum_of_reoccurring_values",
    "sum_of_reoccurring_data_points",
    "ratio_value_number_to_time_series_length",
)
ROUNDING_FLOOR = 1e-14


@inner_kernel
def level(
    x: FloatVector, ordered: FloatVector, scale: FloatVector, scratch: FloatVector, out: FloatVector
) -> None:
    """Write the columns of level and spread: slots 0 to 10, 15 and 16."""
    n = len(x)
    total = pairwise_sum(x, n)
    mean, variance, deviation = scale[MEAN], scale[VARIANCE], scale[STANDARD_DEVIATION]
    for i in range(n):
        scratch[i] = x[i] * x[i]
    out[0] = total
    out[1] = mean
    out[2] = ordered[n // 2] if n % 2 else (ordered[n // 2 - 1] + ordered[n // 2]) / 2.0
    out[3] = n
    out[4] = deviation
    out[5] = variance
    out[6] = np.sqrt(mean_of(scratch, n))
    out[7] = scale[MAXIMUM]
    out[8] = max(abs(scale[MINIMUM]), abs(scale[MAXIMUM]))
    out[9] = scale[MINIMUM]
    out[10] = dot(x, x, n)
    out[15] = np.nan if mean == 0.0 else deviation / mean
    out[16] = 1.0 if variance > deviation else 0.0


@inner_kernel
def changes(x: FloatVector, scratch: FloatVector, out: FloatVector) -> None:
    """Write the columns of successive differences: slots 11 to 14."""
    n = len(x)
    for i in range(n - 1):
        scratch[i] = abs(x[i + 1] - x[i])
    path = pairwise_sum(scratch, n - 1)
    out[11] = path / (n - 1) if n > 1 else np.nan
    out[12] = (x[n - 1] - x[0]) / (n - 1) if n > 1 else np.nan
    out[13] = (x[n - 1] - x[n - 2] - x[1] + x[0]) / (2 * (n - 2)) if n > 2 else np.nan
    out[14] = path


@inner_kernel
def shape(x: FloatVector, mean: float, scratch: FloatVector, out: FloatVector) -> None:
    """Write bias-corrected skewness and excess kurtosis: slots 17 and 18."""
    n = len(x)
    count = float(n)
    for i in range(n):
        distance = x[i] - mean
        scratch[i] = distance * distance
    second = pairwise_sum(scratch, n)
    for i in range(n):
        scratch[i] = scratch[i] * (x[i] - mean)
    third = pairwise_sum(scratch, n)
    for i in range(n):
        square = (x[i] - mean) * (x[i] - mean)
        scratch[i] = square * square
    fourth = pairwise_sum(scratch, n)
    out[17] = np.nan
    out[18] = np.nan
    if n > 2:
        floored = 0.0 if abs(second) < ROUNDING_FLOOR else second
        third = 0.0 if abs(third) < ROUNDING_FLOOR else third
        correction = count * np.sqrt(count - 1.0) / (count - 2.0)
        out[17] = 0.0 if floored == 0.0 else correction * (third / floored**1.5)
    if n > 3:
        offset = 3.0 * (count - 1.0) ** 2 / ((count - 2.0) * (count - 3.0))
        numerator = count * (count + 1.0) * (count - 1.0) * fourth
        denominator = (count - 2.0) * (count - 3.0) * (second * second)
        numerator = 0.0 if abs(numerator) < ROUNDING_FLOOR else numerator
        denominator = 0.0 if abs(denominator) < ROUNDING_FLOOR else denominator
        out[18] = 0.0 if denominator == 0.0 else numerator / denominator - offset


@inner_kernel
def runs_and_extremes(x: FloatVector, scale: FloatVector, out: FloatVector) -> None:
    """Write runs about the mean and where the extremes lie: slots 19 to 28."""
    n = len(x)
    mean, low, high = scale[MEAN], scale[MINIMUM], scale[MAXIMUM]
    above = below = longest_above = longest_below = run_above = run_below = 0
    first_low = first_high = last_low = last_high = -1
    lows = highs = 0
    for i in range(n):
        value = x[i]
        run_above = run_above + 1 if value > mean else 0
        run_below = run_below + 1 if value < mean else 0
        above += 1 if value > mean else 0
        below += 1 if value < mean else 0
        longest_above = max(longest_above, run_above)
        longest_below = max(longest_below, run_below)
        if value == high:
            first_high = i if highs == 0 else first_high
            last_high = i
            highs += 1
        if value == low:
            first_low = i if lows == 0 else first_low
            last_low = i
            lows += 1
    out[19] = longest_below
    out[20] = longest_above
    out[21] = above
    out[22] = below
    out[23] = 1.0 - (n - 1 - last_high) / n
    out[24] = first_high / n
    out[25] = 1.0 - (n - 1 - last_low) / n
    out[26] = first_low / n
    out[27] = 1.0 if highs >= 2 else 0.0
    out[28] = 1.0 if lows >= 2 else 0.0


@inner_kernel
def repeats(ordered: FloatVector, scratch: FloatVector, out: FloatVector) -> None:
    """Write the columns of values that occur more than once: slots 29 to 34."""
    n = len(ordered)
    distinct: Any = np.int64(0)  # typed: a literal would have the sums compiled twice
    repeated = points = 0
    values = np.empty(n)
    start = 0
    for i in range(1, n + 1):
        if i < n and ordered[i] == ordered[start]:
            continue
        count = i - start
        again = count > 1
        scratch[distinct] = ordered[start] * count if again else 0.0
        values[distinct] = ordered[start] if again else 0.0
        distinct += 1
        repeated += 1 if again else 0
        points += count if again else 0
        start = i
    out[29] = 1.0 if distinct != n else 0.0
    out[30] = repeated / distinct
    out[31] = points / n
    out[32] = pairwise_sum(values, distinct)
    out[33] = pairwise_sum(scratch, distinct)
    out[34] = distinct / n


@kernel
def summarise(windows: FloatMatrix, ordered: FloatMatrix, scale: FloatMatrix) -> FloatMatrix:
    """Return every column of `NAMES` for every window, shape (rows, 35)."""
    rows, n = windows.shape
    table = np.empty((rows, 35))
    scratch = np.empty(n)
    for row in range(rows):
        x, out = windows[row], table[row]
        level(x, ordered[row], scale[row], scratch, out)
        changes(x, scratch, out)
        shape(x, scale[row, MEAN], scratch, out)
        runs_and_extremes(x, scale[row], out)
        repeats(ordered[row], scratch, out)
    return table


class Summary(Family):
    """The 35 calculators that take no parameters, computed together."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {name: Calculator(i) for i, name in enumerate(NAMES)}

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        out[:, self.slots] = summarise(chunk.windows, chunk.sorted, chunk.scale)[:, self.codes]
