"""Out-of-fold predictions made by hand, for the tests of the evaluation."""

import numpy as np
import pandas as pd

from onward.evaluation import OutOfFold
from onward.types import INDEX_NAMES, Spans, from_ns

HOUR = 3_600_000_000_000
SPAN_BARS = 12


def slow(generator, n, bars=SPAN_BARS):
    """Noise as autocorrelated as labels that overlap over so many bars."""
    return np.convolve(generator.normal(size=n + bars - 1), np.ones(bars) / np.sqrt(bars), "valid")


def probabilities(direction, width):
    """Turn a direction score and a width score into down, range, up."""
    logits = np.column_stack((-direction, -width, direction))
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def scored(n=1_500, *, seed=0, skill=0.0, range_skill=0.0, symbols=("A",), n_folds=5, mutual=1.0):
    """Predictions with a known amount of skill about overlapping outcomes."""
    generator = np.random.default_rng(seed)
    outcome = np.concatenate([slow(generator, n) for _ in symbols])
    y = np.where(outcome > 0.43, 1, np.where(outcome < -0.43, -1, 0)).astype(np.int64)
    noise = np.concatenate([slow(generator, n) for _ in symbols])
    other = np.concatenate([slow(generator, n) for _ in symbols])
    direction = 0.3 * (skill * outcome + noise)
    width = 0.3 * (range_skill * (np.abs(outcome) - 0.8) + other)
    times = 1_577_836_800_000_000_000 + HOUR * np.arange(n, dtype=np.int64)
    index = pd.MultiIndex.from_product([symbols, from_ns(times - HOUR)], names=INDEX_NAMES)
    start = np.tile(times, len(symbols))
    return OutOfFold(
        spans=Spans(index, start, start + SPAN_BARS * HOUR),
        fold=np.tile(np.arange(n) * n_folds // n, len(symbols)).astype(np.int64),
        y=y,
        probability=probabilities(direction, width),
        prior=np.tile(np.bincount(y + 1, minlength=3) / len(y), (len(y), 1)),
        mutual=mutual,
    )
