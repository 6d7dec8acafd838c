"""Autoregressive fits and the augmented Dickey-Fuller test of a unit root.

Definitions: statsmodels' ``AutoReg(trend="c")`` and ``adfuller`` with a constant, as tsfresh calls
them: the number of lags minimises an information criterion on one common sample, then the
chosen regression is fitted again on all rows it can use. P-values: MacKinnon (1994).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import MAXIMUM, MINIMUM, Chunk
from onward.kernels.tsfresh.family import Calculator, Family, Request, whole
from onward.kernels.tsfresh.inner import inner_kernel
from onward.kernels.tsfresh.least_squares import back_substitute, is_sound, pseudo_fit, triangularise
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntVector

__all__ = ["Autoregression", "DickeyFuller", "mackinnon_p_value"]

STATISTIC, P_VALUE, USED_LAG = range(3)
ATTRIBUTES = {"teststat": STATISTIC, "pvalue": P_VALUE, "usedlag": USED_LAG}
TOO_FEW, DIRECT, DEGENERATE = range(3)
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
def autoregression(x: FloatVector, order: int, table: FloatMatrix, solution: FloatVector) -> int:
    """Write constant and lag coefficients; return whether that was possible."""
    rows, columns = len(x) - order, order + 1
    if rows < columns:
        return TOO_FEW
    for i in range(rows):
        table[i, 0] = 1.0
        for lag in range(1, order + 1):
            table[i, lag] = x[order + i - lag]
        table[i, columns] = x[order + i]
    triangularise(table, rows, columns, 1)
    if not is_sound(table, rows, columns):
        return DEGENERATE
    back_substitute(table, columns, columns, solution)
    return DIRECT


@kernel
def autoregression_columns(
    windows: FloatMatrix,
    orders: IntVector,
    coefficients: IntVector,
    slots: IntVector,
    degenerate: IntVector,
    out: FloatMatrix,
) -> None:
    """Write every column of every window; columns are sorted by order, each order fitted once.

    ``degenerate`` becomes 1 for windows in which a design is close to singular.
    """
    n = windows.shape[1]
    widest = min(orders.max(), n) + 2  # an order beyond half the window has too few rows anyway
    table, solution = np.empty((n, widest)), np.empty(widest)
    for row in range(len(windows)):
        fitted = -1
        state = TOO_FEW
        degenerate[row] = 0
        for column in range(len(slots)):
            order, k = orders[column], coefficients[column]
            if order != fitted:
                state = autoregression(windows[row], order, table, solution)
                fitted = order
                if state == DEGENERATE:
                    degenerate[row] = 1
            value = np.nan
            if k <= order:
                # tsfresh fills ``order`` places with NaN and reads a zero past them.
                value = solution[k] if state == DIRECT else (0.0 if k == order else np.nan)
            out[row, slots[column]] = value


def degenerate_autoregression(x: FloatVector, order: int) -> FloatVector | None:
    """Return constant and lag coefficients through singular values; None with too few rows."""
    rows = len(x) - order
    if rows < order + 1:
        return None
    lags = [x[order - lag : len(x) - lag] for lag in range(1, order + 1)]
    return pseudo_fit(np.column_stack([np.ones(rows), *lags]), x[order:]).coefficients


@inner_kernel
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


@inner_kernel
def chosen_lag(x: FloatVector, last_lag: int, penalty: float, table: FloatMatrix) -> int:
    """Return the number of lagged changes with the least information criterion, -1 if degenerate.

    One reduction serves every nested regression: the residual of the first ``k`` columns is what
    the rotated right-hand side holds from row ``k`` on. A penalty of 0 stands for log(rows).
    """
    rows = difference_table(x, last_lag, table)
    columns = last_lag + 2
    triangularise(table, rows, columns, 1)
    if not is_sound(table, rows, columns):
        return -1
    residual = 0.0
    for i in range(columns, rows):
        residual += table[i, columns] ** 2
    price = np.log(np.float64(rows)) if penalty == 0.0 else penalty
    best, least = 0, np.inf
    for lags in range(last_lag, -1, -1):
        criterion = rows * np.log(residual) + price * (lags + 2)
        if criterion <= least:
            best, least = lags, criterion
        residual += table[lags + 1, columns] ** 2
    return best


@kernel
def dickey_fuller(
    x: FloatVector, last_lag: int, penalty: float, table: FloatMatrix, out: FloatVector
) -> bool:
    """Write statistic, p-value and lags of the test; return whether the designs allow it.

    A negative penalty takes ``last_lag`` as given.
    """
    lags = last_lag if penalty < 0.0 else chosen_lag(x, last_lag, penalty, table)
    if lags < 0:
        return False
    rows = difference_table(x, lags, table)
    columns = lags + 2
    # The level moves to the last place: its variance is then one entry of the triangle.
    for i in range(rows):
        level = table[i, 1]
        for j in range(1, columns - 1):
            table[i, j] = table[i, j + 1]
        table[i, columns - 1] = level
    triangularise(table, rows, columns, 1)
    if not is_sound(table, rows, columns):
        return False
    residual = 0.0
    for i in range(columns, rows):
        residual += table[i, columns] ** 2
    corner = table[columns - 1, columns - 1]
    deviation = np.sqrt(residual / (rows - columns)) / abs(corner)
    out[STATISTIC] = table[columns - 1, columns] / corner / deviation
    out[P_VALUE] = mackinnon_p_value(out[STATISTIC])
    out[USED_LAG] = lags
    return True


@kernel
def dickey_fuller_columns(
    windows: FloatMatrix,
    scale: FloatMatrix,
    penalties: FloatVector,
    attributes: IntVector,
    slots: IntVector,
    last_lag: int,
    degenerate: IntVector,
    out: FloatMatrix,
) -> None:
    """Write every column of every window; columns are sorted by penalty, each tested once.

    ``degenerate`` becomes 1 for windows in which a design is close to singular.
    """
    n = windows.shape[1]
    table, result = np.empty((n, last_lag + 4)), np.empty(3)
    for row in range(len(windows)):
        done = np.inf
        degenerate[row] = 0
        for column in range(len(slots)):
            if penalties[column] != done:
                done = penalties[column]
                for i in range(3):
                    result[i] = np.nan
                defined = last_lag >= 0 and scale[row, MINIMUM] != scale[row, MAXIMUM]
                if defined and not dickey_fuller(windows[row], last_lag, done, table, result):
                    degenerate[row] = 1
            out[row, slots[column]] = result[attributes[column]]


def degenerate_dickey_fuller(x: FloatVector, last_lag: int, penalty: float) -> FloatVector:
    """Return statistic, p-value and lags of the test through singular values, as statsmodels does."""
    change = np.diff(x)

    def design(lags: int) -> tuple[FloatMatrix, FloatVector]:
        past = [change[lags - lag : len(change) - lag] for lag in range(1, lags + 1)]
        return np.column_stack([x[lags:-1], *past]), change[lags:]

    lags = last_lag
    if penalty >= 0.0:
        regressors, target = design(last_lag)
        rows = len(target)
        whole_design = np.column_stack([np.ones(rows), regressors])
        price = math.log(rows) if penalty == 0.0 else penalty
        criteria = []
        for width in range(2, last_lag + 3):
            fit = pseudo_fit(np.ascontiguousarray(whole_design[:, :width]), target)
            with np.errstate(divide="ignore"):
                criteria.append((rows * float(np.log(fit.residual)) + price * fit.rank, width))
        lags = min(criteria)[1] - 2
    regressors, target = design(lags)
    fit = pseudo_fit(np.column_stack([regressors, np.ones(len(target))]), target)
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.sqrt(fit.variances[0] * np.float64(fit.residual) / (len(target) - fit.rank))
        statistic = fit.coefficients[0] / deviation
    return np.array([statistic, mackinnon_p_value(float(statistic)), float(lags)])


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
        degenerate = np.zeros(len(chunk.windows), dtype=np.int64)
        autoregression_columns(chunk.windows, self.orders, self.coefficients, self.slots, degenerate, out)
        for row in np.flatnonzero(degenerate):
            for order in np.unique(self.orders):
                mine = (self.orders == order) & (self.coefficients <= order)
                with contextlib.suppress(np.linalg.LinAlgError):
                    found = degenerate_autoregression(chunk.windows[row], int(order))
                    if found is not None:
                        out[row, self.slots[mine]] = found[self.coefficients[mine]]


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
        degenerate = np.zeros(len(chunk.windows), dtype=np.int64)
        dickey_fuller_columns(
            chunk.windows,
            chunk.scale,
            self.penalties,
            self.attributes,
            self.slots,
            self.last_lag,
            degenerate,
            out,
        )
        for row in np.flatnonzero(degenerate):
            for penalty in np.unique(self.penalties):
                mine = self.penalties == penalty
                out[row, self.slots[mine]] = np.nan
                with contextlib.suppress(np.linalg.LinAlgError):
                    found = degenerate_dickey_fuller(chunk.windows[row], self.last_lag, float(penalty))
                    out[row, self.slots[mine]] = found[self.attributes[mine]]
