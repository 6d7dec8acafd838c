"""Figures of a series of returns: growth, risk, ratios, falls and tails.

Usable on its own: returns go in, a frozen value comes out. Nothing here knows bars, positions or
markets. Definitions are the textbook ones that empyrical and quantstats share; where those two
differ, the attribute says which is meant.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from onward.errors import ConfigError, DataError
from onward.evaluation.scaling import near_one
from onward.types import FloatArray

__all__ = [
    "Performance",
    "annualised_sharpe",
    "checked_returns",
    "compounded",
    "drawdown",
    "excess_kurtosis",
    "expected_shortfall",
    "longest_drawdown",
    "per_period_sharpe",
    "performance",
    "sharpe_ratio",
    "skewness",
    "value_at_risk",
]

MOST_A_YEAR = math.log(1_000.0)
"""Log growth a year beyond which a figure says nothing (a day's 2 % over again every day)."""
MOST_A_PERIOD = 1e9
"""Return of one period above which it is no return; squares of such figures overflow."""
TAIL = 0.05


@dataclass(frozen=True)
class Performance:
    """Figures of one series of returns. Shares, not percent; NaN where a figure is not defined.

    Attributes
    ----------
    n_periods
        Returns that were known.
    periods_per_year
        Periods a year by which figures are annualised.
    total_return
        Growth over the whole series, compounded.
    cagr
        Growth a year, compounded, by number of periods; NaN above 1,000 times a year, which only
        a short series reaches.
    volatility
        Standard deviation (ddof 1) a year.
    downside_risk
        Root mean square of the negative returns over all periods, a year.
    sharpe
        Mean over standard deviation (ddof 1), **a year**, no risk-free rate.
    sharpe_per_period
        The same for one period: what the statistics of `onward.evaluation.overfitting` take.
    sortino
        Mean over downside risk, a year.
    calmar
        ``cagr`` over the depth of the deepest fall.
    max_drawdown
        Deepest fall from a former peak (the start is one), negative or 0.
    max_drawdown_periods
        Longest stay below a former peak, in periods.
    ulcer_index
        Root mean square of the falls.
    hit_rate
        Share of gains among the periods that gained or lost.
    profit_factor
        Sum of gains over sum of losses (also known as omega at 0).
    tail_ratio
        95 % quantile over 5 % quantile, both absolute.
    skewness, excess_kurtosis
        Third and fourth standardised moment of the returns (population formulas; kurtosis less
        the 3 of a Gaussian).
    value_at_risk, expected_shortfall
        5 % quantile of the returns, and the mean of the returns not above it. Historical, signed:
        a loss is negative.
    best, worst
        Largest and smallest return.
    """

    n_periods: int
    periods_per_year: float
    total_return: float
    cagr: float
    volatility: float
    downside_risk: float
    sharpe: float
    sharpe_per_period: float
    sortino: float
    calmar: float
    max_drawdown: float
    max_drawdown_periods: int
    ulcer_index: float
    hit_rate: float
    profit_factor: float
    tail_ratio: float
    skewness: float
    excess_kurtosis: float
    value_at_risk: float
    expected_shortfall: float
    best: float
    worst: float

    def to_dict(self) -> dict[str, float]:
        """Return the figures by name."""
        return asdict(self)


def performance(returns: npt.ArrayLike, *, periods_per_year: float) -> Performance:
    """Return the figures of a series of simple returns.

    Parameters
    ----------
    returns
        Simple return of each period (0.01 = 1 %), shape (n,), in order of time. NaN means "not
        known" and is left out, not counted as 0.
    periods_per_year
        252 for daily stocks, 365.25 for daily and 8,766 for hourly crypto.

    Raises
    ------
    ConfigError
        When ``periods_per_year`` is not a positive number.
    DataError
        When returns are not one-dimensional, infinite, below -1, or of a size that no float holds
        compounded.
    """
    _check_periods(periods_per_year)
    known = checked_returns(returns)
    n = len(known)
    root = math.sqrt(periods_per_year)
    curve = _held(known)
    falls = drawdown(curve)
    total = float(np.prod(1.0 + known) - 1.0)
    cagr = _a_year(known, periods_per_year)
    deepest = float(falls.min(initial=0.0))
    scaled, exponent = near_one(known)
    downside = math.ldexp(_root_mean_square(np.minimum(scaled, 0.0)), int(exponent)) if n else math.nan
    mean = float(known.mean()) if n else math.nan
    single = sharpe_ratio(known)
    gains, losses = float(known[known > 0.0].sum()), float(-known[known < 0.0].sum())
    moved = int(np.count_nonzero(known))
    low, high = (float(q) for q in np.quantile(known, [TAIL, 1.0 - TAIL])) if n else (math.nan,) * 2
    return Performance(
        n_periods=n,
        periods_per_year=float(periods_per_year),
        total_return=total,
        cagr=cagr,
        volatility=math.ldexp(float(scaled.std(ddof=1)), int(exponent)) * root if n > 1 else math.nan,
        downside_risk=downside * root,
        sharpe=single * root,
        sharpe_per_period=single,
        sortino=_ratio(mean, downside) * root,
        calmar=_ratio(cagr, -deepest),
        max_drawdown=deepest,
        max_drawdown_periods=longest_drawdown(falls),
        ulcer_index=_root_mean_square(falls) if n else math.nan,
        hit_rate=_ratio(float(np.count_nonzero(known > 0.0)), float(moved)),
        profit_factor=_ratio(gains, losses),
        tail_ratio=_ratio(abs(high), abs(low)),
        skewness=skewness(known),
        excess_kurtosis=excess_kurtosis(known),
        value_at_risk=low,
        expected_shortfall=expected_shortfall(known),
        best=float(known.max()) if n else math.nan,
        worst=float(known.min()) if n else math.nan,
    )


def checked_returns(returns: npt.ArrayLike) -> FloatArray:
    """Return the known values of a series of simple returns, float64, shape (n_known,).

    Raises
    ------
    DataError
        When returns are not numbers, not one-dimensional, infinite, below -1, or above 1e9.
    """
    try:
        values = np.asarray(returns, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            "Returns must be numbers", got=type(returns).__name__, allowed="an array of floats"
        ) from None
    if values.ndim != 1:
        raise DataError(
            "Returns must be one series",
            got=f"shape {values.shape}",
            allowed="shape (n,)",
            remedy="Pass one strategy, one column, at a time.",
        )
    known = values[~np.isnan(values)]
    if np.isinf(known).any():
        raise DataError("A return is infinite", allowed="finite numbers, or NaN where it is not known")
    if (known < -1.0).any():
        raise DataError(
            "A return loses more than everything",
            got=float(known.min()),
            allowed="-1 or more",
            remedy="Pass simple returns as shares: 0.01 is 1 %.",
        )
    if (known > MOST_A_PERIOD).any():
        raise DataError(
            "A return is larger than any market's",
            got=float(known.max()),
            allowed=f"{MOST_A_PERIOD:g} or less",
            remedy="Pass simple returns as shares: 0.01 is 1 %.",
        )
    return known


def sharpe_ratio(returns: npt.ArrayLike) -> float:
    """Return mean over standard deviation (ddof 1) of returns: **per period**, not annualised.

    NaN with fewer than two known returns, when they do not vary, or when one is infinite. The unit does
    not matter: returns of 1e-300 and gains of 1e300 have the ratio of their shape.
    """
    known = _known(returns)
    if len(known) < 2 or not np.isfinite(known).all():
        return math.nan
    known, _ = near_one(known)
    mean, deviation = float(known.mean()), float(known.std(ddof=1))
    # A constant return has no deviation beyond rounding; its ratio would be a huge accident.
    return mean / deviation if deviation > 1e-12 * abs(mean) and deviation > 0.0 else math.nan


def annualised_sharpe(sharpe_per_period: float, periods_per_year: float) -> float:
    """Return a Sharpe ratio of one period as one of a year: times the root of periods a year."""
    return sharpe_per_period * math.sqrt(periods_per_year)


def per_period_sharpe(sharpe_per_year: float, periods_per_year: float) -> float:
    """Return an annualised Sharpe ratio as one of a single period."""
    return sharpe_per_year / math.sqrt(periods_per_year)


def skewness(returns: npt.ArrayLike, *, unbiased: bool = False) -> float:
    """Return the third standardised moment; NaN when returns do not vary.

    ``unbiased`` applies the sample correction (Joanes & Gill 1998, G1) and needs three returns.
    """
    known = _known(returns)
    n = len(known)
    raw = _moment(known, 3)
    if not unbiased:
        return raw
    return raw * math.sqrt(n * (n - 1)) / (n - 2) if n > 2 else math.nan


def excess_kurtosis(returns: npt.ArrayLike, *, unbiased: bool = False) -> float:
    """Return the fourth standardised moment less 3; NaN when returns do not vary.

    ``unbiased`` applies the sample correction (Joanes & Gill 1998, G2) and needs four returns.
    """
    known = _known(returns)
    n = len(known)
    raw = _moment(known, 4) - 3.0
    if not unbiased:
        return raw
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * raw + 6.0) if n > 3 else math.nan


