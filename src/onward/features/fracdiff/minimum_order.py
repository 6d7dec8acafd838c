"""The smallest order of differencing that makes a series pass for stationary. Fitted: training rows only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from onward.errors import NotEnoughDataError, StageError
from onward.features.fracdiff.orders import read_orders, read_threshold, read_width, window_width
from onward.features.fracdiff.unit_root import MACKINNON, dickey_fuller, dickey_fuller_critical_value
from onward.kernels.fracdiff import fractional_difference, fractional_weights
from onward.types import FloatArray

__all__ = ["MinimumOrder", "minimum_order"]

GRID = tuple(round(0.05 * step, 2) for step in range(1, 21))


@dataclass(frozen=True, eq=False)
class MinimumOrder:
    """What `minimum_order` found.

    Attributes
    ----------
    order
        The smallest order that passes; None when none does.
    table
        One row an order tried (index ``order``), all of them on the same rows: ``width`` (bars),
        ``n_rows`` of the regression, ``statistic`` and ``critical_value`` of the test, ``passed``,
        and ``correlation`` with the series itself: the memory that is left.
    """

    order: float | None
    table: pd.DataFrame


def minimum_order(
    values: Any,
    *,
    orders: Sequence[float] = GRID,
    threshold: float = 1e-4,
    width: int | None = None,
    significance: float = 0.05,
    lags: int = 1,
) -> MinimumOrder:
    """Return the smallest order of which the difference passes the augmented Dickey-Fuller test.

    López de Prado (2018), 5.6. **This is a fit.** Give it the training rows of a fold and no
    others; an order chosen on the whole history has seen the rows that it is judged on. That is
    why `onward.features.fracdiff.FracDiffStage` takes orders as constants and never calls this.

    A pass says that a unit root is rejected, at this significance, for this order by itself; the
    smallest of several that pass is chosen with no correction for the search. The standard errors
    are those of homoscedastic errors.

    Parameters
    ----------
    values
        One symbol's series in time order, such as log closes; shape (n,). NaN in front and behind
        is cut off; NaN in between is refused, for the regression has no gap.
    orders
        Orders to try.
    threshold, width
        As in `FracDiffStage`. All orders are compared on the rows that the longest window leaves.
    significance
        0.01, 0.05 or 0.1.
    lags
        Lagged changes in the regression; 1 as in the book.

    Raises
    ------
    StageError
        If an option is refused, or the values are no numbers, or NaN lies between them.
    NotEnoughDataError
        If the longest window leaves too few rows.
    """
    if significance not in MACKINNON:
        raise StageError(
            "the significance of the unit-root test has no critical value",
            got=repr(significance),
            allowed=", ".join(map(str, MACKINNON)),
            remedy="Write significance=0.05.",
        )
    _check_lags(lags)
    series = _trimmed(values)
    tried = sorted(read_orders(orders))
    smallest, given = read_threshold(threshold), read_width(width)
    widths = [window_width(order, smallest, given) for order in tried]
    first = max(widths) - 1
    if len(series) - first < 20 + 2 * lags:
        raise NotEnoughDataError(
            "the windows leave too few rows for a unit-root test",
            got=f"{len(series)} values, the longest window has {max(widths)}",
            allowed=f"at least {max(widths) + 19 + 2 * lags} values",
            remedy="Give more rows, a larger threshold or a smaller width, or leave the small orders out.",
        )
    rows = [
        _tried(series, first, order, n_weights, significance, lags)
        for order, n_weights in zip(tried, widths, strict=True)
    ]
    table = pd.DataFrame(rows, index=pd.Index(tried, name="order"))
    passed = table.index[table["passed"]]
    return MinimumOrder(float(passed[0]) if len(passed) else None, table)


def _tried(
    series: FloatArray, first: int, order: float, width: int, significance: float, lags: int
) -> dict[str, Any]:
    difference = fractional_difference(series, fractional_weights(order, width))[first:]
    statistic, n_rows = dickey_fuller(difference, lags)
    critical = dickey_fuller_critical_value(n_rows, significance)
    varies = np.ptp(difference) > 0.0 and np.ptp(series[first:]) > 0.0
    return {
        "width": width,
        "n_rows": n_rows,
        "statistic": statistic,
        "critical_value": critical,
        "passed": bool(statistic < critical),
        "correlation": float(np.corrcoef(difference, series[first:])[0, 1]) if varies else np.nan,
    }


def _check_lags(lags: Any) -> None:
    if isinstance(lags, bool) or not isinstance(lags, int) or lags < 0:
        raise StageError(
            "lags is no number of lagged changes", got=repr(lags), allowed="0, 1, 2 ...", remedy="Try 1."
        )


def _trimmed(values: Any) -> FloatArray:
    try:
        series = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StageError(
            "the values are no numbers", got=type(values).__name__, allowed="an array of shape (n,)"
        ) from error
    if series.ndim != 1:
        raise StageError(
            "the values are not one series",
            got=f"shape {series.shape}",
            allowed="shape (n,)",
            remedy="Give one symbol's series at a time.",
        )
    known = np.flatnonzero(~np.isnan(series))
    inner = series[known[0] : known[-1] + 1] if len(known) else series[:0]
    if not np.isfinite(inner).all():
        raise StageError(
            "there are unknown or infinite values between known ones",
            got=f"{int((~np.isfinite(inner)).sum())} of {len(inner)}",
            allowed="a series without a hole",
            remedy="Give the longest stretch without NaN.",
        )
    return np.ascontiguousarray(inner)
