"""Statistics of a row's group up to the row: the part of its day, week or session that has passed.

A group's window begins at a row that the caller gives for every row (``start``) and ends at the
row itself. As long as the beginning stays, one value is added a row; when it moves, the window is
walked through anew. Values therefore depend on the rows of the window alone, bit for bit, wherever
the series begins, and whole groups cost time linear in rows.

Unlike `onward.kernels.rolling`, an unknown value is left out rather than making the window unknown:
this is what pandas does, and with it featuretools, whose values these kernels reproduce.

Input is float64; infinities propagate as IEEE arithmetic has them. Output is float64, one row of
the result a statistic, in the order of the tuples that stand beside each function.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onward.kernels.jit import kernel

__all__ = [
    "EXTREMES",
    "MOMENTS",
    "ORDER",
    "RUNS",
    "TREND",
    "prefix_extremes",
    "prefix_moments",
    "prefix_order",
    "prefix_runs",
    "prefix_trend",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOMENTS = ("count", "sum", "mean", "variance", "skew", "kurtosis")
EXTREMES = ("min", "max", "row_of_min", "row_of_max")
TREND = ("trend",)
ORDER = ("median", "percentile")
RUNS = (
    "num_zero_crossings",
    "max_consecutive_positives",
    "max_consecutive_negatives",
    "row_of_last_positive",
)

NEGLIGIBLE = 1e-14
"""Sums of powers below this are rounding errors to pandas (``nanops._zero_out_fperr``)."""

FLAT = 1e-15
"""Relative spread below which scipy calls a sample constant (``scipy.stats.kurtosis``)."""

DAY, HOUR, MINUTE = 86_400, 3_600, 60


@kernel
def prefix_moments(values: FloatArray, start: IntArray) -> FloatArray:
    """Return `MOMENTS` of each window, shape (6, n).

    Central moments are updated one value at a time (Pébay, "Formulas for robust, one-pass parallel
    computation of covariances and arbitrary-order statistical moments", SAND2008-6212, 2008).

    Parameters
    ----------
    values
        Shape (n,); NaN is left out.
    start
        First row of each row's window, shape (n,), never falling.

    Notes
    -----
    ``count`` counts known values and ``sum`` is 0 when there is none. ``variance`` has the divisor
    n - 1. ``skew`` is the bias-corrected G1 of pandas: NaN below three values, 0 when constant.
    ``kurtosis`` is the biased excess kurtosis of scipy: 0 when constant or when one value of the
    window is unknown, as featuretools fills it.
    """
    n = len(values)
    out = np.full((6, n), np.nan)
    begin = -1
    count = unknown = 0
    total = lost = mean = m2 = m3 = m4 = 0.0
    for row in range(n):
        first = row
        if start[row] != begin or row == 0:
            begin = start[row]
            first = begin
            count = unknown = 0
            total = lost = mean = m2 = m3 = m4 = 0.0
        for i in range(first, row + 1):
            x = values[i]
            if np.isnan(x):
                unknown += 1
                continue
            count += 1
            # Kahan's compensated sum.
            y = x - lost
            t = total + y
            lost = (t - total) - y
            total = t
            delta = x - mean
            step = delta / count
            square = step * step
            term = delta * step * (count - 1)
            mean += step
            m4 += term * square * (count * count - 3 * count + 3) + 6.0 * square * m2 - 4.0 * step * m3
            m3 += term * step * (count - 2) - 3.0 * step * m2
            m2 += term
        out[0, row] = count
        out[1, row] = total
        if count > 0:
            out[2, row] = mean
        if count > 1:
            out[3, row] = m2 / (count - 1)
        if count > 2:
            spread = 0.0 if abs(m2) < NEGLIGIBLE else m2
            tilt = 0.0 if abs(m3) < NEGLIGIBLE else m3
            if spread == 0.0:
                out[4, row] = 0.0
            else:
                out[4, row] = count * np.sqrt(count - 1.0) / (count - 2.0) * tilt / spread**1.5
        out[5, row] = 0.0
        if count > 0 and unknown == 0 and m2 / count > (FLAT * mean) ** 2:
            out[5, row] = count * m4 / (m2 * m2) - 3.0
    return out


@kernel
def prefix_extremes(values: FloatArray, start: IntArray) -> FloatArray:
    """Return `EXTREMES` of each window, shape (4, n); the oldest of equals has the row.

    Rows are positions in ``values``; NaN when nothing in the window is known.
    """
    n = len(values)
    out = np.full((4, n), np.nan)
    begin = -1
    low = high = -1
    for row in range(n):
        first = row
        if start[row] != begin or row == 0:
            begin = start[row]
            first = begin
            low = high = -1
        for i in range(first, row + 1):
            x = values[i]
            if np.isnan(x):
                continue
            if low < 0 or x < values[low]:
                low = i
            if high < 0 or x > values[high]:
                high = i
        if low >= 0:
            out[0, row] = values[low]
            out[1, row] = values[high]
            out[2, row] = low
            out[3, row] = high
    return out


@kernel
def prefix_trend(values: FloatArray, start: IntArray, times: IntArray) -> FloatArray:
    """Return the least-squares slope of each window against time, shape (1, n).

    Parameters
    ----------
    values, start
        As in `prefix_moments`.
    times
        Moments, ns UTC, shape (n,).

    Notes
    -----
    NaN below three known values, 0 when all fall on one moment. The unit of time is the one that
    featuretools chooses: days when the window's first known value lies at midnight, hours when on
    the hour, minutes when on the minute, else seconds.
    """
    n = len(values)
    out = np.full((1, n), np.nan)
    begin = -1
    count = 0
    origin = 0
    unit = 1
    mx = my = sxx = sxy = 0.0
    for row in range(n):
        first = row
        if start[row] != begin or row == 0:
            begin = start[row]
            first = begin
            count = 0
            mx = my = sxx = sxy = 0.0
        for i in range(first, row + 1):
            y = values[i]
            if np.isnan(y):
                continue
            if count == 0:
                origin = times[i]
                second = origin // 1_000_000_000
                unit = 1
                if second % DAY == 0:
                    unit = DAY
                elif second % HOUR == 0:
                    unit = HOUR
                elif second % MINUTE == 0:
                    unit = MINUTE
            count += 1
            x = (times[i] - origin) * 1e-9 / unit
            dx = x - mx
            mx += dx / count
            my += (y - my) / count
            sxx += dx * (x - mx)
            sxy += dx * (y - my)
        if count > 2:
            out[0, row] = sxy / sxx if sxx > 0.0 else 0.0
    return out


@kernel
def prefix_order(values: FloatArray, start: IntArray) -> FloatArray:
    """Return `ORDER` of each window, shape (2, n).

    ``percentile`` is the rank of the row's own value among the known ones of its window, ties
    averaged, divided by their number: (0, 1]; NaN where the row itself is unknown. Values are kept
    sorted; adding one costs time in proportion to the window.
    """
    n = len(values)
    out = np.full((2, n), np.nan)
    longest = 1
    for row in range(n):
        longest = max(longest, row - start[row] + 1)
    kept = np.empty(longest)
    begin = -1
    count = place = 0
    for row in range(n):
        first = row
        if start[row] != begin or row == 0:
            begin = start[row]
            first = begin
            count = 0
        for i in range(first, row + 1):
            x = values[i]
            if np.isnan(x):
                continue
            place = count
            while place > 0 and kept[place - 1] > x:
                kept[place] = kept[place - 1]
                place -= 1
            kept[place] = x
            count += 1
        if count > 0:
            half = count // 2
            out[0, row] = kept[half] if count % 2 == 1 else (kept[half - 1] + kept[half]) / 2.0
        own = values[row]
        if not np.isnan(own):
            below = place  # the row's own value was added last, behind its equals
            while below > 0 and kept[below - 1] == own:
                below -= 1
            out[1, row] = (below + place + 2) / 2.0 / count
    return out


@kernel
def prefix_runs(values: FloatArray, start: IntArray) -> FloatArray:
    """Return `RUNS` of each window, shape (4, n).

    Unknown values interrupt nothing. A crossing is a change of sign, zeros left out. The row of the
    last positive value is a position in ``values``, NaN when there is none.
    """
    n = len(values)
    out = np.zeros((4, n))
    begin = -1
    crossings = sign = up = down = most_up = most_down = 0
    last = -1
    for row in range(n):
        first = row
        if start[row] != begin or row == 0:
            begin = start[row]
            first = begin
            crossings = sign = up = down = most_up = most_down = 0
            last = -1
        for i in range(first, row + 1):
            x = values[i]
            if np.isnan(x):
                continue
            up = up + 1 if x > 0.0 else 0
            down = down + 1 if x < 0.0 else 0
            most_up = max(most_up, up)
            most_down = max(most_down, down)
            if x > 0.0:
                last = i
            if x != 0.0:
                own = 1 if x > 0.0 else -1
                if sign == -own:
                    crossings += 1
                sign = own
        out[0, row] = crossings
        out[1, row] = most_up
        out[2, row] = most_down
        out[3, row] = last if last >= 0 else np.nan
    return out
