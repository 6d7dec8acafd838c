"""Autoregressive fits and the augmented Dickey-Fuller test of a unit root.

Definitions: statsmodels' ``AutoReg(trend="c")`` and ``adfuller`` with a constant, as tsfresh calls
them: the number of lags minimises an information criterion on one common sample, then the
chosen regression is fitted again on all rows it can use. P-values: MacKinnon (1994).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import MAXIMUM, MINIMUM, Chunk
from onward.kernels.tsfresh.family import Calculator, Family, Request, whole
from onward.kernels.tsfresh.least_squares import back_substitute, is_sound, minimum_norm, triangularise
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntVector

__all__ = ["Autoregression", "DickeyFuller", "mackinnon_p_value"]

STATISTIC, P_VALUE, USED_LAG = range(3)
ATTRIBUTES = {"teststat": STATISTIC, "pvalue": P_VALUE, "usedlag": USED_LAG}
CUTOFF = 1e-15
"""Relative size at which statsmodels takes a singular value for zero."""
LARGEST_STATISTIC, TURNING_STATISTIC, SMALLEST_STATISTIC = 2.74, -1.61, -18.83


@kernel
def mackinnon_p_value(statistic: float) -> float:
    """Return the p-value of a Dickey-Fuller statistic with a constant (MacKinnon, 1994, table 3)."""
    if statistic > LARGEST_STATISTIC:
        return 1.0
    if statistic < SMALLEST_STATISTIC:
        return 0.0
    if statistic <= TURNING_STATISTIC:
        z = 2.1659 + statistic * (1.4412 + statistic * 0.038269)
    else:
        z = 1.7339 + statistic * (0.93202 + statistic * (-0.12745 - statistic * 0.010368))
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


@kernel
def autoregression(x: FloatVector, order: int, table: FloatMatrix, solution: FloatVector) -> bool:
    """Write constant and lag coefficients; return whether there are rows enough to fit them."""
    rows, columns = len(x) - order, order + 1
    if rows < columns:
        return False
    for i in range(rows):
        table[i, 0] = 1.0
        for lag in range(1, order + 1):
            table[i, lag] = x[order + i - lag]
        table[i, columns] = x[order + i]
    triangularise(table, rows, columns, 1)
    if is_sound(table, rows, columns):
        back_substitute(table, columns, columns, solution)
    else:
        minimum_norm(table, columns, columns, columns, CUTOFF, solution)
    return True


@kernel
def autoregression_columns(
    windows: FloatMatrix, orders: IntVector, coefficients: IntVector, slots: IntVector, out: FloatMatrix
) -> None:
    """Write every column of every window; columns are sorted by order, each order fitted once."""
    n = windows.shape[1]
    widest = orders.max() + 2
    table, solution = np.empty((n, widest)), np.empty(widest)
    for row in range(len(windows)):
        fitted = -1
        enough = False
        for column in range(len(slots)):
            order, k = orders[column], coefficients[column]
            if order != fitted:
                enough = autoregression(windows[row], order, table, solution)
                fitted = order
            value = np.nan
            if k <= order:
                # tsfresh fills ``order`` places with NaN and reads a zero past them.
                value = solution[k] if enough else (0.0 if k == order else np.nan)
            out[row, slots[column]] = value


@kernel
def difference_table(x: FloatVector, lags: int, table: FloatMatrix) -> int:
    """Write rows of constant, level, lagged changes and change; return their number."""
    n = len(x)
    rows = n - 1 - lags
    for i in range(rows):
        end = lags + i
        table[i, 0] = 1.0
        table[i, 1] = x[end]
        for lag in range(1, lags + 1):
            table[i, 1 + lag] = x[end - lag + 1] - x[end - lag]
        table[i, lags + 2] = x[end + 1] - x[end]
    return rows


@kernel
def chosen_lag(x: FloatVector, last_lag: int, penalty: float, table: FloatMatrix, solution: FloatVector) -> int:
    """Return the number of lagged changes with the least information criterion.

    One reduction serves every nested regression: the residual of the first ``k`` columns is what
    the rotated right-hand side holds below row ``k``. A penalty of 0 stands for log(rows).
    """
    rows = difference_table(x, last_lag, table)
    columns = last_lag + 2
    triangularise(table, rows, columns, 1)
    a_lag_costs = np.log(np.float64(rows)) if penalty == 0.0 else penalty
    best, least = 0, np.inf
    for lags in range(last_lag + 1):
        width = lags + 2
        rank = width
        residual = 0.0
        if is_sound(table, rows, width):
            for i in range(width, rows):
                residual += table[i, columns] ** 2
        else:
            rank, residual, _ = minimum_norm(table, rows, width, columns, CUTOFF, solution)
        likelihood = -rows / 2.0 * (math.log(2.0 * math.pi) + np.log(residual / rows) + 1.0)
        criterion = -2.0 * likelihood + a_lag_costs * rank
        if criterion < least:
            best, least = lags, criterion
    return best


@kernel
def dickey_fuller(
    x: FloatVector, last_lag: int, penalty: float, table: FloatMatrix, solution: FloatVector, out: FloatVector
) -> None:
    """Write statistic, p-value and lags of the test; a negative penalty takes ``last_lag`` as given."""
    lags = last_lag if penalty < 0.0 else chosen_lag(x, last_lag, penalty, table, solution)
    rows = difference_table(x, lags, table)
    columns = lags + 2
    # The level moves to the last place: its variance is then one entry of the triangle.
    for i in range(rows):
        level = table[i, 1]
        for j in range(1, columns - 1):
            table[i, j] = table[i, j + 1]
        table[i, columns - 1] = level
    triangularise(table, rows, columns, 1)
    if is_sound(table, rows, columns):
        residual = 0.0
        for i in range(columns, rows):
            residual += table[i, columns] ** 2
        corner = table[columns - 1, columns - 1]
        level = table[columns - 1, columns] / corner
        deviation = np.sqrt(residual / (rows - columns)) / abs(corner)
    else:
        # Back to the second place, where the singular values expect it.
        for i in range(rows):
            table[i, 1], table[i, columns - 1] = table[i, columns - 1], table[i, 1]
        rank, residual, factor = minimum_norm(table, rows, columns, columns, CUTOFF, solution)
        level = solution[1]
        deviation = np.sqrt(residual / (rows - rank) * factor)
    if deviation == 0.0:
        # A perfect fit: statsmodels divides rounding noise by rounding noise. Any finite value is
        # as good, and the same one every time is better.
        out[0] = 0.0
    else:
        out[0] = level / deviation
    out[1] = mackinnon_p_value(out[0])
    out[2] = lags


@kernel
def dickey_fuller_columns(
    windows: FloatMatrix,
    scale: FloatMatrix,
    penalties: FloatVector,
    attributes: IntVector,
    slots: IntVector,
    last_lag: int,
    out: FloatMatrix,
) -> None:
    """Write every column of every window; columns are sorted by penalty, each tested once."""
    n = windows.shape[1]
    table, solution, result = np.empty((n, last_lag + 4)), np.empty(last_lag + 4), np.empty(3)
    for row in range(len(windows)):
        done = np.inf
        for column in range(len(slots)):
            if penalties[column] != done:
                done = penalties[column]
                if last_lag < 0 or scale[row, MINIMUM] == scale[row, MAXIMUM]:
                    result[:] = np.nan
                else:
                    dickey_fuller(windows[row], last_lag, done, table, solution, result)
            out[row, slots[column]] = result[attributes[column]]


def autoregressive(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode a coefficient of a fit of some order."""
    k, order = whole(parameters["coeff"]), whole(parameters["k"])
    return None if k is None or order is None or k < 0 or order < 1 else (float(order), float(k))


