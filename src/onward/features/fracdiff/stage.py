"""`FracDiffStage`: series made stationary by as little differencing as will do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from onward.errors import StageError, nearest
from onward.features.description import FeatureInfo
from onward.features.fracdiff.orders import (
    order_name,
    read_orders,
    read_threshold,
    read_width,
    window_width,
)
from onward.features.fracdiff.series import Source, resolve_series, series_values
from onward.kernels.fracdiff import fractional_difference, fractional_weights
from onward.types import Market

__all__ = ["FracDiffStage"]

DEFAULT_COLUMNS = ("log_close", "log_volume")
DEFAULT_ORDERS = (0.3, 0.5, 0.7)

MICROSECONDS_A_WEIGHT = 0.0006
"""CPU time of one weight on one row, measured on one core of an AMD EPYC."""


@dataclass(frozen=True)
class Part:
    """One column: a series, an order, and how many weights it has."""

    source: Source
    order: float
    width: int

    @property
    def column(self) -> str:
        """Full column name."""
        return f"fracdiff__{self.source.name}__{order_name(self.order)}"


class FracDiffStage:
    """Fixed-width fractional differences (López de Prado 2018, 5.5).

    Satisfies `onward.protocols.CausalStage`. A return forgets the level, a price never loses it;
    a difference of order 0.4 lies between the two: nearly stationary, and still tied to where the
    series stood some hundred bars ago. Columns are ``fracdiff__<series>__<order>``. A window
    counts the bars that there are, of its own symbol; one that is not full, or holds an unknown
    value, is NaN.

    Parameters
    ----------
    columns
        Series: ``log_open log_high log_low log_close log_volume log_dollar_volume``, value
        columns of side series (``funding_rate``), or those after ``log_``.
    orders
        Orders of differencing, above 0 and at most 2. They are constants: an order that is to
        follow from data belongs to training rows, see
        `onward.features.fracdiff.minimum_order`.
    threshold
        Weights end before the first one that is smaller (the book's tau); the smaller, the
        longer the windows: 0.3 has 388 weights at 1e-4.
    width
        Number of weights of every order instead; the threshold then says nothing.
    series
        Value columns of the side series that will be there. A market that lacks one later gives
        NaN.
    only
        Full names of the columns that are wanted; all by default.

    Raises
    ------
    StageError
        If a series, order, threshold, width or column is unknown or refused.

    Examples
    --------
    >>> FracDiffStage(["log_close"], orders=[0.4]).columns()
    ('fracdiff__log_close__0.4',)
    """

    name: str = "fracdiff"
    scope: Literal["symbol", "cross_section"] = "symbol"

    def __init__(
        self,
        columns: Sequence[str] = DEFAULT_COLUMNS,
        *,
        orders: Sequence[float] = DEFAULT_ORDERS,
        threshold: float = 1e-4,
        width: int | None = None,
        series: Sequence[str] = (),
        only: Sequence[str] | None = None,
    ) -> None:
        self.series = tuple(dict.fromkeys([series] if isinstance(series, str) else series))
        self.sources = resolve_series([columns] if isinstance(columns, str) else columns, self.series)
        self.orders = read_orders(orders)
        self.threshold = read_threshold(threshold)
        self.width = read_width(width)
        widths = {order: window_width(order, self.threshold, self.width) for order in self.orders}
        every = [Part(source, order, widths[order]) for source in self.sources for order in self.orders]
        self._only = None if only is None else tuple(only)
        self._parts = _narrowed(tuple(every), self._only)

    @classmethod
    def for_market(
        cls,
        market: Market,
        *,
        columns: Sequence[str] = DEFAULT_COLUMNS,
        orders: Sequence[float] = DEFAULT_ORDERS,
        threshold: float = 1e-4,
        width: int | None = None,
    ) -> Self:
        """Return the stage for the side series that a market offers; raises as the constructor does."""
        values = [value for series in market.series.values() for value in series.values]  # noqa: PD011
        return cls(columns, orders=orders, threshold=threshold, width=width, series=values)

    @classmethod
    def examples(cls, market: Market) -> Sequence[Self]:
        """Return the stage with its defaults, and with every series and a given width."""
        from onward.features.fracdiff.series import LOG, OF_BARS

        values = [value for series in market.series.values() for value in series.values]  # noqa: PD011
        every = [*OF_BARS, *values, *(LOG + value for value in values)]
        return (cls.for_market(market), cls.for_market(market, columns=every, orders=[0.45, 1.0], width=30))

    @property
    def lookback(self) -> int:
        """Bars of the longest window."""
        return max(part.width for part in self._parts)

    def columns(self) -> tuple[str, ...]:
        """Return the full column names: series by series, order by order."""
        return tuple(part.column for part in self._parts)

    def describe(self) -> tuple[FeatureInfo, ...]:
        """Return one line a column: its series as family, its width, its estimated cost."""
        return tuple(
            FeatureInfo(
                part.column, self.name, part.source.name, part.width, part.width * MICROSECONDS_A_WEIGHT
            )
            for part in self._parts
        )

    def compute(self, market: Market) -> pd.DataFrame:
        """Return all columns as float64, index equal to ``market.bars.index``.

        NaN where a window is not full or holds something unknown; a volume of 0 has no logarithm
        and counts as unknown.

        Raises
        ------
        SeriesError
            If two side series carry a value column that is wanted.
        """
        matrix = np.empty((len(self._parts), len(market)))
        values = series_values(market, self.sources)
        for row, part in zip(matrix, self._parts, strict=True):
            weights = fractional_weights(part.order, part.width)
            for rows in market.rows.values():
                own = np.ascontiguousarray(values[part.source.name][rows])
                row[rows] = fractional_difference(own, weights)
        return pd.DataFrame(matrix.T, index=market.bars.index, columns=list(self.columns()), copy=False)

    def restricted(self, columns: Sequence[str]) -> Self:
        """Return a stage with these columns alone, values equal to the last bit.

        Raises
        ------
        StageError
            If a column is not this stage's, or none is given.
        """
        return type(self).from_spec({**self.spec(), "only": list(columns)})

    def spec(self) -> dict[str, Any]:
        """Return plain JSON values that rebuild these columns."""
        return {
            "stage": self.name,
            "columns": [source.name for source in self.sources],
            "orders": list(self.orders),
            "threshold": self.threshold,
            "width": self.width,
            "series": list(self.series),
            "only": None if self._only is None else list(self.columns()),
        }

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Rebuild a stage from `spec`.

        Raises
        ------
        StageError
            If a key is missing, unknown, or its value is refused.
        """
        keys = ("stage", "columns", "orders", "threshold", "width", "series", "only")
        if set(spec) != set(keys):
            raise StageError(
                f"the specification of the stage {cls.name!r} is not complete",
                got=", ".join(map(str, spec)),
                allowed=", ".join(keys),
                remedy="Use what stage.spec() returned.",
            )
        options = {name: spec[name] for name in keys[2:]}
        return cls(spec["columns"], **options)

    def __repr__(self) -> str:
        names = [source.name for source in self.sources]
        return f"{type(self).__name__}({names}, orders={list(self.orders)}, lookback {self.lookback})"


def _narrowed(parts: tuple[Part, ...], only: Sequence[str] | None) -> tuple[Part, ...]:
    if only is None:
        return parts
    own = {part.column for part in parts}
    strange = [column for column in only if column not in own]
    if strange or not only:
        close = nearest(str(strange[0]), own) if strange else None
        raise StageError(
            "the stage 'fracdiff' cannot be restricted to these columns",
            got=strange[0] if strange else "no column",
            allowed=f"some of its {len(own)} columns",
            remedy=f"Did you mean {close!r}?" if close else "Take them from columns().",
        )
    return tuple(part for part in parts if part.column in set(only))