def value_at_risk(returns: npt.ArrayLike, *, tail: float = TAIL) -> float:
    """Return the historical quantile of returns at ``tail`` (linear); a loss is negative."""
    known = _known(returns)
    _check_tail(tail)
    return float(np.quantile(known, tail)) if len(known) else math.nan


def expected_shortfall(returns: npt.ArrayLike, *, tail: float = TAIL) -> float:
    """Return the mean of the returns that are not above the `value_at_risk`."""
    known = _known(returns)
    _check_tail(tail)
    return float(known[known <= np.quantile(known, tail)].mean()) if len(known) else math.nan


def compounded(returns: npt.ArrayLike) -> FloatArray:
    """Return the growth of 1 after each period, shape (n,)."""
    return np.asarray(np.cumprod(1.0 + np.asarray(returns, dtype=np.float64)), dtype=np.float64)


def drawdown(equity: npt.ArrayLike) -> FloatArray:
    """Return the fall from the highest value so far (1 included, where the curve starts), shape (n,)."""
    curve = np.asarray(equity, dtype=np.float64)
    if len(curve) == 0:
        return curve
    peak = np.maximum(np.maximum.accumulate(curve), 1.0)
    return np.asarray(curve / peak - 1.0, dtype=np.float64)


def longest_drawdown(falls: npt.ArrayLike) -> int:
    """Return the longest run of periods below a former peak, given the falls of `drawdown`."""
    below = np.concatenate(([False], np.asarray(falls, dtype=np.float64) < 0.0, [False]))
    edges = np.flatnonzero(below[1:] != below[:-1])
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _check_periods(periods_per_year: object) -> None:
    number = isinstance(periods_per_year, int | float | np.number) and not isinstance(periods_per_year, bool)
    if not (number and math.isfinite(periods_per_year) and periods_per_year > 0.0):  # type: ignore[arg-type, operator]
        raise ConfigError(
            "The number of periods a year is out of range",
            got=repr(periods_per_year),
            allowed="a positive number",
            remedy="Give 252 for daily stocks, 8766 for hourly crypto.",
        )


