"""Up or down by the barrier that is crossed first, range when none is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

import numpy as np

from onward.errors import LabelError
from onward.labels.arguments import as_choice
from onward.labels.barriers import BarrierLabeler, Touches
from onward.types import FloatArray, IntArray, Market

__all__ = ["SIDES", "TripleBarrierLabeler"]

Side: TypeAlias = Literal["both", "long", "short"]
SIDES: tuple[str, ...] = get_args(Side)


@dataclass(frozen=True)
class TripleBarrierLabeler(BarrierLabeler):
    """Three classes by the first of three barriers: profit, stop, time (AFML 3.4).

    The class says where the price went, whatever the side: ``up`` (1) when the upper barrier is
    crossed first, ``down`` (-1) when the lower one is, and at the vertical barrier ``range`` (0),
    or the sign of the return with ``vertical="sign"``. The side says where the barriers lie.

    ``both``
        No position is assumed: the barriers are symmetric. One bar that crosses both stops out
        whichever side was taken, so with ``tie="stop"`` it counts as ``range``.
    ``long``
        Profit above, stop below.
    ``short``
        Profit below, stop above.

    A span runs from the decision time of a row to the close of the bar that decided, so it is
    never longer than ``horizon_bars`` bars and shorter after an early touch. Rows without a label
    are those whose path the end of the data cuts off before a touch, those whose width is not
    known yet, is 0 or is below ``min_return``, those whose own close is NaN, those that come to the
    vertical barrier at a NaN close, and ties when these are dropped. Near the end of the data the
    early touches have a label and the late ones do not yet, as it was on the day itself.

    Parameters
    ----------
    side
        ``both``, ``long`` or ``short``.
    horizon_bars, profit, stop, mode, threshold, window_bars, estimator, unit
        See `onward.labels.barriers.BarrierLabeler`.
    min_return, price, tie, vertical
        See `onward.labels.barriers.BarrierLabeler`.

    Raises
    ------
    LabelError
        When an argument is out of range, or the barriers of ``side="both"`` are not symmetric.
    NotEnoughDataError
        When no row has an outcome inside the data.

    Examples
    --------
    >>> from onward.testing.markets import random_walk
    >>> labels = TripleBarrierLabeler(horizon_bars=24).label(random_walk(400))
    >>> sorted(set(labels.y.tolist()))
    [-1, 0, 1]
    >>> labels.spans.longest // 3_600_000_000_000
    24
    """

    side: Side = "both"

    name: ClassVar[str] = "triple_barrier"

    def __post_init__(self) -> None:
        as_choice("side", "TripleBarrierLabeler", self.side, SIDES)
        super().__post_init__()
        if self.side != "both":
            return
        if self.stop_multiple != self.profit:
            raise LabelError(
                "without a side nobody can tell profit from loss, so the barriers must be symmetric",
                got=f"profit = {self.profit:g}, stop = {self.stop_multiple:g}, side = 'both'",
                allowed="stop = None or equal to profit; or side = 'long' or 'short'",
                remedy="Set side, or leave stop out.",
                settings=("stop", "profit", "side"),
            )
        if self.tie == "profit":
            raise LabelError(
                "without a side no barrier is the profit",
                got="tie = 'profit', side = 'both'",
                allowed="tie = 'stop', 'nearest' or 'drop'; or side = 'long' or 'short'",
                remedy="Set side, or choose another tie.",
                settings=("tie", "side"),
            )

    def _sides(self, market: Market) -> FloatArray:
        return np.full(len(market), -1.0 if self.side == "short" else 1.0)

    def _classes(self, touches: Touches) -> IntArray:
        return touches.direction

    def _tied(self, touches: Touches, nearest: IntArray) -> IntArray:
        if self.side == "both" and self.tie == "stop":
            return np.zeros(len(nearest), dtype=np.int64)
        return super()._tied(touches, nearest)
