"""What labelers by barriers share: levels, first touches, and the spans that end with them.

López de Prado, *Advances in Financial Machine Learning* (Wiley 2018), 3.2 to 3.6.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self, TypeAlias, get_args

import numpy as np
import pandas as pd

from onward.errors import LabelError, NotEnoughDataError
from onward.labels.arguments import as_choice, as_count, as_number, as_positions
from onward.labels.state import known_values, state_of
from onward.labels.volatility import ESTIMATORS, Estimator, trailing_deviation
from onward.types import FloatArray, IntArray, Labels, Market, Spans, from_ns

__all__ = ["PRICES", "TIES", "UNITS", "VERTICALS", "WIDTHS", "BarrierLabeler", "Touches"]

Width: TypeAlias = Literal["volatility", "fixed"]
Unit: TypeAlias = Literal["horizon", "bar"]
Price: TypeAlias = Literal["close", "high_low"]
Tie: TypeAlias = Literal["stop", "profit", "nearest", "drop"]
Vertical: TypeAlias = Literal["range", "sign"]
WIDTHS: tuple[str, ...] = get_args(Width)
UNITS: tuple[str, ...] = get_args(Unit)
PRICES: tuple[str, ...] = get_args(Price)
TIES: tuple[str, ...] = get_args(Tie)
VERTICALS: tuple[str, ...] = get_args(Vertical)


@dataclass(frozen=True, eq=False)
class Touches:
    """How the path of each labelled row ended.

    Attributes
    ----------
    rows
        Positions of the labelled rows in the market, ascending, shape (n,).
    bar
        Position of the bar that decided, shape (n,).
    barrier
        ``UPPER``, ``LOWER``, ``BOTH`` or ``VERTICAL`` of `onward.kernels.forward.barriers`.
    direction
        Which way the outcome went: 1 up, -1 down, 0 neither.
    side
        Side of the position that the barriers were laid for: 1 long, -1 short.
    width
        One unit of distance, as a simple return, known at the decision.
    price
        Price at which the path ended: the level, the open of a bar that opened beyond it, or the
        close; NaN where both levels were crossed and neither counts.
    """

    rows: IntArray
    bar: IntArray
    barrier: IntArray
    direction: IntArray
    side: IntArray
    width: FloatArray
    price: FloatArray


@dataclass(frozen=True)
class BarrierLabeler(ABC):
    """Barriers above and below the entry, and one in time; a subclass says who enters where.

    A row enters at its own close. Its profit and stop levels lie ``profit`` and ``stop`` widths
    away in simple returns: ``entry * (1 + multiple * width)`` above, ``entry * (1 - multiple *
    width)`` below. A level is crossed when a price lies strictly beyond it; a price that only
    just reaches it does not count. NaN prices cross nothing. Bars are counted, never invented.

    Parameters
    ----------
    horizon_bars
        Bars until the vertical barrier, at least 1.
    profit, stop
        Distances of the levels in widths; 0 = there is no such level. ``stop=None`` lays the stop
        as far away as the profit level. On a random walk of 24 bars, 0.85 on both sides puts a
        third of the closes' paths in each class.
    mode
        ``volatility``: one width is the trailing deviation of the close. ``fixed``: it is
        ``threshold``.
    threshold
        Width of mode ``fixed``, as a simple return (0.01 = 1 %).
    window_bars
        Returns behind the deviation, at least 2.
    estimator
        ``rolling`` or ``ewm``, see `onward.labels.volatility.trailing_deviation`.
    unit
        ``horizon``: the deviation of the return over ``horizon_bars`` bars (that of one bar times
        the root of their number). ``bar``: the deviation of one bar, as the book has it.
    min_return
        Rows whose width is smaller carry no label.
    price
        ``close``: barriers are crossed by closes. ``high_low``: by the range of each bar after the
        entry's.
    tie
        What counts when one bar crosses both levels: ``stop`` (the cautious choice), ``profit``,
        ``nearest`` (the level nearer to the bar's open; the stop when both are as near) or
        ``drop`` (the row carries no label). A bar that *opens* beyond a level has crossed that
        one first, whatever came later, and is no tie.
    vertical
        Class of a path that crosses nothing: ``range`` (0) or ``sign`` (of its return).
    """

    horizon_bars: int = 24
    profit: float = 0.85
    stop: float | None = None
    mode: Width = "volatility"
    threshold: float = 0.01
    window_bars: int = 168
    estimator: Estimator = "rolling"
    unit: Unit = "horizon"
    min_return: float = 0.0
    price: Price = "close"
    tie: Tie = "stop"
    vertical: Vertical = "range"

    kind: ClassVar[Literal["classes", "target"]] = "classes"
    name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        mine = type(self).__name__
        for field, known in (
            ("mode", WIDTHS),
            ("estimator", ESTIMATORS),
            ("unit", UNITS),
            ("price", PRICES),
            ("tie", TIES),
            ("vertical", VERTICALS),
        ):
            as_choice(field, mine, getattr(self, field), known)
        object.__setattr__(self, "horizon_bars", as_count("horizon_bars", self.horizon_bars, 1))
        object.__setattr__(self, "window_bars", as_count("window_bars", self.window_bars, 2))
        object.__setattr__(self, "profit", as_number("profit", self.profit, zero=True))
        if self.stop is not None:
            object.__setattr__(self, "stop", as_number("stop", self.stop, zero=True))
        object.__setattr__(self, "threshold", as_number("threshold", self.threshold))
        object.__setattr__(self, "min_return", as_number("min_return", self.min_return, zero=True))
        if self.profit == 0.0 and self.stop_multiple == 0.0 and self.vertical == "range":
            raise LabelError(
                f"without a barrier every label of {mine} would be in range",
                got=f"profit = 0, stop = {self.stop}, vertical = 'range'",
                allowed="a profit or stop distance above 0, or vertical = 'sign'",
                remedy="Set profit, or let the sign of the return decide at the vertical barrier.",
                settings=("profit", "stop", "vertical"),
            )

    @property
    def stop_multiple(self) -> float:
        """Distance of the stop in widths."""
        return self.profit if self.stop is None else self.stop

    def spans(self, market: Market) -> Spans:
        """Return the span of every row whose path is decided inside the data.

        A span ends with the bar that decided: at its close, even when its range crossed earlier.
        """
        return self._spans(market, self.touches(market))

    def fit(self, market: Market, rows: IntArray) -> Self:
        """Check the rows and return the labeler itself: it takes nothing from them."""
        as_positions(rows, len(self.touches(market).rows))
        return self

    def label(self, market: Market) -> Labels:
        """Return the class of each row of ``spans(market)``, each with weight 1."""
        touches = self.touches(market)
        y = self._classes(touches)
        return Labels(y, self._spans(market, touches), np.ones(len(y)))

    def thresholds(self, market: Market) -> FloatArray:
        """Return the width of each row of ``spans(market)``: a simple return, known at the decision."""
        return self.touches(market).width

    def outcomes(self, market: Market) -> pd.DataFrame:
        """Return how each labelled row's path ended, for people and for tests.

        Returns
        -------
        DataFrame
            Index of ``spans(market)``; ``barrier`` (upper, lower, both, vertical), ``end`` (UTC),
            ``price`` at the end, ``return`` (simple, of a long position), ``width``, ``class``.
        """
        from onward.kernels.forward.barriers import BOTH, LOWER, UPPER, VERTICAL

        touches = self.touches(market)
        spans = self._spans(market, touches)
        names = {UPPER: "upper", LOWER: "lower", BOTH: "both", VERTICAL: "vertical"}
        entry = market.bars["close"].to_numpy(np.float64)[touches.rows]
        return pd.DataFrame(
            {
                "barrier": [names[code] for code in touches.barrier.tolist()],
                "end": from_ns(spans.end),
                "price": touches.price,
                "return": touches.price / entry - 1.0,
                "width": touches.width,
                "class": self._classes(touches),
            },
            index=spans.index,
        )

    def touches(self, market: Market) -> Touches:
        """Return how the path of each row ended; rows that are not decided are left out.

        Raises
        ------
        NotEnoughDataError
            When no row is left.
        """
        from onward.kernels.forward.barriers import BOTH, NOT_KNOWN, first_touch

        bars = {name: market.bars[name].to_numpy(np.float64) for name in ("open", "high", "low", "close")}
        width, side = self._widths(market), self._sides(market)
        upper, lower = self._levels(bars["close"], width, side)
        barrier = np.full(len(market), NOT_KNOWN, dtype=np.int64)
        bar = np.full(len(market), -1, dtype=np.int64)
        for part in market.rows.values():
            path = {name: np.ascontiguousarray(values[part]) for name, values in bars.items()}
            if self.price == "close":
                path = dict.fromkeys(path, path["close"])
            barrier[part], touched = first_touch(
                path["open"], path["high"], path["low"], path["close"],
                upper[part], lower[part], self.horizon_bars,
            )  # fmt: skip
            bar[part] = touched + part.start
        known = barrier != NOT_KNOWN
        if self.tie == "drop":
            known &= barrier != BOTH
        rows = np.flatnonzero(known).astype(np.int64)
        if len(rows) == 0:
            raise self._nothing(market, width, side)
        found = Touches(
            rows=rows,
            bar=bar[rows],
            barrier=barrier[rows],
            direction=np.zeros(len(rows), dtype=np.int64),
            side=side[rows].astype(np.int64),
            width=width[rows],
            price=np.full(len(rows), np.nan),
        )
        return self._decided(found, bars, upper[rows], lower[rows])

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        return state_of(self)

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild a labeler from what `to_json` gave.

        Raises
        ------
        LabelError
            When the state belongs to another labeler or holds an unknown field.
        """
        return cls(**known_values(cls, state))

    @abstractmethod
    def _sides(self, market: Market) -> FloatArray:
        """Return the side taken at each bar: 1, -1, and 0 or NaN for none; known at its decision."""

    @abstractmethod
    def _classes(self, touches: Touches) -> IntArray:
        """Return the class of each touch."""

    def _tied(self, touches: Touches, nearest: IntArray) -> IntArray:
        """Return the direction that counts where one bar crossed both levels."""
        if self.tie == "nearest":
            return np.where(nearest == 0, -touches.side, nearest)
        return touches.side if self.tie == "profit" else -touches.side

    def _widths(self, market: Market) -> FloatArray:
        if self.mode == "fixed":
            return np.full(len(market), self.threshold)
        factor = math.sqrt(self.horizon_bars) if self.unit == "horizon" else 1.0
        return trailing_deviation(market, self.window_bars, self.estimator) * factor

    def _levels(
        self, entry: FloatArray, width: FloatArray, side: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        usable = np.isfinite(entry) & (entry > 0.0) & (width > 0.0) & (width >= self.min_return)
        usable &= np.abs(side) == 1.0
        long = side > 0.0
        above = np.where(long, self.profit, self.stop_multiple)
        below = np.where(long, self.stop_multiple, self.profit)
        upper = np.where(above > 0.0, entry * (1.0 + above * width), np.inf)
        lower = np.where(below > 0.0, entry * (1.0 - below * width), -np.inf)
        return np.where(usable, upper, np.nan), np.where(usable, lower, np.nan)

    def _decided(
        self, found: Touches, bars: Mapping[str, FloatArray], upper: FloatArray, lower: FloatArray
    ) -> Touches:
        """Return the touches with their directions and prices."""
        from onward.kernels.forward.barriers import BOTH, LOWER, UPPER, VERTICAL

        first, last = bars["open"][found.bar], bars["close"][found.bar]
        tied = found.barrier == BOTH  # both levels are finite there, and the open lies between them
        nearest = np.zeros(len(found.rows), dtype=np.int64)
        nearest[tied] = np.sign((first[tied] - lower[tied]) - (upper[tied] - first[tied]))
        direction = np.select(
            [found.barrier == UPPER, found.barrier == LOWER, tied],
            [1, -1, self._tied(found, nearest)],
            default=np.sign(last - bars["close"][found.rows]) if self.vertical == "sign" else 0,
        ).astype(np.int64)
        price = last
        if self.price == "high_low":
            level = np.select(
                [direction > 0, direction < 0], [np.fmax(upper, first), np.fmin(lower, first)], np.nan
            )
            price = np.where(found.barrier == VERTICAL, last, level)
        return replace(found, direction=direction, price=price)

    def _spans(self, market: Market, touches: Touches) -> Spans:
        time = market.decision_time_ns
        return Spans(market.index[touches.rows], time[touches.rows], time[touches.bar])

    def _nothing(self, market: Market, width: FloatArray, side: FloatArray) -> NotEnoughDataError:
        needed = 2 + (self.window_bars if self.mode == "volatility" else 0)
        longest = max((rows.stop - rows.start for rows in market.rows.values()), default=0)
        wide = width[np.isfinite(width)]
        return NotEnoughDataError(
            f"no row crosses a barrier, or comes to the end of {self.horizon_bars} bars, inside the data",
            got=f"at most {longest} bars a symbol; a side on {int((np.abs(side) == 1.0).sum())} rows; "
            f"widths up to {wide.max() if len(wide) else math.nan:.3g}",
            allowed=f"at least {needed} bars of one symbol whose closes are known and move"
            + (f", widths of at least min_return = {self.min_return:g}" if self.min_return else ""),
            remedy="Use more bars, a shorter horizon_bars, a shorter window_bars or a lower min_return.",
            settings=("min_return", "horizon_bars", "window_bars", "profit", "threshold"),
        )
