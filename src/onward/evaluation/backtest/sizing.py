"""How large a position is, given what a model says and what the market did so far.

Everything here looks back only: the size decided at a bar uses that bar's probabilities and the
closes up to it.

Sources
-------
López de Prado (2018), Advances in Financial Machine Learning, 10.3 (bet size from predicted
probabilities) and 10.5 (size discretisation). Kelly (1956), A new interpretation of information
rate; Thorp (2006), The Kelly criterion in blackjack, sports betting and the stock market.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from onward.errors import ConfigError, DataError
from onward.evaluation.backtest.settings import BacktestSettings
from onward.evaluation.backtest.signals import Signals
from onward.kernels.rolling import rolling_moments
from onward.types import FloatArray, Market

__all__ = [
    "bet_size",
    "discretised",
    "kelly_bet",
    "kelly_continuous",
    "kelly_outcomes",
    "target_positions",
    "trailing_volatility",
]

YEAR_NS = 365.25 * 86_400 * 1e9


def target_positions(market: Market, signals: Signals, settings: BacktestSettings) -> FloatArray:
    """Return the target position decided at every bar, a share of equity; NaN where nothing was said.

    Parameters
    ----------
    market
        The bars.
    signals
        Signals in the order of the bars.
    settings
        How sizes are made.

    Raises
    ------
    DataError
        When sizing needs probabilities and there are none, or a fixed signal asks for more than
        ``max_position`` (a side of -1 or 1 is capped by it instead).
    """
    largest, step = settings.max_position, settings.size_step
    if settings.sizing == "fixed" and np.nanmax(np.abs(signals.side), initial=0.0) > max(largest, 1.0):
        raise DataError(
            "A signal asks for more than the largest position",
            got=float(np.nanmax(np.abs(signals.side))),
            allowed=f"-{largest:g} to {largest:g}",
            remedy="Raise max_position to trade with leverage.",
        )
    size = np.clip(_sizes(market, signals, settings) * settings.position_size, -largest, largest)
    if step > 0.0:
        size = np.clip(discretised(size, step), -largest, largest)
    # A window that is not full says nothing about the size: the decision is to stay out.
    size = np.where(np.isnan(size) & ~np.isnan(signals.side), 0.0, size)
    if settings.sides == "long":
        return np.maximum(size, 0.0)
    return np.minimum(size, 0.0) if settings.sides == "short" else size


def trailing_volatility(market: Market, window_bars: int) -> tuple[FloatArray, FloatArray]:
    """Return the deviation of log returns, of one bar and of a year, over a trailing window.

    The window's own span of time says how many bars a year has, so that markets with nights and
    weekends are right too. Both of shape (n_bars,), of each symbol alone; NaN until
    ``window_bars`` returns are known.
    """
    one, year = np.full(len(market), np.nan), np.full(len(market), np.nan)
    close = market.bars["close"].to_numpy(dtype=np.float64)
    for rows in market.rows.values():
        if rows.stop - rows.start <= window_bars:
            continue
        step = np.diff(np.log(close[rows]), prepend=np.nan)
        deviation = rolling_moments(step, window_bars, ddof=1)[1]
        time = market.open_time_ns[rows]
        elapsed = np.full(len(time), np.nan)
        elapsed[window_bars:] = time[window_bars:] - time[:-window_bars]
        one[rows] = deviation
        year[rows] = deviation * np.sqrt(window_bars * YEAR_NS / elapsed)
    return one, year


def bet_size(probability: npt.ArrayLike, n_classes: int = 2) -> FloatArray:
    """Return the size of a bet on a class of this probability, -1 to 1.

    ``z = (p - 1/K) / sqrt(p (1 - p))``, size ``2 Phi(z) - 1``: 0 when the class is no likelier than
    any other, 1 when it is certain; below 0 when it is unlikelier. AFML 10.3.

    Parameters
    ----------
    probability
        Probability of the class that is bet on, 0 to 1; NaN stays NaN.
    n_classes
        Number of classes, at least 2.
    """
    from scipy.special import erf

    p = np.asarray(probability, dtype=np.float64)
    if n_classes < 2 or np.any((p < 0.0) | (p > 1.0)):
        raise ConfigError("A bet needs a probability", allowed="0 to 1, and two classes or more")
    with np.errstate(divide="ignore"):
        z = (p - 1.0 / n_classes) / np.sqrt(p * (1.0 - p))
    return np.asarray(erf(z / math.sqrt(2.0)), dtype=np.float64)


def discretised(size: npt.ArrayLike, step: float) -> FloatArray:
    """Return sizes rounded to multiples of a step (AFML 10.5); NaN stays NaN."""
    if not step > 0.0:
        raise ConfigError("A step is out of range", got=step, allowed="above 0")
    return np.asarray(np.round(np.asarray(size, dtype=np.float64) / step) * step)


def kelly_bet(probability: float, payoff: float = 1.0) -> float:
    """Return the growth-optimal share to stake on a bet: ``p - (1 - p) / b``.

    Parameters
    ----------
    probability
        Chance to win, 0 to 1.
    payoff
        Gain of a won bet for each unit staked, above 0; a lost bet loses the stake.

    Returns
    -------
    float
        Negative when the bet should be left alone (or taken from the other side).
    """
    if not (0.0 <= probability <= 1.0 and payoff > 0.0):
        raise ConfigError("A bet is out of range", got=f"p = {probability}, payoff = {payoff}")
    return probability - (1.0 - probability) / payoff


def kelly_continuous(mean: float, deviation: float, rate: float = 0.0) -> float:
    """Return the growth-optimal exposure to Gaussian returns: ``(mean - rate) / deviation ** 2``."""
    if not deviation > 0.0:
        raise ConfigError("A deviation is out of range", got=deviation, allowed="above 0")
    return (mean - rate) / deviation**2


def kelly_outcomes(outcomes: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Return the exposure with the highest expected log growth over some outcomes.

    Parameters
    ----------
    outcomes
        Simple return of each outcome, shape (n,): at least one gain and one loss.
    probabilities
        Their probabilities, shape (n,), sum 1.
    """
    x = np.asarray(outcomes, dtype=np.float64)
    p = np.asarray(probabilities, dtype=np.float64)
    fine = x.ndim == 1 and x.shape == p.shape and np.isfinite(x).all() and (p >= 0.0).all()
    if not fine or abs(float(p.sum()) - 1.0) > 1e-9 or not (x[p > 0.0].min() < 0.0 < x[p > 0.0].max()):
        raise ConfigError(
            "Kelly's exposure needs outcomes that gain and lose",
            got=f"outcomes {x.tolist()}, probabilities {p.tolist()}",
            allowed="as many probabilities as outcomes, sum 1, a gain and a loss among them",
        )
    x, p = x[p > 0.0], p[p > 0.0]
    low, high = -1.0 / float(x.max()), -1.0 / float(x.min())
    # Expected log growth is concave: the sign of its slope says on which side the peak lies.
    for _ in range(200):
        middle = 0.5 * (low + high)
        if float(np.sum(p * x / (1.0 + middle * x))) > 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _sizes(market: Market, signals: Signals, settings: BacktestSettings) -> FloatArray:
    if settings.sizing == "fixed":
        return signals.side
    if settings.sizing == "volatility_target":
        _, year = trailing_volatility(market, settings.volatility_window_bars)
        return signals.side * _over(settings.target_volatility, year)
    if signals.probability is None:
        raise DataError(
            f"Sizing {settings.sizing!r} needs probabilities",
            got="signals without down, range and up",
            remedy="Pass the frame that the model predicts, or use sizing 'fixed'.",
        )
    down, up = signals.probability[:, 0], signals.probability[:, 2]
    if settings.sizing == "probability":
        return up - down
    if settings.sizing == "bet_size":
        certainty = np.where(signals.side > 0.0, up, down)
        size = np.maximum(bet_size(np.clip(certainty, 0.0, 1.0), 3), 0.0)
        return np.sign(signals.side) * size
    one, _ = trailing_volatility(market, settings.volatility_window_bars)
    move = one * math.sqrt(settings.horizon_bars)
    # Outcomes +move, 0, -move: the growth-optimal exposure is (up - down) / ((up + down) * move).
    # Nothing said is not a decision to stay out: it stays NaN.
    edge = np.divide(up - down, up + down, out=np.where(np.isnan(up), np.nan, 0.0), where=up + down > 0.0)
    return settings.kelly_fraction * edge * _over(1.0, move)


def _over(numerator: float, volatility: FloatArray) -> FloatArray:
    """Divide by a volatility; where nothing moved no size is right."""
    out = np.full(len(volatility), np.nan)
    np.divide(numerator, volatility, out=out, where=volatility > 1e-12)
    return out
