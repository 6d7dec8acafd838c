"""Probability of backtest overfitting by combinatorially symmetric cross-validation (CSCV).

Source: Bailey, Borwein, López de Prado & Zhu (2017), The probability of backtest overfitting,
Journal of Computational Finance 20(4): the CSCV procedure (section 2.2), and from it the
probability of overfitting (3.1), performance degradation and probability of loss (3.2); also
Advances in Financial Machine Learning, section 11.6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from onward.errors import ConfigError, DataError, NotEnoughDataError
from onward.evaluation.scaling import near_one
from onward.types import FloatArray, IntArray

__all__ = ["BacktestOverfitting", "Statistic", "probability_of_backtest_overfitting"]

Statistic = Literal["sharpe", "mean"]
"""What a trial is ranked by: Sharpe ratio of one period (ddof 1), or plain mean."""

MOST_BLOCKS = 20
"""184,756 combinations; two blocks more make four times as many and tell no more."""
CHUNK_CELLS = 2_000_000
"""Combinations x trials held in memory at a time."""


@dataclass(frozen=True, eq=False)
class BacktestOverfitting:
    """What happened to the best trial of one half of the data in the other half, for all halves.

    Attributes
    ----------
    probability
        Share of combinations whose in-sample winner ended in the lower half out of sample:
        ``logit <= 0``. Near 0.5 for trials without skill, near 0 when one is truly best.
    probability_strict
        The same counting ``logit < 0`` only; it differs where winners end exactly in the middle.
    probability_of_loss
        Share of combinations whose in-sample winner performed below 0 out of sample.
    logits
        ``log(w / (1 - w))`` of the winner's relative rank ``w = rank / (n_trials + 1)`` out of
        sample, shape (n_combinations,).
    chosen
        The winner of each combination, shape (n_combinations,).
    in_sample, out_of_sample
        Its statistic in both halves, shape (n_combinations,).
    slope, intercept
        Degradation: least-squares line of ``out_of_sample`` over ``in_sample``; NaN when the
        latter does not vary. The halves of one history mirror each other, so the slope is
        negative for pure noise as well as for one dominant trial; read it with the probability of
        loss.
    n_blocks, n_trials, n_rows
        Size of the problem.
    statistic
        What trials were ranked by.
    """

    probability: float
    probability_strict: float
    probability_of_loss: float
    logits: FloatArray
    chosen: IntArray
    in_sample: FloatArray
    out_of_sample: FloatArray
    slope: float
    intercept: float
    n_blocks: int
    n_trials: int
    n_rows: int
    statistic: Statistic

    def __float__(self) -> float:
        return self.probability

    @property
    def n_combinations(self) -> int:
        """Ways to choose half of the blocks."""
        return len(self.logits)

    def to_dict(self) -> dict[str, float | int | str]:
        """Return the figures by name, arrays left out."""
        names = ("probability", "probability_strict", "probability_of_loss", "slope", "intercept")
        sizes = ("n_blocks", "n_combinations", "n_trials", "n_rows", "statistic")
        return {name: getattr(self, name) for name in (*names, *sizes)}


def probability_of_backtest_overfitting(
    performance_matrix: npt.ArrayLike, n_blocks: int = 16, *, statistic: Statistic = "sharpe"
) -> BacktestOverfitting:
    """Return how likely it is that choosing the best trial chooses nothing but luck.

    Rows are cut into ``n_blocks`` runs of equal length (as ``numpy.array_split``). For each choice
    of half of them the trial that did best there is ranked among all trials in the other half.

    Parameters
    ----------
    performance_matrix
        Returns (or any gain) of each trial in each period, shape (n_rows, n_trials), rows in order
        of time: **every** trial that was looked at, not only the good ones. No NaN: a strategy
        that is out of the market earns 0.
    n_blocks
        Even number of blocks, 2 to 20. 16 give 12,870 combinations.
    statistic
        ``sharpe``, or ``mean`` for figures that are no returns (such as a log-loss skill). A trial
        that does not vary in a half has a Sharpe ratio of 0 there.

    Raises
    ------
    ConfigError
        When ``n_blocks`` is odd or out of range, or the statistic is unknown.
    DataError
        When the matrix is not two-dimensional, has fewer than two trials, NaN or infinities.
    NotEnoughDataError
        When there are fewer than two rows a block.
    """
    values = _checked(performance_matrix, n_blocks, statistic)
    n_rows, n_trials = values.shape
    values, exponent = _scaled(values, statistic)
    sums = _BlockSums.of(values, n_blocks, statistic)
    halves = np.array(list(combinations(range(n_blocks), n_blocks // 2)), dtype=np.int64)
    parts = [
        _ranked(sums, halves[start : start + step], n_trials)
        for step in (max(1, CHUNK_CELLS // n_trials),)
        for start in range(0, len(halves), step)
    ]
    chosen, inside, outside, rank = (np.concatenate(column) for column in zip(*parts, strict=True))
    share = rank / (n_trials + 1)
    logits = np.log(share / (1.0 - share))
    slope, intercept = _line(inside, outside)
    inside, outside = np.ldexp(inside, exponent), np.ldexp(outside, exponent)
    return BacktestOverfitting(
        probability=float(np.mean(logits <= 0.0)),
        probability_strict=float(np.mean(logits < 0.0)),
        probability_of_loss=float(np.mean(outside < 0.0)),
        logits=logits,
        chosen=chosen.astype(np.int64),
        in_sample=inside,
        out_of_sample=outside,
        slope=slope,
        intercept=float(np.ldexp(intercept, exponent)),
        n_blocks=n_blocks,
        n_trials=n_trials,
        n_rows=n_rows,
        statistic=statistic,
    )


def _scaled(values: FloatArray, statistic: Statistic) -> tuple[FloatArray, int]:
    """Return values near 1, whose squares neither overflow nor vanish, and what scales means back.

    Scales are powers of two, which change no digit. A Sharpe ratio does not know the unit of its
    trial, so each trial has its own; means must stay comparable and share one.
    """
    if statistic == "sharpe":
        return near_one(values, each_column=True)[0], 0
    scaled, exponent = near_one(values)
    return scaled, int(exponent)


@dataclass(frozen=True, eq=False)
class _BlockSums:
    """Sums over blocks, from which every half follows by addition.

    ``count`` (n_blocks,), ``total`` and ``squares`` (n_blocks, n_trials) of the values less
    ``centre`` (n_trials,): without that, large means would eat the digits of the deviations.
    """

    count: FloatArray
    total: FloatArray
    squares: FloatArray | None
    centre: FloatArray

    @classmethod
    def of(cls, values: FloatArray, n_blocks: int, statistic: Statistic) -> _BlockSums:
        """Cut rows as ``numpy.array_split`` does, and sum each block."""
        n_rows = len(values)
        sizes = np.full(n_blocks, n_rows // n_blocks) + (np.arange(n_blocks) < n_rows % n_blocks)
        starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        centre = values.mean(axis=0)
        centred = values - centre
        total = np.add.reduceat(centred, starts, axis=0)
        squares = np.add.reduceat(centred * centred, starts, axis=0) if statistic == "sharpe" else None
        return cls(sizes.astype(np.float64), total, squares, centre)

    def statistic(self, member: FloatArray) -> FloatArray:
        """Return the statistic of every trial in every half, shape (n_halves, n_trials).

        ``member`` is 1 where a block belongs to the half, shape (n_halves, n_blocks).
        """
        n = (member @ self.count)[:, None]
        mean = member @ self.total / n
        if self.squares is None:
            return np.asarray(mean + self.centre)
        squares = member @ self.squares
        variance = (squares - n * mean * mean) / (n - 1.0)
        # What rounding leaves of a constant is no deviation: constant in this half, or in both.
        moved = (variance * n > 1e-12 * squares) & (variance > 1e-24 * self.centre**2)
        deviation = np.sqrt(np.where(moved, variance, 1.0))
        return np.where(moved, (mean + self.centre) / deviation, 0.0)


def _ranked(
    sums: _BlockSums, halves: IntArray, n_trials: int
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    member = np.zeros((len(halves), len(sums.count)))
    np.put_along_axis(member, halves, 1.0, axis=1)
    inside, outside = sums.statistic(member), sums.statistic(1.0 - member)
    row = np.arange(len(halves))
    chosen = inside.argmax(axis=1)
    reached = outside[row, chosen]
    below = np.count_nonzero(outside < reached[:, None], axis=1)
    tied = np.count_nonzero(outside == reached[:, None], axis=1)
    assert outside.shape[1] == n_trials
    return chosen, inside[row, chosen], reached, below + 0.5 * (tied + 1)


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    centred = x - x.mean()
    spread = float(np.sum(centred * centred))
    if spread <= 1e-24 * float(np.sum(x * x)) or spread == 0.0:
        return math.nan, math.nan
    slope = float(np.sum(centred * (y - y.mean())) / spread)
    return slope, float(y.mean() - slope * x.mean())


def _checked(performance_matrix: npt.ArrayLike, n_blocks: int, statistic: Statistic) -> FloatArray:
    if statistic not in get_args(Statistic):
        raise ConfigError("Unknown statistic", got=repr(statistic), allowed=", ".join(get_args(Statistic)))
    if isinstance(n_blocks, bool) or not isinstance(n_blocks, int | np.integer):
        raise ConfigError("The number of blocks is no whole number", got=repr(n_blocks), allowed="4, 8, 16")
    if n_blocks % 2 or not 2 <= n_blocks <= MOST_BLOCKS:
        raise ConfigError(
            "The number of blocks is out of range",
            got=n_blocks,
            allowed=f"an even number from 2 to {MOST_BLOCKS}",
            remedy="16 is the authors' choice; take fewer when blocks get shorter than a label.",
        )
    try:
        values = np.asarray(performance_matrix, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("The performance matrix holds something that is no number") from None
    if values.ndim != 2 or values.shape[1] < 2:
        raise DataError(
            "The performance matrix needs trials to compare",
            got=f"shape {values.shape}",
            allowed="(n_rows, n_trials) with 2 trials or more",
            remedy="Pass one column of per-period returns for every trial that was looked at.",
        )
    if not np.isfinite(values).all():
        raise DataError(
            "The performance matrix holds unknown or infinite values",
            got=f"{int(np.count_nonzero(~np.isfinite(values)))} of {values.size}",
            allowed="finite numbers",
            remedy="Cut all trials to rows that all of them have; out of the market means a return of 0.",
        )
    if len(values) < 2 * n_blocks:
        raise NotEnoughDataError(
            "There are too few rows for the blocks",
            got=f"{len(values)} rows, {n_blocks} blocks",
            allowed="two rows a block or more",
            remedy="Use fewer blocks.",
        )
    return values
