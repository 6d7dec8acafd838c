"""One verdict on the best of many trials: what every report of a search has to say."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from onward.errors import ConfigError
from onward.evaluation.overfitting.cscv import probability_of_backtest_overfitting
from onward.evaluation.overfitting.sharpe import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe_ratio,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
)
from onward.evaluation.performance import sharpe_ratio
from onward.evaluation.scaling import near_one

__all__ = ["SearchStatistics", "effective_trials", "search_statistics"]


@dataclass(frozen=True)
class SearchStatistics:
    """Overfitting figures of a chosen trial among all that were tried.

    Attributes
    ----------
    chosen
        Column of the chosen trial.
    n_trials, n_effective, n_periods
        Trials looked at, how many independent ones they are worth, and returns of each.
    sharpe_per_period, sharpe
        Sharpe ratio of the chosen trial: of one period, and of a year.
    expected_maximum, expected_maximum_per_year
        Sharpe ratio that the best of so many trials would show without any skill, of one period
        and of a year.
    probabilistic_sharpe
        Probability that the true Sharpe ratio exceeds 0, had this been the only trial.
    deflated_sharpe
        Probability that it does, given the trials.
    minimum_track_record
        Periods needed to be 95 % sure that it exceeds 0; infinite when it looks negative.
    overfitting
        Probability of backtest overfitting; NaN with a single trial.
    probability_of_loss
        Share of combinations whose winner lost out of sample; NaN with a single trial.
    """

    chosen: int
    n_trials: int
    n_effective: float
    n_periods: int
    sharpe_per_period: float
    sharpe: float
    expected_maximum: float
    expected_maximum_per_year: float
    probabilistic_sharpe: float
    deflated_sharpe: float
    minimum_track_record: float
    overfitting: float
    probability_of_loss: float

    def to_dict(self) -> dict[str, float]:
        """Return the figures by name."""
        return asdict(self)


def search_statistics(
    returns: npt.ArrayLike,
    *,
    periods_per_year: float,
    chosen: int | None = None,
    n_trials: float | None = None,
    n_blocks: int = 16,
) -> SearchStatistics:
    """Return what the returns of all trials say about the one that was chosen.

    Parameters
    ----------
    returns
        Simple returns of every trial on the same rows, shape (n_rows, n_trials), without NaN.
    periods_per_year
        Periods a year, for the annualised figures.
    chosen
        Column of the chosen trial; default: the one with the highest Sharpe ratio.
    n_trials
        Independent trials; default: `effective_trials` of the matrix. Give a larger number when
        more was tried than the matrix shows.
    n_blocks
        Blocks of the cross-validation, see `probability_of_backtest_overfitting`.

    Raises
    ------
    ConfigError
        When ``chosen`` is no column, or as the functions it calls.
    DataError
        When the matrix cannot be read.
    """
    values = np.asarray(returns, dtype=np.float64)
    halves = probability_of_backtest_overfitting(values, n_blocks) if _several(values) else None
    if values.ndim == 1:
        values = values[:, None]
    ratios = np.array([sharpe_ratio(column) for column in values.T])
    if chosen is None:
        chosen = int(np.nanargmax(ratios)) if not np.isnan(ratios).all() else 0
    if not 0 <= chosen < values.shape[1]:
        raise ConfigError("The chosen trial is no column", got=chosen, allowed=f"0 to {values.shape[1] - 1}")
    picked = values[:, chosen]
    independent = float(n_trials) if n_trials is not None else effective_trials(values)
    known = ratios[~np.isnan(ratios)]
    deviation = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    maximum = expected_maximum_sharpe_ratio(independent, deviation=deviation)
    root = math.sqrt(periods_per_year)
    return SearchStatistics(
        chosen=chosen,
        n_trials=values.shape[1],
        n_effective=independent,
        n_periods=len(values),
        sharpe_per_period=float(ratios[chosen]),
        sharpe=float(ratios[chosen]) * root,
        expected_maximum=maximum,
        expected_maximum_per_year=maximum * root,
        probabilistic_sharpe=probabilistic_sharpe_ratio(picked),
        deflated_sharpe=deflated_sharpe_ratio(picked, trial_deviation=deviation, n_trials=independent),
        minimum_track_record=minimum_track_record_length(picked),
        overfitting=halves.probability if halves else math.nan,
        probability_of_loss=halves.probability_of_loss if halves else math.nan,
    )


def effective_trials(returns: npt.ArrayLike) -> float:
    """Return how many independent trials correlated ones are worth: ``r + (1 - r) * n``.

    ``r`` is the mean correlation between trials, not below 0; trials that do not vary are left
    out, and 1 is the least. Bailey & López de Prado (2014), the deflated Sharpe ratio, appendix on
    the number of independent trials.

    Parameters
    ----------
    returns
        Shape (n_rows, n_trials), without NaN, each trial in a unit of its own.
    """
    values, _ = near_one(np.asarray(returns, dtype=np.float64), each_column=True)
    deviation = values.std(axis=0)
    moving = values[:, deviation > 1e-12 * np.abs(values).max(axis=0, initial=0.0)]
    n = moving.shape[1]
    if n < 2:
        return 1.0
    correlation = np.corrcoef(moving, rowvar=False)
    mean = max((float(correlation.sum()) - n) / (n * (n - 1)), 0.0)
    return float(max(1.0, mean + (1.0 - mean) * n))


def _several(values: npt.NDArray[np.float64]) -> bool:
    return values.ndim == 2 and values.shape[1] > 1
