"""Label some moments only: those at which the price has moved.

López de Prado, *Advances in Financial Machine Learning* (Wiley 2018), 2.5.2.1: the symmetric CUSUM
filter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from onward.errors import LabelError, NotEnoughDataError
from onward.labels.arguments import as_choice, as_count, as_number, as_positions
from onward.labels.horizon import by_symbol, trailing_volatility
from onward.labels.state import known_values
from onward.labels.threshold import ThresholdLabeler
from onward.protocols import Labeler
from onward.types import BoolArray, FloatArray, IntArray, Labels, Market, Spans

__all__ = ["CUSUM_MODES", "CusumSampledLabeler", "cusum_events"]

CusumMode: TypeAlias = Literal["volatility", "fixed"]
CUSUM_MODES: tuple[str, ...] = get_args(CusumMode)


def cusum_events(values: npt.ArrayLike, threshold: float | npt.ArrayLike) -> IntArray:
    """Return the positions at which the symmetric CUSUM filter fires.

    The changes of the series add up in a sum that is never negative and in one that is never
    positive. When one of them is beyond ``threshold`` (strictly; the negative one is looked at
    first), the row is an event and that sum begins anew. Whether a row is an event follows from
    rows up to it.

    Parameters
    ----------
    values
        One symbol's series in time order, shape (n,). Pass log prices to add up log returns,
        prices to add up price differences. NaN is passed over.
    threshold
        Size of a move, 0 or more: one number, or one a row, shape (n,), NaN where not known yet
        (no events there).

    Raises
    ------
    LabelError
        When shapes differ, a value is infinite, or a threshold is negative.

    Examples
    --------
    >>> cusum_events([1.0, 1.5, 2.5, 2.0, 1.0], 1.0).tolist()
    [2, 4]
    """
    from onward.kernels.cusum import cusum

    series = np.ascontiguousarray(values, dtype=np.float64)
    border = np.asarray(threshold, dtype=np.float64)
    if series.ndim != 1 or border.shape not in ((), series.shape):
        raise LabelError(
            "the CUSUM filter takes one series and one threshold, or one a row",
            got=f"shapes {series.shape} and {border.shape}",
            allowed="values of shape (n,), threshold a number or of shape (n,)",
            remedy="Filter each symbol by itself.",
        )
    if np.isinf(series).any() or (border < 0.0).any() or (border.ndim == 0 and not np.isfinite(border)):
        raise LabelError(
            "the CUSUM filter takes finite values and a threshold that is not negative",
            got=f"{int(np.isinf(series).sum())} infinite values, smallest threshold "
            f"{float(np.min(border)) if border.size else 'none'}",
            allowed="finite values or NaN; a threshold of at least 0",
            remedy="Pass logarithms of positive prices and a positive threshold.",
        )
    fired = cusum(series, np.ascontiguousarray(np.broadcast_to(border, series.shape)))
    return np.flatnonzero(fired).astype(np.int64)


@dataclass(frozen=True)
class CusumSampledLabeler:
    """Another labeler, on the bars at which a CUSUM filter of the log price fires.

    Bars that tell nothing new are left out, so labels overlap less and each counts for more. The
    filter looks at closes up to the bar's own; spans, classes and weights of the bars that are
    left are those of the other labeler. Rows that `fit` is given are positions into the sampled
    spans, and only those rows are handed on.

    Parameters
    ----------
    labeler
        The labeler that knows spans and classes.
    cusum_threshold
        Size of a move that makes an event, positive.
    cusum_mode
        ``volatility``: in sample deviations of the last ``window_bars`` one-bar log returns.
        ``fixed``: a log return.
    window_bars
        Returns behind the deviation, at least 2. No events before they are known.

    Raises
    ------
    LabelError
        When an argument is out of range.
    NotEnoughDataError
        When no labelled row is an event.

    Examples
    --------
    >>> from onward.testing.markets import random_walk
    >>> market = random_walk(400)
    >>> labeler = CusumSampledLabeler(ThresholdLabeler(horizon_bars=24), cusum_threshold=2.0)
    >>> len(labeler.spans(market)) < len(labeler.labeler.spans(market))
    True
    """

    labeler: Labeler = field(default_factory=ThresholdLabeler)
    cusum_threshold: float = 2.0
    cusum_mode: CusumMode = "volatility"
    window_bars: int = 168

    name: ClassVar[str] = "cusum_sampled"

    def __post_init__(self) -> None:
        if not isinstance(self.labeler, Labeler):
            raise LabelError(
                "only a labeler can be sampled",
                got=repr(self.labeler)[:80],
                allowed="an object that satisfies onward.protocols.Labeler",
                remedy="Pass ThresholdLabeler(...) or another labeler.",
            )
        as_choice("cusum_mode", "CusumSampledLabeler", self.cusum_mode, CUSUM_MODES)
        object.__setattr__(self, "cusum_threshold", as_number("cusum_threshold", self.cusum_threshold))
        object.__setattr__(self, "window_bars", as_count("window_bars", self.window_bars, 2))

    @property
    def kind(self) -> Literal["classes", "target"]:
        """What the other labeler gives."""
        return self.labeler.kind

    def events(self, market: Market) -> BoolArray:
        """Return whether each bar is an event, known at its decision time, shape (n,)."""
        from onward.kernels.cusum import cusum

        size = np.full(len(market), self.cusum_threshold)
        if self.cusum_mode == "volatility":
            size *= trailing_volatility(market, self.window_bars)
            size[~(size > 0.0)] = np.nan  # of a price that stood still every move would be an event
        price = by_symbol(market, _logarithm)
        fired = np.zeros(len(market), dtype=np.bool_)
        for rows in market.rows.values():
            fired[rows] = cusum(np.ascontiguousarray(price[rows]), np.ascontiguousarray(size[rows]))
        return fired

    def spans(self, market: Market) -> Spans:
        """Return the other labeler's spans of the bars that are events."""
        spans = self.labeler.spans(market)
        return spans.take(self._sampled(market, spans))

    def fit(self, market: Market, rows: IntArray) -> Self:
        """Return a labeler whose parameters come from these events only."""
        sampled = self._sampled(market, self.labeler.spans(market))
        chosen = sampled[as_positions(rows, len(sampled))]
        return replace(self, labeler=self.labeler.fit(market, chosen))

    def label(self, market: Market) -> Labels:
        """Return the other labeler's labels of the bars that are events, weights of mean 1."""
        labels = self.labeler.label(market)
        rows = self._sampled(market, labels.spans)
        weight = labels.weight[rows]
        mean = float(weight.mean())
        return Labels(
            labels.y[rows],
            labels.spans.take(rows),
            weight / mean if mean > 0.0 else np.ones(len(rows)),
            labels.kind,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values, the other labeler's included."""
        return {
            "labeler": self.name,
            "inner": self.labeler.to_json(),
            "cusum_threshold": self.cusum_threshold,
            "cusum_mode": self.cusum_mode,
            "window_bars": self.window_bars,
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild a labeler from what `to_json` gave; the other one must be of the catalogue.

        Raises
        ------
        LabelError
            When the state belongs to another labeler or holds an unknown field.
        """
        from onward.labels.catalog import labeler_from_json

        rest = {name: value for name, value in state.items() if name != "inner"}
        values = known_values(cls, rest)
        inner = state.get("inner")
        if inner is not None:
            values["labeler"] = labeler_from_json(inner)
        else:
            values.pop("labeler", None)
        return cls(**values)

    def _sampled(self, market: Market, spans: Spans) -> IntArray:
        """Return which of the other labeler's spans are events."""
        positions = np.asarray(market.index.get_indexer(spans.index))
        events = self.events(market)
        rows = np.flatnonzero(events[positions]).astype(np.int64)
        if len(rows) == 0:
            raise NotEnoughDataError(
                "no labelled row is an event of the CUSUM filter",
                got=f"{len(spans)} labelled rows, {int(events.sum())} events among {len(market)} bars",
                allowed="at least one labelled row that is an event",
                remedy="Lower cusum_threshold, use more bars, or label every row (events = 'all').",
                settings=("cusum_threshold", "events"),
            )
        return rows


def _logarithm(close: FloatArray) -> FloatArray:
    usable = np.isfinite(close) & (close > 0.0)
    return np.log(close, out=np.full(len(close), np.nan), where=usable)
