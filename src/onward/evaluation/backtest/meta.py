"""Acting on a primary signal where a second model says that it pays.

A meta-labelled model (`onward.labels.MetaLabeler`) does not say where the price goes: its class 1
means that following the primary signal pays, -1 that it loses. Its positions are therefore the
primary signal's, taken where the probability of class 1 is high enough, and none elsewhere. López
de Prado (2018), Advances in Financial Machine Learning, 3.6: the primary model gives the side, the
secondary one the size.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.errors import DataError
from onward.evaluation.backtest.signals import aligned
from onward.types import BoolArray, FloatArray, Market

__all__ = ["about_price", "followed"]


def about_price(
    market: Market,
    said: pd.DataFrame,
    primary: FloatArray | None,
    *,
    verdicts: BoolArray | None = None,
    act_above: float | None = None,
) -> pd.DataFrame:
    """Return what a model says about the price, whatever its classes mean: signals for a backtest.

    Parameters
    ----------
    market
        The bars.
    said
        ``down range up`` by (symbol, open time), as the model gives them.
    primary
        The primary signal that the classes are verdicts on, see `followed`; None when they are about
        the price.
    verdicts
        Which rows of ``said`` are verdicts on it, shape (n_said,); None means all of them.
    act_above
        See `followed`; without a meaning when the classes are about the price.

    Returns
    -------
    DataFrame
        ``signal`` and ``down range up``: of a model of meta-labels as `followed` gives them, of any
        other the most probable class (the lower one of equals) beside what was said.

    Raises
    ------
    DataError
        As `followed`.
    """
    if primary is not None and verdicts is not None and not verdicts.all():
        parts = (
            about_price(market, said[rows], signal, act_above=act_above)
            for rows, signal in ((verdicts, primary), (~verdicts, None))
        )
        return pd.concat(parts).reindex(said.index)
    if primary is not None:
        return followed(market, said, primary, act_above=act_above)
    side = said[["down", "range", "up"]].to_numpy(np.float64).argmax(axis=1) - 1.0
    return said.assign(signal=side)


def followed(
    market: Market, verdicts: pd.DataFrame, primary: FloatArray, *, act_above: float | None = None
) -> pd.DataFrame:
    """Return what a primary signal and verdicts on it say about prices: signals for a backtest.

    Parameters
    ----------
    market
        The bars.
    verdicts
        ``down range up`` by (symbol, open time): the probabilities that following the signal loses,
        ends undecided, and pays.
    primary
        The primary signal of every bar of the market: 1, -1, 0, NaN where not known; known at the
        bar's decision time. Shape (n_bars,).
    act_above
        Follow where the probability that it pays is above this, 0 to 1. ``None``: where paying is
        more probable than each of the other two outcomes.

    Returns
    -------
    DataFrame
        Indexed by the bars at which a verdict was given, in the order of the market: ``signal``
        (the primary signal, 0 where it is not followed) and ``down range up``, the probabilities
        turned into directions of the price, so that positions can be sized by them: a short that
        pays is a price that falls. Where the signal is not followed, ``range`` is 1; probability
        never turns a position against the signal.

    Raises
    ------
    DataError
        When the verdicts hold no probabilities or belong to no bar, the signal has another length
        or other values, or ``act_above`` is out of range.
    """
    if act_above is not None and not 0.0 <= act_above < 1.0:
        raise DataError(
            "the probability above which a signal is followed is out of range",
            got=act_above,
            allowed="0 to below 1, or none",
        )
    side = np.asarray(primary, dtype=np.float64)
    if side.shape != (len(market),) or not np.isin(side[~np.isnan(side)], (-1.0, 0.0, 1.0)).all():
        raise DataError(
            "the primary signal does not fit the market",
            got=f"shape {side.shape}, values {np.unique(side)[:5].tolist()}",
            allowed=f"shape ({len(market)},), values -1, 0, 1 or NaN",
            remedy="Pass MetaLabeler.signals(market).",
        )
    said = aligned(market, verdicts).probability
    if said is None:
        raise DataError(
            "verdicts on a primary signal need probabilities",
            got=", ".join(map(str, verdicts.columns)),
            allowed="down, range and up",
        )
    rows = np.flatnonzero(~np.isnan(said).any(axis=1))
    loses, undecided, pays = said[rows].T
    likely = (pays > loses) & (pays > undecided) if act_above is None else pays > act_above
    side = np.where(likely, np.nan_to_num(side[rows]), 0.0)
    against = np.minimum(loses, pays)
    up = np.where(side > 0.0, pays, np.where(side < 0.0, against, 0.0))
    down = np.where(side < 0.0, pays, np.where(side > 0.0, against, 0.0))
    columns = {"signal": side, "down": down, "range": 1.0 - up - down, "up": up}
    return pd.DataFrame(columns, index=market.index[rows])
