"""Whether following a primary signal pays: the labels of a second model that says when to act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from onward.errors import LabelError
from onward.labels.arguments import as_count
from onward.labels.barriers import BarrierLabeler, Touches
from onward.labels.signals import Signal, rule_lookback, signal_address, signal_values
from onward.types import FloatArray, IntArray, Market

__all__ = ["MetaLabeler", "meta_labeler", "primary_signal"]


def primary_signal(state: Mapping[str, Any], market: Market) -> FloatArray | None:
    """Return the primary signal that labels are verdicts on, given the labeler as plain JSON values.

    Parameters
    ----------
    state
        What a labeler's ``to_json`` gave; of event sampling, the labeler inside counts.
    market
        Bars and side series.

    Returns
    -------
    1, -1, 0 or NaN (not known yet) for every bar; ``None`` when the labels are about the price.

    Raises
    ------
    LabelError
        When the signal was a function that is found no more.
    SeriesError
        When the market lacks the side series of the signal.
    """
    labeler = meta_labeler(state)
    return None if labeler is None else labeler.signals(market)


def meta_labeler(state: Mapping[str, Any]) -> MetaLabeler | None:
    """Return the labeler of verdicts on a primary signal; None when the labels are about the price.

    Parameters
    ----------
    state
        What a labeler's ``to_json`` gave; of event sampling, the labeler inside counts.
    """
    inner = state.get("inner")
    if isinstance(inner, Mapping):
        return meta_labeler(inner)
    return MetaLabeler.from_json(state) if state.get("labeler") == MetaLabeler.name else None


@dataclass(frozen=True)
class MetaLabeler(BarrierLabeler):
    """Meta-labels by the triple barrier of the side that a primary signal takes (AFML 3.6, 3.7).

    Only rows on which the signal takes a side are labelled. Their class says how following it
    ended, not where the price went:

    ========  =======================================================================
    1         it paid: the profit barrier was crossed first
    0         undecided: neither barrier was crossed within the horizon
    -1        it lost: the stop was crossed first
    ========  =======================================================================

    With ``vertical="sign"`` the return of the position decides at the vertical barrier as well,
    so 1 means that acting made money, as in the book, and 0 is left for exact ties. Three classes
    keep every model, score and report in use: ``p_up - p_down`` tells winners from losers, and
    the direction score is the skill of doing so. A prediction of such a model is therefore a
    verdict on the signal. The position to take is `signals` times it, where it is 1.

    Parameters
    ----------
    signal
        ``momentum``, ``mean_reversion``, ``breakout``, ``series:NAME``, ``series:NAME.COLUMN``,
        ``module:function`` or a function of a market; see `onward.labels.signals`. A function is
        kept by its address in `to_json`.
    signal_bars
        Bars that a named rule looks back, at least 1.
    horizon_bars, profit, stop, mode, threshold, window_bars, estimator, unit
        See `onward.labels.barriers.BarrierLabeler`.
    min_return, price, tie, vertical
        See `onward.labels.barriers.BarrierLabeler`.

    Raises
    ------
    LabelError
        When an argument is out of range, or the signal cannot be had or is none.
    SeriesError
        When the market lacks the side series of the signal.
    NotEnoughDataError
        When no row with a side has an outcome inside the data.

    Examples
    --------
    >>> from onward.testing.markets import random_walk
    >>> market = random_walk(400)
    >>> labeler = MetaLabeler(signal="breakout", horizon_bars=12)
    >>> labels = labeler.label(market)
    >>> len(labels) < int((labeler.signals(market) != 0).sum())
    True
    """

    signal: Signal = "momentum"
    signal_bars: int = 24

    name: ClassVar[str] = "meta"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "signal_bars", as_count("signal_bars", self.signal_bars, 1))
        if self.signal == "" or not (isinstance(self.signal, str) or callable(self.signal)):
            raise LabelError(
                "the signal of MetaLabeler is neither text nor a function",
                got=repr(self.signal)[:80],
                allowed="a name, series:NAME, module:function, or a function of a market",
                remedy="Put an array of signals into a side series, with the time it became available.",
                settings=("signal",),
            )

    def signals(self, market: Market) -> FloatArray:
        """Return the primary signal of every bar: 1, -1, 0, NaN where it is not known yet."""
        return signal_values(self.signal, market, self.signal_bars)

    @property
    def signal_lookback(self) -> int:
        """Bars that the primary signal needs, the bar itself included; 1 where only its author knows."""
        return rule_lookback(self.signal, self.signal_bars)

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values, a function by its address."""
        return {**super().to_json(), "signal": signal_address(self.signal)}

    def _sides(self, market: Market) -> FloatArray:
        return self.signals(market)

    def _classes(self, touches: Touches) -> IntArray:
        return np.asarray(touches.direction * touches.side, dtype=np.int64)
