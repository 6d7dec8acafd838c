"""Rows whose labels overlap, and the spans that say so."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.types import FloatArray, IntArray, Spans

HOUR = 3_600_000_000_000


def overlapping_spans(n_rows: int, horizon: int = 6) -> Spans:
    """One row an hour, each label open for ``horizon`` hours."""
    start = HOUR * np.arange(n_rows, dtype=np.int64)
    return Spans(pd.RangeIndex(n_rows), start, start + HOUR * horizon)


def overlapping_rows(
    n_rows: int = 400, horizon: int = 6, *, seed: int = 0
) -> tuple[pd.DataFrame, IntArray, Spans]:
    """Features that know next to nothing, and classes of the sum of the next ``horizon`` steps."""
    generator = np.random.default_rng(seed)
    steps = generator.normal(size=n_rows + horizon)
    outcome = np.convolve(steps, np.ones(horizon), "valid")[1 : n_rows + 1]
    border = 0.43 * np.sqrt(horizon)
    y = np.where(outcome > border, 1, np.where(outcome < -border, -1, 0)).astype(np.int64)
    X = pd.DataFrame(generator.normal(size=(n_rows, 4)).astype(np.float32), columns=list("abcd"))
    X["slow"] = np.cumsum(generator.normal(size=n_rows)).astype(np.float32)
    return X, y, overlapping_spans(n_rows, horizon)


def probabilities(n_rows: int, *, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).dirichlet(np.ones(3), size=n_rows)