def unit_root(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode a figure of the test and how its lags are chosen."""
    which, how = ATTRIBUTES.get(parameters["attr"]), parameters.get("autolag", "AIC")
    penalties = {"AIC": 2.0, "aic": 2.0, "BIC": 0.0, "bic": 0.0, None: -1.0}
    if which is None or how not in penalties:
        return None
    return (penalties[how], float(which))


class Autoregression(Family):
    """Coefficients of autoregressive fits."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {"ar_coefficient": Calculator(0, autoregressive)}

    def prepare(self, requests: Sequence[Request]) -> None:  # noqa: ARG002
        """Sort the columns by order."""
        order = np.argsort(self.numbers[:, 0], kind="stable")
        self.orders: IntVector = self.numbers[order, 0].astype(np.int64)
        self.coefficients: IntVector = self.numbers[order, 1].astype(np.int64)
        self.slots = self.slots[order]

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        autoregression_columns(chunk.windows, self.orders, self.coefficients, self.slots, out)


class DickeyFuller(Family):
    """Figures of the augmented Dickey-Fuller test."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {"augmented_dickey_fuller": Calculator(0, unit_root)}

    def prepare(self, requests: Sequence[Request]) -> None:  # noqa: ARG002
        """Sort the columns by criterion; bound the lags as statsmodels does (Schwert, 1989)."""
        order = np.argsort(self.numbers[:, 0], kind="stable")
        self.penalties: FloatVector = np.ascontiguousarray(self.numbers[order, 0])
        self.attributes: IntVector = self.numbers[order, 1].astype(np.int64)
        self.slots = self.slots[order]
        rule = math.ceil(12.0 * (self.length / 100.0) ** 0.25)
        self.last_lag = min(self.length // 2 - 2, rule)

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        dickey_fuller_columns(
            chunk.windows, chunk.scale, self.penalties, self.attributes, self.slots, self.last_lag, out
        )
