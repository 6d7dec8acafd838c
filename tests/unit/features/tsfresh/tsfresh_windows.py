"""Windows of many characters, and tsfresh's own values of them, with the cells that rounding decides."""

from __future__ import annotations

import warnings

import numpy as np

from onward.features.tsfresh import resolve_parameters
from onward.features.tsfresh.child import compute_chunk

HOUR = 3_600_000_000_000


def characters(length, seed=0):
    """Return windows by name."""
    draw = np.random.default_rng(seed)
    return {
        "random": draw.normal(size=length),
        "heavy": draw.standard_t(2, size=length) * 0.01,
        "trending": 100.0 + 0.1 * np.arange(length) + 0.3 * draw.normal(size=length),
        "walk": 60_000.0 + 100.0 * np.cumsum(draw.normal(size=length)),
        "tied": draw.integers(0, 5, length).astype(float),
        "rounded": np.round(draw.normal(size=length), 1),
        "constant": np.full(length, 0.1),
        "zero": np.zeros(length),
        "line": np.arange(length, dtype=float),
        "tiny": draw.normal(size=length) * 1e-12,
        "huge": draw.normal(size=length) * 1e12,
        "volume": 1e3 * np.exp(1.5 * draw.normal(size=length)),
    }


def by_tsfresh(windows, parameters):
    """Return tsfresh's values of windows, shape (rows, features), in the order of the features."""
    features = resolve_parameters(parameters)
    grouped = {}
    for feature in features:
        grouped.setdefault(feature.calculator, []).append(feature)
    wanted = [
        (name, None, [dict(f.parameters) for f in mine if f.parameters], [f.name for f in mine])
        for name, mine in grouped.items()
    ]
    times = np.broadcast_to(HOUR * np.arange(windows.shape[1], dtype=np.int64), windows.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values, _ = compute_chunk(windows, times, wanted)
    names = [name for *_, names in wanted for name in names]
    return values[:, [names.index(f.name) for f in features]]


def differs(values, reference, scale):
    """Return the cells that are apart by more than 1e-8 of the value and 1e-12 of the scale."""
    with np.errstate(all="ignore"):
        close = np.abs(values - reference) <= 1e-8 * np.abs(reference) + 1e-12 * scale
    return ~(close | (values == reference) | (np.isnan(values) & np.isnan(reference)))


def undecided(x, reference, parameters):
    """Return the cells that tsfresh changes when its input moves by one unit in the last place."""
    scale = np.abs(x).max()
    moved = [np.nextafter(x, np.inf), np.nextafter(x, -np.inf)]
    values = by_tsfresh(np.stack(moved), parameters)
    return differs(values, reference, scale).any(axis=0)
