"""How sure one can be of a Sharpe ratio: after one trial, and after many.

Every Sharpe ratio here is **per period** (mean over standard deviation of the returns of one bar,
day, month); none is annualised. `onward.evaluation.performance.per_period_sharpe` converts.

Sources
-------
Bailey & López de Prado (2012), The Sharpe ratio efficient frontier, Journal of Risk 15(2): the
probabilistic Sharpe ratio and the minimum track record length. Bailey & López de Prado (2014), The
deflated Sharpe ratio, Journal of Portfolio Management 40(5): expected maximum and deflated Sharpe
ratio (also Advances in Financial Machine Learning, 14.7.2 and 14.7.3). Bailey, Borwein, López de
Prado & Zhu (2014), Pseudo-mathematics and financial charlatanism, Notices of the AMS 61(5): the
minimum backtest length.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from onward.errors import ConfigError, DataError
from onward.evaluation.overfitting.moments import SharpeMoments, require_finite

__all__ = [
    "deflated_sharpe_ratio",
    "expected_maximum_sharpe_ratio",
    "minimum_backtest_length",
    "minimum_track_record_length",
    "probabilistic_sharpe_ratio",
]

EULER_MASCHERONI = 0.577215664901532861
NORMAL = NormalDist()


def probabilistic_sharpe_ratio(
    returns: npt.ArrayLike | None = None,
    *,
    benchmark_sharpe: float = 0.0,
    sharpe: float | None = None,
    n_periods: float | None = None,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
) -> float:
    """Return the probability that the true Sharpe ratio exceeds a benchmark, after one trial.

    Parameters
    ----------
    returns
        Simple returns of one strategy, shape (n,); NaN is left out. In their place ``sharpe`` and
        ``n_periods`` may be given, with ``skewness`` and ``kurtosis``.
    benchmark_sharpe
        Sharpe ratio to beat, per period.
    sharpe
        Observed Sharpe ratio, per period (not annualised).
    n_periods
        Number of returns behind it.
    skewness, kurtosis
        Third and fourth standardised moments of the returns; 0 and 3 for a Gaussian.

    Returns
    -------
    float
        0 to 1; NaN when the returns do not vary.

    Raises
    ------
    ConfigError
        When both or neither of returns and moments are given, or no distribution has such moments.
    DataError
        When returns are infinite, below -1 or not one-dimensional, or fewer than two are known.
    """
    moments = SharpeMoments.of(
        returns, sharpe=sharpe, n_periods=n_periods, skewness=skewness, kurtosis=kurtosis
    )
    return _exceeds(moments, require_finite("The benchmark's Sharpe ratio", benchmark_sharpe))


def expected_maximum_sharpe_ratio(n_trials: float, *, deviation: float, mean: float = 0.0) -> float:
    """Return the Sharpe ratio that the best of many skill-less trials is expected to show.

    Parameters
    ----------
    n_trials
        Number of independent trials, at least 1; it may be an effective number, not whole.
    deviation
        Standard deviation of the trials' Sharpe ratios, in the unit that the result shall have.
    mean
        Their mean, 0 when nobody has skill.
    """
    if not (math.isfinite(n_trials) and n_trials >= 1.0):
        raise ConfigError(
            "The number of trials is out of range",
            got=n_trials,
            allowed="1 or more",
            remedy="Count every configuration whose result was looked at.",
        )
    if not (math.isfinite(deviation) and deviation >= 0.0):
        raise ConfigError(
            "The deviation of the trials' Sharpe ratios is out of range", got=deviation, allowed="0 or more"
        )
    return require_finite("The mean of the trials", mean) + deviation * _expected_maximum(n_trials)


def deflated_sharpe_ratio(
    returns: npt.ArrayLike | None = None,
    *,
    trial_sharpes: npt.ArrayLike | None = None,
    trial_deviation: float | None = None,
    n_trials: float | None = None,
    sharpe: float | None = None,
    n_periods: float | None = None,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
) -> float:
    """Return the probability that the best of many trials has any skill at all.

    It is the `probabilistic_sharpe_ratio` against the maximum that so many trials without skill
    are expected to reach. Trials that resemble each other count less than their number: give an
    effective ``n_trials`` then.

    Parameters
    ----------
    returns
        Simple returns of the chosen strategy, or ``sharpe`` ... ``kurtosis`` in their place, as in
        `probabilistic_sharpe_ratio`.
    trial_sharpes
        Sharpe ratio per period of every trial, the chosen one included, shape (n_trials,). A trial
        with NaN (it never traded) counts as a trial and not for the deviation.
    trial_deviation
        Standard deviation (ddof 1) of the trials' Sharpe ratios, in place of ``trial_sharpes``.
    n_trials
        Number of independent trials; default: as many as ``trial_sharpes``.

    Returns
    -------
    float
        0 to 1; NaN when the returns do not vary.

    Raises
    ------
    ConfigError
        When trials are described twice, not at all, or out of range; and as
        `probabilistic_sharpe_ratio`.
    DataError
        When a trial's Sharpe ratio is infinite, and as `probabilistic_sharpe_ratio`.
    """
    moments = SharpeMoments.of(
        returns, sharpe=sharpe, n_periods=n_periods, skewness=skewness, kurtosis=kurtosis
    )
    trials, deviation = _trials(trial_sharpes, trial_deviation, n_trials)
    return _exceeds(moments, expected_maximum_sharpe_ratio(trials, deviation=deviation))


def minimum_track_record_length(
    returns: npt.ArrayLike | None = None,
    *,
    benchmark_sharpe: float = 0.0,
    confidence: float = 0.95,
    sharpe: float | None = None,
    n_periods: float | None = None,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
) -> float:
    """Return how many periods it takes to be sure that a Sharpe ratio exceeds a benchmark.

    Parameters
    ----------
    returns
        As in `probabilistic_sharpe_ratio`; with moments ``n_periods`` may be left out, for it does
        not matter here.
    benchmark_sharpe
        Sharpe ratio to beat, per period.
    confidence
        Wanted probability, between 0.5 and 1.

    Returns
    -------
    float
        Number of periods (divide by periods a year for years); infinite when the observed Sharpe
        ratio does not exceed the benchmark; NaN when the returns do not vary.
    """
    if not 0.5 <= confidence < 1.0:
        raise ConfigError("The confidence is out of range", got=confidence, allowed="0.5 or more, below 1")
    if returns is None and n_periods is None:
        n_periods = 2.0
    moments = SharpeMoments.of(
        returns, sharpe=sharpe, n_periods=n_periods, skewness=skewness, kurtosis=kurtosis
    )
    if math.isnan(moments.sharpe):
        return math.nan
    excess = moments.sharpe - require_finite("The benchmark's Sharpe ratio", benchmark_sharpe)
    if excess <= 0.0:
        return math.inf
    return 1.0 + (moments.deviation * NORMAL.inv_cdf(confidence) / excess) ** 2


def minimum_backtest_length(n_trials: float, *, sharpe_per_year: float = 1.0) -> float:
    """Return the years of data below which so many trials are expected to reach a Sharpe ratio by luck.

    Parameters
    ----------
    n_trials
        Number of independent trials, at least 1.
    sharpe_per_year
        Annualised Sharpe ratio that shall not be reached by luck, positive.
    """
    if not (math.isfinite(sharpe_per_year) and sharpe_per_year > 0.0):
        raise ConfigError("The Sharpe ratio is out of range", got=sharpe_per_year, allowed="above 0")
    return (expected_maximum_sharpe_ratio(n_trials, deviation=1.0) / sharpe_per_year) ** 2


def _exceeds(moments: SharpeMoments, benchmark: float) -> float:
    if math.isnan(moments.sharpe):
        return math.nan
    excess = (moments.sharpe - benchmark) * math.sqrt(moments.n_periods - 1.0)
    if moments.deviation == 0.0:  # two-valued returns can leave no doubt at all
        return math.nan if excess == 0.0 else float(excess > 0.0)
    return NORMAL.cdf(excess / moments.deviation)


def _expected_maximum(n_trials: float) -> float:
    """Return the expected maximum of independent standard normals (2014, the paper's approximation)."""
    if n_trials == 1.0:
        return 0.0
    # By symmetry, from the lower tail: 1 - 1 / n loses its digits near 1 and is 1 from 1e16 trials on.
    upper = -NORMAL.inv_cdf(1.0 / n_trials)
    beyond = -NORMAL.inv_cdf(1.0 / n_trials / math.e)
    # Between one and two trials the approximation falls below the mean, where no maximum lies.
    return max((1.0 - EULER_MASCHERONI) * upper + EULER_MASCHERONI * beyond, 0.0)


def _trials(
    trial_sharpes: npt.ArrayLike | None, trial_deviation: float | None, n_trials: float | None
) -> tuple[float, float]:
    if (trial_sharpes is None) == (trial_deviation is None) or (trial_sharpes is None and n_trials is None):
        raise ConfigError(
            "A deflated Sharpe ratio needs to know the trials",
            got=f"trial_sharpes {'missing' if trial_sharpes is None else 'given'}, "
            f"trial_deviation = {trial_deviation}, n_trials = {n_trials}",
            allowed="either trial_sharpes, or trial_deviation and n_trials",
            remedy="Pass the per-period Sharpe ratio of every trial that was looked at.",
        )
    if trial_sharpes is None:
        assert trial_deviation is not None
        assert n_trials is not None
        return float(n_trials), float(trial_deviation)
    try:
        values = np.asarray(trial_sharpes, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("The trials' Sharpe ratios must be numbers", allowed="an array of floats") from None
    if values.ndim != 1 or len(values) == 0 or np.isinf(values).any():
        raise DataError(
            "The trials' Sharpe ratios cannot be read",
            got=f"shape {values.shape}",
            allowed="shape (n_trials,), finite, NaN for a trial that never traded",
        )
    known = values[~np.isnan(values)]
    deviation = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    return float(len(values) if n_trials is None else n_trials), deviation
