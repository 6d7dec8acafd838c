"""Other outcomes for chosen rows, with labels that go with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from onward.audit.world import PipelineWorld
from onward.types import FloatArray, IntArray

__all__ = ["REDRAWS", "redraw_features", "redraw_labels"]

REDRAWS = ("against", "high", "low", "along", "mixed")
"""Ways to redraw: against the predictions from all, high or low outcomes, along them, at random."""


def redraw_labels(
    world: PipelineWorld, rows: IntArray, style: str, predictions: FloatArray, *, seed: int = 0
) -> PipelineWorld:
    """Return the world with other labels and outcomes on some rows.

    Label and outcome are drawn as pairs from the whole world, so they keep fitting together.
    ``against`` and ``along`` sort them by the predictions that the pipeline made, which turns
    every choice by test score around; ``high`` and ``low`` draw from two thirds of the outcomes,
    which moves every threshold taken from them, and sort them against the predictions as well: a
    choice by test score may hang on one fold alone, and that fold may be met by one draw alone.
    """
    generator = np.random.default_rng(seed)
    order = np.argsort(world.outcome, kind="stable")
    order = order[np.isfinite(world.outcome[order])]
    n = len(order)
    pool = {"high": order[n // 3 :], "low": order[: n - n // 3]}.get(style, order)
    drawn = generator.choice(pool, size=len(rows))
    if style != "mixed":
        drawn = drawn[np.argsort(world.outcome[drawn], kind="stable")]
        rank = np.argsort(np.argsort(_score(predictions[rows]), kind="stable"), kind="stable")
        drawn = drawn[rank if style == "along" else len(rows) - 1 - rank]
    y, outcome = world.y.copy(), world.outcome.copy()
    y[rows], outcome[rows] = world.y[drawn], world.outcome[drawn]
    return replace(world, y=y, outcome=outcome)


def redraw_features(world: PipelineWorld, rows: IntArray, *, seed: int = 0) -> PipelineWorld:
    """Return the world with other features on some rows: drawn from other rows, reversed, stretched."""
    generator = np.random.default_rng(seed)
    donors = generator.integers(0, len(world), len(rows))
    if hasattr(world.X, "iloc"):
        changed = world.X.copy()
        values = world.X.to_numpy(dtype=np.float64)
        changed.iloc[rows] = _stretched(values, donors).astype(values.dtype)
        return replace(world, X=changed)
    changed = np.array(world.X, dtype=np.float64)
    changed[rows] = _stretched(changed, donors)
    return replace(world, X=changed)


def _stretched(values: FloatArray, donors: IntArray) -> FloatArray:
    known = np.isfinite(values)
    spread = np.where(known, np.abs(values), 0.0).max(axis=0)
    stretched: FloatArray = -2.0 * values[donors] + 0.5 * spread
    return stretched


def _score(predictions: FloatArray) -> FloatArray:
    score = predictions if predictions.ndim == 1 else predictions[:, -1] - predictions[:, 0]
    filled: FloatArray = np.where(np.isfinite(score), score, 0.0)
    return filled
