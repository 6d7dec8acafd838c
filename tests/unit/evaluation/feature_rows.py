"""Feature rows with outcomes that hang on one slow feature and its noisy twin."""

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from onward.types import INDEX_NAMES, Spans, from_ns

HOUR = 3_600_000_000_000
SPAN_BARS = 12


def slow(generator, n, phi=0.9):
    """A stationary AR(1) series of unit variance."""
    noise = generator.normal(size=n + 200) * np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], noise)[200:]


def made_rows(n, *, seed=0, strength=1.0):
    """Return X (signal, echo, noise), y with labels of 12 bars, and spans."""
    generator = np.random.default_rng(seed)
    signal = slow(generator, n)
    echo = 0.85 * signal + np.sqrt(1 - 0.85**2) * slow(generator, n)
    outcome = strength * signal + slow(generator, n)
    y = np.where(outcome > 0.5, 1, np.where(outcome < -0.5, -1, 0)).astype(np.int64)
    start = HOUR * np.arange(n, dtype=np.int64)
    index = pd.MultiIndex.from_product([["A"], from_ns(start - HOUR)], names=INDEX_NAMES)
    X = pd.DataFrame({"signal": signal, "echo": echo, "noise": slow(generator, n)}, index=index)
    return X, y, Spans(index, start, start + SPAN_BARS * HOUR)


def linear_probability(X):
    """Probabilities of a fixed rule that leans on both twins and a little on noise; NaN counts 0."""
    score = np.nan_to_num(0.5 * X["signal"] + 0.5 * X["echo"] + 0.05 * X["noise"]).astype(np.float64)
    odds = np.exp(np.column_stack((-score, np.full(len(X), 0.2), score)))
    return odds / odds.sum(axis=1, keepdims=True)
