"""What `onward.kernels.prefix` computes, written down plainly: one window at a time."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from onward.kernels.prefix import FLAT, NEGLIGIBLE, FloatArray, IntArray

__all__ = ["extremes", "moments", "order", "runs", "trend"]


def moments(values: FloatArray, start: IntArray) -> FloatArray:
    """Return what `onward.kernels.prefix.prefix_moments` returns."""
    out = np.full((6, len(values)), np.nan)
    for row in range(len(values)):
        window = values[start[row] : row + 1]
        x = window[~np.isnan(window)]
        n = len(x)
        out[0, row], out[1, row], out[5, row] = n, x.sum(), 0.0
        if n == 0:
            continue
        mean = out[2, row] = x.mean()
        m2, m3, m4 = (((x - mean) ** power).sum() for power in (2, 3, 4))
        if n > 1:
            out[3, row] = m2 / (n - 1)
        if n > 2:
            spread, tilt = (0.0 if abs(m) < NEGLIGIBLE else m for m in (m2, m3))
            out[4, row] = n * np.sqrt(n - 1) / (n - 2) * tilt / spread**1.5 if spread else 0.0
        if n == len(window) and m2 / n > (FLAT * mean) ** 2:
            out[5, row] = n * m4 / m2**2 - 3.0
    return out


def extremes(values: FloatArray, start: IntArray) -> FloatArray:
    """Return what `onward.kernels.prefix.prefix_extremes` returns."""
    out = np.full((4, len(values)), np.nan)
    for row in range(len(values)):
        window = values[start[row] : row + 1]
        if np.isnan(window).all():
            continue
        low, high = int(np.nanargmin(window)), int(np.nanargmax(window))
        out[:, row] = window[low], window[high], start[row] + low, start[row] + high
    return out


def trend(values: FloatArray, start: IntArray, times: IntArray) -> FloatArray:
    """Return what `onward.kernels.prefix.prefix_trend` returns."""
    out = np.full((1, len(values)), np.nan)
    for row in range(len(values)):
        part = slice(int(start[row]), row + 1)
        known = ~np.isnan(values[part])
        y, moment = values[part][known], times[part][known]
        if len(y) <= 2:
            continue
        second = int(moment[0]) // 10**9
        unit = next((u for u in (86_400, 3_600, 60) if second % u == 0), 1)
        x = (moment - moment[0]) / 1e9 / unit
        x = x - x.mean()
        out[0, row] = (x * (y - y.mean())).sum() / (x * x).sum() if (x != 0).any() else 0.0
    return out


def order(values: FloatArray, start: IntArray) -> FloatArray:
    """Return what `onward.kernels.prefix.prefix_order` returns."""
    out = np.full((2, len(values)), np.nan)
    for row in range(len(values)):
        window = values[start[row] : row + 1]
        x = window[~np.isnan(window)]
        if len(x):
            out[0, row] = np.median(x)
        if not np.isnan(values[row]):
            below, equal = (x < values[row]).sum(), (x == values[row]).sum()
            out[1, row] = (below + (equal + 1) / 2) / len(x)
    return out


def runs(values: FloatArray, start: IntArray) -> FloatArray:
    """Return what `onward.kernels.prefix.prefix_runs` returns."""
    out = np.zeros((4, len(values)))
    for row in range(len(values)):
        window = values[start[row] : row + 1]
        x = window[~np.isnan(window)]
        signs = np.sign(x[x != 0])
        out[0, row] = np.count_nonzero(np.diff(signs))
        for place, condition in ((1, x > 0), (2, x < 0)):
            lengths = [len(list(run)) for holds, run in groupby(condition.tolist()) if holds]
            out[place, row] = max(lengths, default=0)
        positive = np.flatnonzero(window > 0)
        out[3, row] = start[row] + positive[-1] if len(positive) else np.nan
    return out
