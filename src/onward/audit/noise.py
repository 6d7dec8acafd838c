"""Skill on pure noise: confirms a leak, never clears one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from onward.audit.report import Ledger
from onward.audit.world import Pipeline, PipelineWorld, as_run
from onward.types import BoolArray, Finding, FloatArray

__all__ = ["area_under_curve", "check_noise", "noise_score"]

SHIFTS = 200
CERTAIN_DEVIATIONS = 4.0


def check_noise(pipeline: Pipeline, worlds: Iterable[PipelineWorld], ledger: Ledger) -> None:
    """Run the pipeline on worlds in which nobody can have skill, and score it against a null band.

    The band comes from shifting the labels circularly in time against the predictions, which keeps
    the overlap of both. Deviations of several worlds are added up (Stouffer's method); more than
    four in all is a leak. Whole-sample scaling, ranking or clustering stays inside the band: a
    pass here clears nobody.
    """
    scores, deviations = [], []
    for number, world in enumerate(worlds):
        predictions = as_run(pipeline(world), len(world)).predictions
        score, deviation = noise_score(world, predictions, seed=number)
        scores.append(score)
        deviations.append(deviation)
        ledger.runs += 1
    if not deviations:
        ledger.note = "no random walks given"
        return
    total = float(np.sum(deviations) / np.sqrt(len(deviations)))
    ledger.note = f"pooled AUC {np.mean(scores):.3f}, {total:+.1f} deviations from its null band"
    if total > CERTAIN_DEVIATIONS:
        detail = (
            f"pooled AUC {np.mean(scores):.3f} on {len(scores)} random walks is {total:.1f} deviations above "
            "what shifted labels give; no honest pipeline has skill there"
        )
        ledger.add(Finding("noise", "leak", "predictions", "", detail))


def noise_score(world: PipelineWorld, predictions: FloatArray, *, seed: int = 0) -> tuple[float, float]:
    """Return the pooled AUC and how many deviations it lies above that of shifted labels."""
    score = predictions if predictions.ndim == 1 else predictions[:, -1] - predictions[:, 0]
    rows = np.flatnonzero(np.isfinite(score))
    order = rows[np.argsort(world.spans.start[rows], kind="stable")]
    score, y = score[order], world.y[order]
    low, high = world.y.min(), world.y.max()
    generator = np.random.default_rng(seed)
    per_moment = np.bincount(np.unique(world.spans.start[order], return_inverse=True)[1]).max(initial=1)
    span_rows = int(_longest_in_rows(world) * per_moment)
    n = len(order)
    if n <= 4 * span_rows or low == high:
        return float("nan"), 0.0
    shifts = generator.integers(span_rows + 1, n - span_rows, SHIFTS)
    null = np.array([_area(score, np.roll(y, shift), low, high) for shift in shifts])
    found = _area(score, y, low, high)
    return found, float((found - null.mean()) / (null.std() or 1.0))


def area_under_curve(score: FloatArray, positive: BoolArray) -> float:
    """Return the area under the ROC curve, ties counted half; NaN when a class is absent."""
    from scipy.stats import rankdata

    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def _area(score: FloatArray, y: np.ndarray, low: float, high: float) -> float:
    decided = (y == low) | (y == high)
    return area_under_curve(score[decided], y[decided] == high)


def _longest_in_rows(world: PipelineWorld) -> int:
    starts = np.unique(world.spans.start)
    step = int(np.median(np.diff(starts))) if len(starts) > 1 else 1
    return max(1, -(-world.spans.longest // step))
