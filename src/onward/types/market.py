"""Bars on one timeframe, and the series that come beside them, each value with the moment it was known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from onward.types.arrays import IntArray, to_ns

if TYPE_CHECKING:
    import pandas as pd  # when it is needed: a server that waits has no use for it

__all__ = ["Market", "SideSeries"]


@dataclass(frozen=True, eq=False)
class SideSeries:
    """Values that come beside the candles, each with the moment at which it became available.

    Attributes
    ----------
    name
        Name of the series: ``funding``, ``open_interest``, ``fear_greed`` or a custom one.
    frame
        Columns ``symbol`` (text; the empty string means "for every symbol"), ``timestamp``
        (UTC, the moment that the publisher stamped), ``available_at`` (UTC, the first moment
        at which the value was known) and one float64 column a value. Sorted by ``symbol``,
        ``available_at``, ``timestamp``; RangeIndex.
    """

    name: str
    frame: pd.DataFrame

    @property
    def values(self) -> tuple[str, ...]:
        """Names of the value columns."""
        return tuple(c for c in self.frame.columns if c not in ("symbol", "timestamp", "available_at"))

    def known_at(self, moment: pd.Timestamp) -> SideSeries:
        """Return the series as it was known at a moment (``available_at <= moment``)."""
        known = np.asarray(self.frame["available_at"] <= moment)
        return self if known.all() else SideSeries(self.name, self.frame[known].reset_index(drop=True))


@dataclass(frozen=True, eq=False)
class Market:
    """A panel of closed bars on one timeframe, with the series that come beside them.

    Build one with `onward.read_market` or `onward.data.market.make_market`, which validate;
    this class trusts its arguments.

    Attributes
    ----------
    bars
        float64 columns ``open high low close volume``, indexed by (``symbol``, ``open_time``),
        sorted, unique; ``open_time`` is UTC (``datetime64[ns, UTC]``). A single symbol is a
        panel of one. Gaps are real: a missing bar has no row.
    timeframe
        Length of one bar.
    series
        Side series by name.
    """

    bars: pd.DataFrame
    timeframe: pd.Timedelta
    series: Mapping[str, SideSeries] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "series", MappingProxyType(dict(self.series)))

    def __len__(self) -> int:
        return len(self.bars)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Market, (self.bars, self.timeframe, dict(self.series)))

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Symbols in row order."""
        names, codes = self.index.levels[0], self.index.codes[0]
        first = np.flatnonzero(np.diff(codes, prepend=-1))  # rows of a symbol are contiguous
        return tuple(str(names[code]) for code in codes[first])

    @property
    def index(self) -> pd.MultiIndex:
        """The (symbol, open time) index of the bars."""
        import pandas as pd

        index = self.bars.index
        assert isinstance(index, pd.MultiIndex)
        return index

    @cached_property
    def open_time(self) -> pd.DatetimeIndex:
        """Open time of each row, UTC."""
        import pandas as pd

        return pd.DatetimeIndex(self.bars.index.get_level_values(1))

    @cached_property
    def decision_time(self) -> pd.DatetimeIndex:
        """First moment at which each row is known: open time + timeframe, UTC."""
        return self.open_time + self.timeframe

    @cached_property
    def open_time_ns(self) -> IntArray:
        """Open time of each row, ns UTC."""
        return to_ns(self.open_time)

    @cached_property
    def decision_time_ns(self) -> IntArray:
        """Decision time of each row, ns UTC."""
        return self.open_time_ns + self.timeframe_ns

    @property
    def timeframe_ns(self) -> int:
        """Length of one bar in nanoseconds."""
        return int(self.timeframe.value)

    @cached_property
    def rows(self) -> Mapping[str, slice]:
        """Row range of each symbol; rows of a symbol are contiguous."""
        codes = self.index.codes[0]
        edges = np.flatnonzero(np.diff(codes, prepend=-1, append=-1))
        return MappingProxyType(
            {s: slice(int(edges[i]), int(edges[i + 1])) for i, s in enumerate(self.symbols)}
        )

    def select(self, symbols: Iterable[str]) -> Market:
        """Return the market of some symbols only (side series are kept whole)."""
        wanted = list(symbols)
        keep = self.bars.index.get_level_values(0).isin(wanted)
        return self._with_bars(self.bars[keep])

    def between(self, start: pd.Timestamp | None, end: pd.Timestamp | None) -> Market:
        """Return the bars with ``start <= open time < end``, side series kept whole."""
        keep = np.ones(len(self), dtype=bool)
        if start is not None:
            keep &= np.asarray(self.open_time >= start)
        if end is not None:
            keep &= np.asarray(self.open_time < end)
        return self._with_bars(self.bars[keep])

    def known_at(self, moment: pd.Timestamp) -> Market:
        """Return the market as it was known at a moment: closed bars, published values only."""
        if moment.tzinfo is None:
            raise TypeError("a moment needs a time zone")
        closed = self.decision_time_ns <= moment.as_unit("ns").value
        series = {name: one.known_at(moment) for name, one in self.series.items()}
        if closed.all():
            same = all(series[name] is one for name, one in self.series.items())
            return self if same else self.replace(series=series)
        return Market(self.bars[closed], self.timeframe, series)

    def last(self, n_bars: int) -> Market:
        """Return the newest bars: from the ``n_bars``-th newest of the symbols that are current.

        Symbols that have no bar at the newest open time do not push the cut back. Side series
        are kept whole: the as-of join needs the last value before the first bar.

        Asked for the same again, the market gives the same value: one that is kept between
        predictions is cut once.
        """
        if self._cut and self._cut[0][0] == n_bars:
            return self._cut[0][1]
        cut = self._last(n_bars)
        self._cut[:] = [(n_bars, cut)] if cut is not self else []
        return cut

    @cached_property
    def _cut(self) -> list[tuple[int, Market]]:
        """What `last` gave last time."""
        return []

    def _last(self, n_bars: int) -> Market:
        if len(self) == 0 or n_bars <= 0:
            return self._with_bars(self.bars.iloc[:0])
        newest = self.open_time_ns.max()
        cut = newest
        for rows in self.rows.values():
            times = self.open_time_ns[rows]
            if times[-1] == newest:
                cut = min(cut, times[max(0, len(times) - n_bars)])
        recent = self.open_time_ns >= cut
        return self if recent.all() else self._with_bars(self.bars[recent])

    def replace(self, **changes: Any) -> Market:
        """Return a copy with other ``bars``, ``timeframe`` or ``series``."""
        return Market(**{"bars": self.bars, "timeframe": self.timeframe, "series": self.series, **changes})

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over every value, time and name that the market holds."""
        import pandas as pd

        digest = hashlib.sha256()
        digest.update(f"market-v1|{self.timeframe_ns}|{'|'.join(self.bars.columns)}".encode())
        for symbol, rows in self.rows.items():
            digest.update(f"|{symbol}|{rows.start}|{rows.stop}".encode())
        digest.update(np.ascontiguousarray(self.open_time_ns).tobytes())
        for column in self.bars.columns:
            digest.update(np.ascontiguousarray(self.bars[column].to_numpy(np.float64)).tobytes())
        for name in sorted(self.series):
            frame = self.series[name].frame
            digest.update(f"|{name}|{'|'.join(map(str, frame.columns))}|{len(frame)}".encode())
            digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
        return digest.hexdigest()

    def _with_bars(self, bars: pd.DataFrame) -> Market:
        bars = bars.copy(deep=False)
        bars.index = bars.index.remove_unused_levels()  # type: ignore[attr-defined]
        return Market(bars, self.timeframe, self.series)
