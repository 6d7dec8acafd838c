"""Calculators of a user's own, in a module that other processes can import."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pandas as pd


def spread(x):
    return float(np.max(x) - np.min(x))


def spread_over(x, by):
    return spread(x) / by


def by_index(x):
    return float((x.index[-1] - x.index[0]).total_seconds())


by_index.input = "pd.Series"
by_index.index_type = pd.DatetimeIndex


def picky(x):
    if x[0] > 2.0:
        raise ValueError("too large for me")
    return 1.0


def sleepy(x):
    time.sleep(60.0)
    return 0.0


def deadly(x):
    os.kill(os.getpid(), signal.SIGKILL)


def scaled(x, by):
    return float(x[-1]) / by


def combined(x, param):
    return [(f"by_{p['by']}", float(x[-1]) / p["by"]) for p in param]


for marked in (spread, spread_over, by_index, picky, sleepy, deadly, scaled):
    marked.fctype = "simple"
combined.fctype = "combiner"


def unmarked(x):
    return 0.0


NO_FUNCTION = 3