def _held(known: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        curve = compounded(known)
    if not np.isfinite(curve).all():
        raise DataError(
            "The returns compound to more than a float holds",
            got=f"{len(known)} returns, the largest {float(known.max()):g}",
            remedy="Pass simple returns as shares: 0.01 is 1 %.",
        )
    return curve


def _check_tail(tail: float) -> None:
    if not 0.0 <= tail <= 1.0:
        raise ConfigError(
            "The tail is out of range", got=tail, allowed="0 to 1", remedy="Give 0.05 for the worst 5 %."
        )


def _known(returns: npt.ArrayLike) -> FloatArray:
    values = np.asarray(returns, dtype=np.float64)
    return values[~np.isnan(values)]


def _moment(known: FloatArray, order: Literal[3, 4]) -> float:
    if len(known) < 2 or not np.isfinite(known).all():
        return math.nan
    known, _ = near_one(known)
    centred = known - known.mean()
    # Once more: values of one large size may differ by little.
    centred, exponent = near_one(centred)
    mean = math.ldexp(abs(float(known.mean())), -int(exponent))
    deviation = math.sqrt(float(np.mean(centred**2)))
    if deviation <= 1e-12 * mean or deviation == 0.0:
        return math.nan
    scaled = centred / deviation
    power = scaled * scaled
    # Products: a general power takes ten times as long.
    return float(np.mean(power * (scaled if order == 3 else power)))


def _root_mean_square(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values * values)))


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0.0 else math.nan


def _a_year(known: FloatArray, periods_per_year: float) -> float:
    if len(known) == 0:
        return math.nan
    if (known == -1.0).any():
        return -1.0
    # Logarithms: the product of a million returns may be too small for a float.
    rate = float(np.log1p(known).sum()) * periods_per_year / len(known)
    return math.expm1(rate) if rate < MOST_A_YEAR else math.nan
