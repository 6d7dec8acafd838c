"""The augmented Dickey-Fuller test with a constant.

Dickey and Fuller (1979, *JASA* 74); Said and Dickey (1984) for the lagged changes; critical values
from MacKinnon (2010), *Critical Values for Cointegration Tests*, Queen's Economics Department
Working Paper 1227, table 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from onward.types import FloatArray

__all__ = ["MACKINNON", "dickey_fuller", "dickey_fuller_critical_value"]

MACKINNON: Mapping[float, tuple[float, float, float, float]] = MappingProxyType(
    {
        0.01: (-3.43035, -6.5393, -16.786, -79.433),
        0.05: (-2.86154, -2.8903, -4.234, -40.040),
        0.1: (-2.56677, -1.5384, -2.809, 0.0),
    }
)
"""Response surface of the critical value by significance: a polynomial in 1 / n, constant first."""


def dickey_fuller_critical_value(n_rows: int, significance: float) -> float:
    """Return the value below which a unit root is rejected, for so many rows of the regression."""
    return float(sum(b / n_rows**power for power, b in enumerate(MACKINNON[significance])))


def dickey_fuller(values: FloatArray, lags: int = 1) -> tuple[float, int]:
    """Return the t statistic of the level, and the number of rows of the regression.

    The change of the series is regressed on a constant, its level one row before, and ``lags``
    earlier changes. The more negative the statistic, the less it looks like a random walk.

    Parameters
    ----------
    values
        Shape (n,), finite, in time order.
    lags
        Lagged changes, at least 0.

    Returns
    -------
    statistic
        NaN when it is not defined: too few rows, or a series that does not vary.
    n_rows
        Rows of the regression, ``n - 1 - lags``.
    """
    change = np.diff(values)
    n_rows = len(change) - lags
    if n_rows <= lags + 2 or not np.ptp(values) > 0.0:
        return float("nan"), max(n_rows, 0)
    lagged = [change[lags - back : len(change) - back] for back in range(1, lags + 1)]
    # Without the mean the level and the constant are nearly collinear, and digits are lost.
    level = values[lags:-1] - values[lags:-1].mean()
    design = np.column_stack([level, np.ones(n_rows), *lagged])
    target = change[lags:]
    q, r = np.linalg.qr(design)
    size = np.abs(np.diag(r))
    if size.min() <= 1e-12 * size.max():
        return float("nan"), n_rows
    coefficient = np.linalg.solve(r, q.T @ target)
    residual = target - design @ coefficient
    variance = float(residual @ residual) / (n_rows - design.shape[1])
    spread = np.linalg.inv(r)[0]
    error = float(np.sqrt(variance * (spread @ spread)))
    return (float(coefficient[0]) / error if error > 0.0 else float("nan")), n_rows
