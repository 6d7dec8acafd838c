"""A window against its own past: autocorrelations, third moments across lags, complexity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import MEAN, STANDARD_DEVIATION, VARIANCE, Chunk
from onward.kernels.tsfresh.family import Calculator, Family, Request, largest, whole
from onward.kernels.tsfresh.inner import inner_kernel
from onward.kernels.tsfresh.order import AGGREGATES, aggregate
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntVector, dot, mean_of

__all__ = ["Lagged"]

(AUTOCORRELATION, AGGREGATED, PARTIAL, THIRD_MOMENT, ASYMMETRY, COMPLEXITY) = range(6)
NEGLIGIBLE_VARIANCE = 1e-8
"""Below it tsfresh's autocorrelation is undefined (``np.isclose(variance, 0)``)."""
FLAT_VARIANCE = 1e-10
"""Below it tsfresh's aggregated autocorrelation is zero."""


@inner_kernel
def lagged_sums(x: FloatVector, mean: float, last_lag: int, centred: FloatVector, sums: FloatVector) -> None:
    """Write the sums of products of deviations at lags 0 to ``last_lag``."""
    n = len(x)
    for i in range(n):
        centred[i] = x[i] - mean
    for lag in range(min(last_lag, n - 1) + 1):
        sums[lag] = dot(centred[lag:], centred, n - lag)


@inner_kernel
def partial_autocorrelations(sums: FloatVector, n: int, last_lag: int, out: FloatVector) -> None:
    """Write partial autocorrelations at lags 0 to ``last_lag`` by Levinson and Durbin.

    From autocovariances that are divided by the number of pairs, as statsmodels' ``ld`` does.
    """
    before, now = np.zeros(last_lag + 1), np.zeros(last_lag + 1)
    covariance = np.empty(last_lag + 1)
    for lag in range(last_lag + 1):
        covariance[lag] = sums[lag] / (n - lag)
    out[0] = 1.0
    before[1] = covariance[1] / covariance[0]
    out[1] = before[1]
    unexplained = covariance[0] - before[1] * covariance[1]
    for k in range(2, last_lag + 1):
        explained = 0.0
        for j in range(1, k):
            explained += before[j] * covariance[k - j]
        now[k] = (covariance[k] - explained) / unexplained
        for j in range(1, k):
            now[j] = before[j] - now[k] * before[k - j]
        unexplained *= 1.0 - now[k] * now[k]
        out[k] = now[k]
        for j in range(k + 1):
            before[j] = now[j]


@kernel
def lagged_columns(
    windows: FloatMatrix,
    scale: FloatMatrix,
    codes: IntVector,
    numbers: FloatMatrix,
    slots: IntVector,
    last_lag: int,
    last_partial: int,
    out: FloatMatrix,
) -> None:
    """Write every column of every window; autocovariances are summed once a window."""
    rows, n = windows.shape
    sums = np.zeros(last_lag + 1)
    correlations = np.empty(n + 1)
    partial = np.empty(last_partial + 2)
    centred, scratch = np.empty(n), np.empty(n)
    for row in range(rows):
        x = windows[row]
        mean, variance, deviation = scale[row, MEAN], scale[row, VARIANCE], scale[row, STANDARD_DEVIATION]
        if last_lag >= 0:
            lagged_sums(x, mean, last_lag, centred, sums)
        if last_partial > 0:
            partial_autocorrelations(sums, n, last_partial, partial)
        for column in range(len(codes)):
            code = codes[column]
            lag = int(numbers[column, 0])
            value = np.nan
            if code == AUTOCORRELATION:
                if lag < n and variance > NEGLIGIBLE_VARIANCE:
                    value = sums[lag] / ((n - lag) * variance)
            elif code == AGGREGATED:
                count = min(lag, n - 1)
                if variance < FLAT_VARIANCE or n == 1:
                    value = 0.0
                else:
                    origin = sums[0] / n
                    for k in range(1, count + 1):
                        correlations[k - 1] = (sums[k] / (n - k)) / origin
                    value = aggregate(correlations, count, int(numbers[column, 1]), scratch)
            elif code == PARTIAL:
                if lag <= last_partial and last_partial > 0:
                    value = partial[lag]
            elif code in (THIRD_MOMENT, ASYMMETRY):
                count = n - 2 * lag
                if count <= 0:
                    value = 0.0
                else:
                    for i in range(count):
                        near, far = x[i + lag], x[i + 2 * lag]
                        if code == THIRD_MOMENT:
                            scratch[i] = far * near * x[i]
                        else:
                            scratch[i] = far * far * near - near * x[i] * x[i]
                    value = mean_of(scratch, count)
            else:
                normalised = lag == 1
                if normalised and deviation == 0.0:
                    value = 0.0
                else:
                    before = (x[0] - mean) / deviation if normalised else x[0]
                    for i in range(1, n):
                        now = (x[i] - mean) / deviation if normalised else x[i]
                        scratch[i - 1] = now - before
                        before = now
                    value = np.sqrt(dot(scratch, scratch, n - 1))
            out[row, slots[column]] = value


def lag_of(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode a lag of zero or more."""
    lag = whole(parameters["lag"])
    return None if lag is None or lag < 0 else (float(lag),)


def aggregated(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode an aggregate over the first lags."""
    how, last = AGGREGATES.get(parameters["f_agg"]), whole(parameters["maxlag"])
    return None if how is None or last is None or last < 1 else (float(last), float(how))


class Lagged(Family):
    """Calculators that set values beside earlier values of the same window."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {
        "autocorrelation": Calculator(AUTOCORRELATION, lag_of),
        "agg_autocorrelation": Calculator(AGGREGATED, aggregated),
        "partial_autocorrelation": Calculator(PARTIAL, lag_of),
        "c3": Calculator(THIRD_MOMENT, lag_of),
        "time_reversal_asymmetry_statistic": Calculator(ASYMMETRY, lag_of),
        "cid_ce": Calculator(COMPLEXITY, lambda p: (float(bool(p["normalize"])),)),
    }

    def prepare(self, requests: Sequence[Request]) -> None:  # noqa: ARG002
        """Find the largest lags that are wanted; partial ones end before half the window."""
        lags = self.numbers[:, 0]
        plain = largest(lags[np.isin(self.codes, (AUTOCORRELATION, AGGREGATED))], -1)
        partial = largest(lags[self.codes == PARTIAL], 0)
        self.last_partial = min(partial, self.length // 2 - 1)
        self.last_lag = min(max(plain, self.last_partial), self.length - 1)

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        lagged_columns(
            chunk.windows,
            chunk.scale,
            self.codes,
            self.numbers,
            self.slots,
            self.last_lag,
            self.last_partial,
            out,
        )
