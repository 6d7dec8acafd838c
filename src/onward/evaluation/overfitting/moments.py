"""The four numbers that every Sharpe statistic needs, from returns or given outright."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy.typing as npt

from onward.errors import ConfigError, DataError, NotEnoughDataError
from onward.evaluation.performance import checked_returns, excess_kurtosis, sharpe_ratio, skewness

__all__ = ["SharpeMoments", "require_finite"]


@dataclass(frozen=True)
class SharpeMoments:
    """Sharpe ratio of one period and the shape of the returns it came from.

    Attributes
    ----------
    sharpe
        Mean over standard deviation (ddof 1) of the returns of **one period**; NaN when they do
        not vary.
    n_periods
        Number of returns.
    skewness
        Third standardised moment; 0 for a Gaussian.
    kurtosis
        Fourth standardised moment; 3 for a Gaussian (not the excess).
    """

    sharpe: float
    n_periods: float
    skewness: float = 0.0
    kurtosis: float = 3.0

    def __post_init__(self) -> None:
        if math.isinf(self.sharpe) or not math.isfinite(self.n_periods):
            raise ConfigError(
                "The moments of the returns are not finite",
                got=f"sharpe = {self.sharpe}, n_periods = {self.n_periods}",
                allowed="finite numbers",
            )
        if self.n_periods < 2:
            raise NotEnoughDataError(
                "A Sharpe ratio needs returns", got=f"{self.n_periods:g}", allowed="2 or more"
            )
        if not (math.isfinite(self.skewness) and math.isfinite(self.kurtosis)):
            raise ConfigError(
                "The moments of the returns are not finite",
                got=f"skewness = {self.skewness}, kurtosis = {self.kurtosis}",
                allowed="finite numbers; a Gaussian has 0 and 3",
            )
        # Pearson's inequality; excess kurtosis given for kurtosis breaks it sooner or later.
        if self.kurtosis < (self.skewness**2 + 1.0) * (1.0 - 1e-9):
            raise ConfigError(
                "No distribution has this skewness and kurtosis",
                got=f"skewness = {self.skewness}, kurtosis = {self.kurtosis}",
                allowed="kurtosis >= skewness ** 2 + 1; a Gaussian has 3",
                remedy="Give the fourth standardised moment itself, not the excess over 3.",
            )

    @classmethod
    def of(
        cls,
        returns: npt.ArrayLike | None,
        *,
        sharpe: float | None,
        n_periods: float | None,
        skewness: float,
        kurtosis: float,
    ) -> Self:
        """Return the moments of returns, or those that were given in their place."""
        given = sharpe is not None or n_periods is not None
        if (returns is None) != given or (given and (sharpe is None or n_periods is None)):
            raise ConfigError(
                "A Sharpe statistic needs returns or moments",
                got=f"returns {'given' if returns is not None else 'missing'}, sharpe = {sharpe}, "
                f"n_periods = {n_periods}",
                allowed="either returns, or sharpe and n_periods (skewness, kurtosis)",
                remedy="Pass returns as the first argument, or sharpe=... and n_periods=... per period.",
            )
        if returns is None:
            assert sharpe is not None
            assert n_periods is not None
            return cls(float(sharpe), float(n_periods), float(skewness), float(kurtosis))
        return cls.from_returns(returns)

    @classmethod
    def from_returns(cls, returns: npt.ArrayLike) -> Self:
        """Return the moments of simple returns; NaN is left out (population skewness and kurtosis).

        Raises
        ------
        DataError
            When returns are infinite, below -1 or not one-dimensional.
        NotEnoughDataError
            When fewer than two are known.
        """
        known = checked_returns(returns)
        if len(known) < 2:
            raise NotEnoughDataError(
                "A Sharpe ratio needs returns", got=f"{len(known)} known", allowed="2 or more"
            )
        ratio = sharpe_ratio(known)
        if math.isnan(ratio):
            return cls(math.nan, len(known))
        return cls(ratio, len(known), skewness(known), excess_kurtosis(known) + 3.0)

    @property
    def deviation(self) -> float:
        """Standard error of the Sharpe ratio x sqrt(n_periods - 1) (Mertens 2002).

        Bailey & López de Prado (2012), equation for the estimator's standard deviation:
        ``sqrt(1 - skewness * SR + (kurtosis - 1) / 4 * SR ** 2)``.
        """
        variance = 1.0 - self.skewness * self.sharpe + 0.25 * (self.kurtosis - 1.0) * self.sharpe**2
        return math.sqrt(max(variance, 0.0))


def require_finite(name: str, value: float) -> float:
    """Return a value that must be a finite number.

    Raises
    ------
    DataError
        When it is not.
    """
    if not math.isfinite(value):
        raise DataError(f"{name} is not a finite number", got=value, allowed="a finite number")
    return value
