"""The null band: how well the same predictions do on outcomes that were shifted in time.

Shifting the realised outcomes circularly against the pooled predictions keeps the
autocorrelation of both (overlapping labels, slow features) and breaks only their link. What the
predictions reach on shifted outcomes is what they would reach by chance, but for one thing.

In a k-fold, fold A is predicted by a model that learnt from fold B, and B by one that learnt from
A. If a feature happens to go with the outcomes in both, A's and B's scores rise together: one
coincidence counts twice. Shifted outcomes were not learnt from, so their scores vary less than
the true ones do without skill. For a linear rule on noise and five folds the true deviation is
1.2 (one feature) to 1.4 times (thirty) that of the shifts; in walk-forward, where nothing is
mutual, it is 1.0. The null band is widened by `MUTUAL_VARIANCE` for it: with the default
features, selection and model on random walks this makes p uniform in the tail that decides
(docs/explanation/honest-verdict.md has the figures).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import ConfigError
from onward.evaluation.chance import chance_probability, worth_of
from onward.evaluation.metrics import direction_score
from onward.evaluation.oof import OutOfFold
from onward.kernels.statistics import draw_shifts, least_shift, longest_span, shifted_areas
from onward.types import FloatArray, IntArray

__all__ = ["NullBand", "NullBands", "null_band"]

FEWEST_SHIFTS = 20
FEWEST_INDEPENDENT = 5
MUTUAL_VARIANCE = 0.5
"""Variance that mutual training adds, as a share of the variance over the shifts.

It does not depend on the number of folds: in two folds as in ten, each pair is learnt from both ways.
"""
BAND = (5.0, 95.0)


@dataclass(frozen=True, eq=False)
class NullBand:
    """Where an AUC stands among those of shifted outcomes.

    Attributes
    ----------
    observed
        AUC on the outcomes as they happened; NaN when one of the two groups is empty.
    mean, deviation
        Of the AUC over the shifts; NaN when there was no shift to make.
    low, high
        5th and 95th percentile over the shifts.
    p
        Chance of an AUC this high without skill (one-sided), between 0 and 1; 1 when the data
        are too short to say.
    extrapolated
        True when fewer than one independent shift reached the observed AUC, so that ``p`` comes
        from mean and deviation.
    independent
        How many independent shifts they are worth: ``independent_by_spans``, or fewer where neighbouring
        AUCs resemble each other for longer than a label (`onward.evaluation.chance`).
    least_steps
        Smallest shift made, in time steps (bars).
    areas
        AUC of every shift, widened, shape (n_shifts,).
    independent_by_spans
        Shifts that labels of this length leave independent: the admissible range divided by the
        longest span.
    widening
        Factor by which the spread of the AUCs was widened for folds that learnt from each other.
    note
        What the reader should know, empty when nothing is unusual.
    """

    observed: float
    mean: float
    deviation: float
    low: float
    high: float
    p: float
    extrapolated: bool
    independent: float
    least_steps: int
    areas: FloatArray
    independent_by_spans: float = math.inf
    widening: float = 1.0
    note: str = ""

    @property
    def n_shifts(self) -> int:
        """Number of shifts made."""
        return len(self.areas)

    def chance_of(self, area: float) -> float:
        """Return the chance of an AUC this high without skill: ``p`` for the observed one."""
        if self.n_shifts == 0:
            return 1.0
        return chance_probability(area, self.areas, self.independent_by_spans)[0]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without the single shifts; NaN becomes None."""
        numbers = {
            "observed": self.observed,
            "mean": self.mean,
            "deviation": self.deviation,
            "low": self.low,
            "high": self.high,
            "p": self.p,
            "independent": self.independent,
        }
        return {
            **{name: None if math.isnan(value) else value for name, value in numbers.items()},
            "extrapolated": self.extrapolated,
            "n_shifts": self.n_shifts,
            "least_steps": self.least_steps,
            "widening": self.widening,
            "note": self.note,
        }


@dataclass(frozen=True, eq=False)
class NullBands:
    """The null bands of the direction score and of the range score."""

    direction: NullBand
    range: NullBand

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"direction": self.direction.to_dict(), "range": self.range.to_dict()}


