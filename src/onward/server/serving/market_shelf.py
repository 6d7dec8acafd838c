"""Stored markets that were built before, for as long as nothing new is stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from onward.types import Market

__all__ = ["Asked", "MarketShelf"]

CAPACITY = 32
MOST_BARS = 1_000_000
EVER = np.iinfo(np.int64)


@dataclass(frozen=True)
class Asked:
    """Which part of what is stored.

    Attributes
    ----------
    symbols, timeframe, series
        As of `onward.data.repositories.DataStore.market`.
    first, end
        Open times: from ``first`` (included) to ``end`` (not included), UTC; None is no bound.
    """

    symbols: tuple[str, ...]
    timeframe: str
    series: tuple[str, ...]
    first: pd.Timestamp | None = None
    end: pd.Timestamp | None = None


@dataclass(frozen=True, eq=False)
class _View:
    """A market as it is known from a moment on until the next thing becomes known, ns UTC."""

    since: int
    until: int
    market: Market


class _Entry:
    def __init__(self, state: Hashable, market: Market | None) -> None:
        self.state = state
        self.market = market
        self.bars = 0 if market is None else len(market)
        self._view: _View | None = None

    def known_at(self, at: pd.Timestamp) -> Market | None:
        if self.market is None:
            return None
        moment, view = at.as_unit("ns").value, self._view
        if view is None or not view.since <= moment < view.until:
            view = self._view = _view(self.market, at)
        return view.market


class MarketShelf:
    """Markets by what was asked for. Safe to use from several threads.

    Reading and checking thousands of bars for one prediction costs more than the prediction. The
    files of a store never change, and a manifest names those that count: whoever asks says which
    files those are now, and what was built of others is built anew. So rows that somebody imports,
    on whichever host, count from the next request on.

    Parameters
    ----------
    capacity, most_bars
        Markets, and bars of all of them together, that are kept; those longest unused make room.
    """

    def __init__(self, *, capacity: int = CAPACITY, most_bars: int = MOST_BARS) -> None:
        self._capacity = capacity
        self._most_bars = most_bars
        self._kept: OrderedDict[Asked, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def known_at(
        self, asked: Asked, state: Hashable, at: pd.Timestamp, build: Callable[[], Market | None]
    ) -> Market | None:
        """Return a market as it is known at a moment; None when nothing is stored there.

        Parameters
        ----------
        asked
            Which part of the store.
        state
            Which files hold it, looked up *before* ``build`` reads them: a writer in between costs a
            second reading, never an old answer.
        at
            The moment, UTC.
        build
            Reads the market.
        """
        with self._lock:
            entry = self._kept.get(asked)
            if entry is not None:
                self._kept.move_to_end(asked)
        if entry is None or entry.state != state:
            entry = _Entry(state, build())
            self._keep(asked, entry)
        return entry.known_at(at)

    def _keep(self, asked: Asked, entry: _Entry) -> None:
        with self._lock:
            self._kept[asked] = entry
            self._kept.move_to_end(asked)
            while len(self._kept) > self._capacity or self._bars() > self._most_bars:
                self._kept.popitem(last=False)

    def _bars(self) -> int:
        return sum(entry.bars for entry in self._kept.values())


def _view(market: Market, at: pd.Timestamp) -> _View:
    """Return what is known at a moment, and between which moments nothing else is."""
    from onward.types import to_ns

    moment = at.as_unit("ns").value
    news: list[Any] = [market.decision_time_ns]
    news += [to_ns(one.frame["available_at"]) for one in market.series.values()]
    known = [int(times[times <= moment].max(initial=EVER.min)) for times in news]
    coming = [int(times[times > moment].min(initial=EVER.max)) for times in news]
    return _View(max(known), min(coming), market.known_at(at))
