"""Stretches of the market that are long enough to judge the rows before a cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from onward.audit.table import Difference, StageRunner, Table, differences
from onward.types import IntArray, Market, from_ns

__all__ = ["Bench", "Comparison"]

STRETCH_ROWS = 256
AHEAD_BARS = 256


@dataclass(frozen=True, eq=False)
class Comparison:
    """Differences that one recomputation showed.

    Attributes
    ----------
    leaks
        Columns whose past moved.
    short
        Columns that only differ because the declared lookback is too short.
    error
        The exception, when the stage could not compute the changed market.
    """

    leaks: tuple[Difference, ...] = ()
    short: tuple[Difference, ...] = ()
    error: Exception | None = None


@dataclass(frozen=True, eq=False)
class Bench:
    """A stage, its table on the whole market, and a way to compare it with other histories.

    Attributes
    ----------
    runner
        Computes the stage.
    full
        Table of the whole market.
    lookback
        Bars that the stage says it needs; None when it says nothing, so that only whole
        histories can be compared.
    scope
        ``symbol`` or ``cross_section``.
    """

    runner: StageRunner
    full: Table
    lookback: int | None
    scope: str

    @property
    def market(self) -> Market:
        """The market under audit."""
        return self.full.market

    def compare(self, moment: int, change: Callable[[Market], Market], *, whole: bool = False) -> Comparison:
        """Compare the full run with a run on a changed market, on rows decided by ``moment``.

        Where the declared lookback permits, only a window around the moment is recomputed, and
        the last 256 rows before it are compared; what differs there is checked once more on the
        whole history, which tells a look ahead from a lookback that is too short.
        """
        start = None if whole else self._window_start(moment)
        if start is None:
            return self._compare(change(self.market), moment, first_row=None)
        end = moment + (AHEAD_BARS + 1) * self.market.timeframe_ns
        window = self.market.between(*_as_range(start, end))
        near = self._compare(change(window), moment, first_row=self.lookback)
        if not near.leaks:
            return near
        far = self._compare(change(self.market), moment, first_row=None)
        if far.error is not None:
            return near
        confirmed = {difference.column for difference in far.leaks}
        return Comparison(far.leaks, tuple(d for d in near.leaks if d.column not in confirmed))

    def _compare(self, changed: Market, moment: int, *, first_row: int | None) -> Comparison:
        if len(changed) == 0:
            return Comparison()
        part = self.runner.try_compute(changed)
        if isinstance(part, Exception):
            return Comparison(error=part)
        rows, part_rows = self._common_rows(changed, moment, first_row)
        same_start = first_row is None
        return Comparison(tuple(differences(self.full, rows, part, part_rows, same_start=same_start)))

    def _common_rows(self, changed: Market, moment: int, first_row: int | None) -> tuple[IntArray, IntArray]:
        """Return the rows decided by ``moment`` in the full market and in the changed one."""
        rows, part_rows = [], []
        for symbol, block in changed.rows.items():
            if symbol not in self.market.rows:
                continue
            times = changed.decision_time_ns[block]
            stop = int(np.searchsorted(times, moment, side="right"))
            start = 0 if first_row is None else max(first_row - 1, 0)
            if start >= stop:
                continue
            whole = self.market.rows[symbol]
            at = whole.start + np.searchsorted(self.market.decision_time_ns[whole], times[start:stop])
            rows.append(at)
            part_rows.append(np.arange(block.start + start, block.start + stop))
        if not rows:
            nothing = np.empty(0, dtype=np.int64)
            return nothing, nothing
        return np.concatenate(rows).astype(np.int64), np.concatenate(part_rows).astype(np.int64)

    def _window_start(self, moment: int) -> int | None:
        """Return the open time (ns) at which a window may begin, or None when all is needed."""
        if self.lookback is None:
            return None
        needed = self.lookback + STRETCH_ROWS
        known = int((self.market.decision_time_ns <= moment).sum())
        if needed > 0.6 * known / max(1, len(self.market.rows)):
            return None
        bars_only = self.market.replace(series={})
        return int(bars_only.known_at(from_ns(np.array([moment]))[0]).last(needed).open_time_ns.min())

    def cut_history(self, moment: int) -> Callable[[Market], Market]:
        """Return the change that forgets everything not known at a moment."""
        timestamp = from_ns(np.array([moment]))[0]
        return lambda market: market.known_at(timestamp)

    def columns_of(self, differences_: tuple[Difference, ...]) -> Iterator[tuple[str, Difference]]:
        """Yield the name of each differing column with its difference."""
        for difference in differences_:
            yield self.full.columns[difference.column], difference


def _as_range(start: int, end: int) -> tuple[pd.Timestamp, pd.Timestamp]:
    times = from_ns(np.array([start, end]))
    return times[0], times[1]
