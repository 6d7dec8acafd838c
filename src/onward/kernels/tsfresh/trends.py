"""Straight lines through a window, through aggregates of its parts, and against the clock.

Definitions: `scipy.stats.linregress` on positions (or hours), as tsfresh calls it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from onward.kernels.jit import kernel
from onward.kernels.tsfresh.chunk import Chunk
from onward.kernels.tsfresh.family import Calculator, Family, Request, whole
from onward.kernels.tsfresh.inner import inner_kernel
from onward.kernels.tsfresh.order import AGGREGATES, aggregate
from onward.kernels.tsfresh.sums import FloatMatrix, FloatVector, IntVector, dot, mean_of

__all__ = ["Trends"]

WHOLE, PARTS, CLOCK = range(3)
SLOPE, INTERCEPT, RVALUE, PVALUE, STDERR, INTERCEPT_STDERR = range(6)

ATTRIBUTES = {
    "slope": SLOPE,
    "intercept": INTERCEPT,
    "rvalue": RVALUE,
    "pvalue": PVALUE,
    "stderr": STDERR,
    "intercept_stderr": INTERCEPT_STDERR,
}
TINY = 1e-20
"""Keeps a perfect fit's t statistic finite, as in SciPy."""


@inner_kernel
def fit_line(
    t: FloatVector, y: FloatVector, n: int, dt: FloatVector, dy: FloatVector, line: FloatVector
) -> None:
    """Write slope, intercept, correlation, t statistic and standard errors of ``y`` on ``t``.

    ``dt`` and ``dy`` hold at least ``n`` values and are overwritten by deviations. The slot of the
    p-value holds the t statistic; with two points, where there is none, the p-value itself.
    """
    t_mean, y_mean = mean_of(t, n), mean_of(y, n)
    for i in range(n):
        dt[i] = t[i] - t_mean
        dy[i] = y[i] - y_mean
    tt, ty, yy = dot(dt, dt, n) / n, dot(dt, dy, n) / n, dot(dy, dy, n) / n
    if tt == 0.0 or yy == 0.0:
        r = np.nan if ty == 0.0 else 0.0
    else:
        r = ty / np.sqrt(tt * yy)
        if r > 1.0:  # not min and max: they would make a bound of a NaN
            r = 1.0
        elif r < -1.0:
            r = -1.0
    slope = ty / tt
    line[SLOPE] = slope
    line[INTERCEPT] = y_mean - slope * t_mean
    line[RVALUE] = r
    if n == 2:
        line[PVALUE] = 1.0 if y[0] == y[1] else 0.0
        line[STDERR] = 0.0
        line[INTERCEPT_STDERR] = 0.0
    else:
        freedom = n - 2
        line[PVALUE] = r * np.sqrt(freedom / ((1.0 - r + TINY) * (1.0 + r + TINY)))
        line[STDERR] = np.sqrt((1.0 - r * r) * yy / tt / freedom)
        line[INTERCEPT_STDERR] = line[STDERR] * np.sqrt(tt + t_mean * t_mean)


@kernel
def line_columns(
    windows: FloatMatrix,
    hours: FloatMatrix,
    fits: IntVector,
    fit_of: IntVector,
    attributes: IntVector,
    slots: IntVector,
    out: FloatMatrix,
) -> None:
    """Write every column of every window; a line that several columns read is fitted once.

    ``fits`` has one row a line: kind, length of a part, aggregate.
    """
    rows, n = windows.shape
    positions = np.empty(n)
    for i in range(n):
        positions[i] = i
    parts, dt, dy, scratch = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    lines = np.empty((len(fits), 6))
    for row in range(rows):
        x = windows[row]
        for index in range(len(fits)):
            kind, part, how = fits[index, 0], fits[index, 1], fits[index, 2]
            if kind == WHOLE:
                fit_line(positions, x, n, dt, dy, lines[index])
            elif kind == CLOCK:
                fit_line(hours[row], x, n, dt, dy, lines[index])
            elif part >= n:
                lines[index, :] = np.nan
            else:
                count = (n + part - 1) // part
                for place in range(count):
                    start = place * part
                    parts[place] = aggregate(x[start:], min(part, n - start), how, scratch)
                fit_line(positions, parts, count, dt, dy, lines[index])
        for column in range(len(slots)):
            out[row, slots[column]] = lines[fit_of[column], attributes[column]]


def attribute(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode which figure of the line is wanted."""
    code = ATTRIBUTES.get(parameters["attr"])
    return None if code is None else (float(code),)


def part_attribute(parameters: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Encode a figure of the line through aggregates of equal parts."""
    code, part = ATTRIBUTES.get(parameters["attr"]), whole(parameters["chunk_len"])
    how = AGGREGATES.get(parameters["f_agg"]) if parameters["f_agg"] != "median" else None
    if code is None or how is None or part is None or part < 1:
        return None
    return (float(code), float(part), float(how))


class Trends(Family):
    """Calculators that fit a straight line."""

    CALCULATORS: ClassVar[Mapping[str, Calculator]] = {
        "linear_trend": Calculator(WHOLE, attribute),
        "agg_linear_trend": Calculator(PARTS, part_attribute),
        "linear_trend_timewise": Calculator(CLOCK, attribute),
    }

    def prepare(self, requests: Sequence[Request]) -> None:  # noqa: ARG002
        """Find the distinct lines, and the degrees of freedom of each p-value."""
        keys = np.column_stack([self.codes, self.numbers[:, 1:3].astype(np.int64)])
        fits, fit_of = np.unique(keys, axis=0, return_inverse=True)
        self.fits: IntVector = np.ascontiguousarray(fits)
        self.fit_of: IntVector = fit_of.reshape(-1).astype(np.int64)
        self.attributes: IntVector = self.numbers[:, 0].astype(np.int64)
        self.freedom: dict[int, int] = {}
        for row in np.flatnonzero(self.attributes == PVALUE):
            parts = int(keys[row, 1])
            points = -(-self.length // parts) if self.codes[row] == PARTS else self.length
            if points > 2:
                self.freedom[int(self.slots[row])] = points - 2

    def write(self, chunk: Chunk, out: FloatMatrix) -> None:
        """Write the wanted columns of every window."""
        hours = chunk.windows if chunk.hours is None else chunk.hours
        line_columns(chunk.windows, hours, self.fits, self.fit_of, self.attributes, self.slots, out)
        if self.freedom:
            from scipy.special import stdtr

            for slot, freedom in self.freedom.items():
                out[:, slot] = 2.0 * stdtr(float(freedom), -np.abs(out[:, slot]))