def null_band(oof: OutOfFold, *, lookback: int = 0, n_shifts: int = 1_000, seed: int = 0) -> NullBands:
    """Judge pooled predictions against outcomes shifted circularly in time.

    Every shift is at least the longest label span plus the longest feature lookback, equal for
    all symbols, counted in steps of the scored decision times.

    Parameters
    ----------
    oof
        Pooled out-of-fold predictions.
    lookback
        Longest lookback of the features, ns. Declared lookbacks count warm-up of recursions in
        and can exceed the data; at most a quarter of the scored time is kept free for them.
    n_shifts
        Shifts to make; all admissible ones when there are fewer.
    seed
        Seed of the jitter that spreads the shifts.

    Raises
    ------
    ConfigError
        When the lookback is negative or ``n_shifts`` is below 20.
    """
    if lookback < 0 or n_shifts < FEWEST_SHIFTS:
        raise ConfigError(
            "the null band cannot be drawn with these numbers",
            got=f"lookback {lookback}, n_shifts {n_shifts}",
            allowed=f"a lookback of 0 ns or more, at least {FEWEST_SHIFTS} shifts",
            remedy="Set evaluation.n_shifts accordingly.",
        )
    series = _series_codes(oof.spans.index)
    times, step = np.unique(oof.spans.start, return_inverse=True)
    plan = _plan(oof, times, lookback, n_shifts, seed)
    moves = np.concatenate((np.zeros(1, dtype=np.int64), plan.shifts))

    def band(score: FloatArray, sign: npt.NDArray[np.int8]) -> NullBand:
        grid = np.zeros((int(series.max()) + 1, len(times)), dtype=np.int8)
        grid[series, step] = sign
        areas = shifted_areas(score, grid, series, step.astype(np.int64), moves)
        return _band(float(areas[0]), areas[1:], plan)

    return NullBands(
        direction=band(direction_score(oof.probability), oof.y.astype(np.int8)),
        range=band(np.ascontiguousarray(oof.probability[:, 1]), np.where(oof.y == 0, 1, -1).astype(np.int8)),
    )


@dataclass(frozen=True, eq=False)
class _Plan:
    """Which shifts to make and how to read them; fields as in `NullBand`."""

    shifts: IntArray
    least_steps: int
    independent: float
    widening: float
    note: str


def _plan(oof: OutOfFold, times: IntArray, lookback: int, n_shifts: int, seed: int) -> _Plan:
    span_steps = longest_span(times, oof.spans.start, oof.spans.end)
    least, note = span_steps + (least_shift(times, lookback) if lookback else 0), ""
    room = max(len(times) // 4, span_steps)
    if least > room:
        note = (
            f"Shifts start at {room:,} steps, a quarter of the scored time, because the longest label and "
            f"the features' declared lookback together ({least:,} steps) would leave too few."
        )
        least = room
    shifts = draw_shifts(len(times), least, n_shifts, seed)
    independent = max(0.0, (len(times) - 2 * least + 1) / max(span_steps, 1))
    if len(shifts) < FEWEST_SHIFTS or independent < FEWEST_INDEPENDENT:
        shifts = shifts[:0]
        note = (
            f"The data are too short to judge: {len(times):,} scored moments hold fewer than "
            f"{FEWEST_INDEPENDENT} independent shifts of labels {span_steps:,} steps long."
        )
    return _Plan(shifts, least, independent, math.sqrt(1.0 + MUTUAL_VARIANCE * oof.mutual), note)


def _band(observed: float, shifted: FloatArray, plan: _Plan) -> NullBand:
    """Describe where an AUC stands among those of shifts (NaN where a shift left one group empty)."""
    areas, note = shifted[~np.isnan(shifted)], plan.note
    if math.isnan(observed) and len(plan.shifts):
        areas = areas[:0]
        note = "The scored rows hold one side of the question only, so there is no AUC to judge."
    if 0 < len(areas) < FEWEST_SHIFTS:
        areas = areas[:0]
        note = "Too few shifts leave both sides of the question in the scored rows."
    mean = low = high = deviation = float("nan")
    p, extrapolated, independent = 1.0, False, plan.independent
    if len(areas):
        independent = worth_of(areas, plan.independent).mean
        mean = float(areas.mean())
        areas = np.clip(mean + plan.widening * (areas - mean), 0.0, 1.0)
        mean, deviation = float(areas.mean()), float(areas.std())
        low, high = (float(v) for v in np.percentile(areas, BAND))
        p, extrapolated = chance_probability(observed, areas, plan.independent)
    return NullBand(
        observed=observed,
        mean=mean,
        deviation=deviation,
        low=low,
        high=high,
        p=p,
        extrapolated=extrapolated,
        independent=independent,
        independent_by_spans=plan.independent,
        least_steps=plan.least_steps,
        areas=areas,
        widening=plan.widening,
        note=note,
    )


def _series_codes(index: pd.Index) -> IntArray:
    if isinstance(index, pd.MultiIndex):
        return np.asarray(pd.factorize(index.codes[0])[0], dtype=np.int64)
    return np.zeros(len(index), dtype=np.int64)
