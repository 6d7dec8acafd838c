"""Row by row: the next bars become others, all that the row may know stays, and its values must stay too.

A look one bar ahead on one row in a hundred shows only to a run that changes the very next bar of
such a row. A stage that needs ``lookback`` bars forgets what came before them, so one run can change
8 bars in every ``lookback`` + 8 and ask the row before each change; as many runs, each a bar later,
ask every row. On a few thousand bars that takes milliseconds a run and is done in full, on longer
histories as far as a time budget goes, in an order that favours no hour of the day. The share of
rows that were asked stands in the report. What moved is a suspicion; an exact cut decides.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from onward.audit.cuts import Cut
from onward.audit.stretches import ASSUMED_LOOKBACKS, PRICES, undisturbed
from onward.audit.table import differences
from onward.audit.windows import Bench
from onward.types import BoolArray, IntArray, Market

__all__ = ["Probing", "probe_rows"]

CHANGED_BARS = 8
"""Bars that are changed after a row: looks of up to so many bars ahead show. Longer ones touch so many
rows before each cut that cuts find them."""

FEWEST_SECONDS = 1.5
"""Budget of processor time on short markets, which may take longer than their cheap audit."""

SHORT_BARS = 5_000
SHARE_OF_TIME = 0.1
"""Budget elsewhere, as a share of what the audit has taken so far."""

MOST_CUTS = 6
PLACES_A_COLUMN = 3
STRIKES = 3
"""Runs in which most rows of a column moved, until its memory is taken to be longer than was said."""

REASON = "a value moved when the next bars were changed"


@dataclass(eq=False)
class Probing:
    """What was asked, and what moved.

    Attributes
    ----------
    asked
        Whether each moment was asked, shape (moments,).
    runs
        Recomputations.
    suspects
        Columns that moved, by the position of the moment.
    """

    asked: BoolArray
    runs: int = 0
    suspects: dict[int, set[int]] = field(default_factory=dict)

    def cuts(self, moments: IntArray) -> list[Cut]:
        """Return exact cuts that between them meet every column that moved, `MOST_CUTS` at most."""
        left = {place: set(columns) for place, columns in self.suspects.items()}
        chosen: list[int] = []
        while left and len(chosen) < MOST_CUTS:
            place = max(left, key=lambda p: (len(left[p]), -p))
            covered = left.pop(place)
            chosen.append(place)
            if any(columns - covered for columns in left.values()):
                left = {p: rest for p, columns in left.items() if (rest := columns - covered)}
        return [Cut(int(moments[place]), REASON, whole=True) for place in sorted(chosen)]


def probe_rows(bench: Bench, known: Collection[str], *, spent: float, seed: int = 0) -> Probing:
    """Change the next bars of as many rows as time permits, and see which values of those rows move.

    Parameters
    ----------
    bench
        The stage and its table on the whole market.
    known
        Columns on which nothing more is to be found.
    spent
        Seconds that the audit has taken so far.
    seed
        Chooses the order, and what the bars become.
    """
    market = bench.market
    moments, moment_of_row = np.unique(market.decision_time_ns, return_inverse=True)
    n = len(moments)
    probing = Probing(np.zeros(n, dtype=np.bool_))
    generator = np.random.default_rng(seed)
    open_columns = {i for i, name in enumerate(bench.full.columns) if name not in known}
    budget = max(SHARE_OF_TIME * spent, FEWEST_SECONDS if n <= SHORT_BARS else 0.0)
    started = time.process_time()
    for memory in ASSUMED_LOOKBACKS if bench.lookback is None else (bench.lookback,):
        asking = _Round(bench, memory, moment_of_row, n, generator)
        if n < 2 * asking.period:
            break
        for places in asking.places():
            if not open_columns or _over(budget, started, probing.runs):
                return probing
            if open_columns <= asking.forgetless:
                break
            if asking.ask(places, open_columns, probing):
                probing.asked[places] = True
        open_columns &= asking.forgetless
        if not open_columns:
            break
        # Columns that moved everywhere remember more than was assumed: nothing was asked of them yet.
        probing.asked[:] = False
    return probing


def _over(budget: float, started: float, runs: int) -> bool:
    """Return whether one more run, as long as those before, would be over the budget."""
    taken = time.process_time() - started
    return budget <= 0.0 or taken + taken / max(1, runs) > budget


class _Round:
    """The runs for one length of memory."""

    def __init__(
        self, bench: Bench, memory: int, moment_of_row: IntArray, n: int, generator: np.random.Generator
    ) -> None:
        self.bench, self.memory, self.moment_of_row, self.n = bench, memory, moment_of_row, n
        self.generator = generator
        self.period = memory + CHANGED_BARS
        self.forgetless: set[int] = set()
        self._often: dict[int, int] = {}
        self._everywhere: dict[int, int] = {}

    def places(self) -> Iterator[IntArray]:
        """Yield, for each run, the rows that are asked, a period apart; between them the runs ask all."""
        for first in self.generator.permutation(self.period):
            yield np.arange(first, self.n - 1, self.period, dtype=np.int64)

    def ask(self, places: IntArray, columns: set[int], probing: Probing) -> bool:
        """Change the bars after each place, note what moved at it; say whether it could be computed."""
        changed = np.zeros(self.n, dtype=np.bool_)
        for ahead in range(1, CHANGED_BARS + 1):
            changed[np.minimum(places + ahead, self.n - 1)] = True
        market = self.bench.market
        other = _mirrored(market, changed[self.moment_of_row], self.generator)
        part = self.bench.runner.try_compute(other)
        if isinstance(part, Exception):
            return False
        probing.runs += 1
        is_place = np.zeros(self.n, dtype=np.bool_)
        is_place[places] = True
        rows = np.flatnonzero((is_place & undisturbed(changed, self.memory))[self.moment_of_row])
        for difference in differences(self.bench.full, rows.astype(np.int64), part, rows.astype(np.int64)):
            column = difference.column
            if column not in columns or column in self.forgetless:
                continue
            if difference.n_rows > max(1, 0.5 * len(rows)):
                self._everywhere[column] = self._everywhere.get(column, 0) + 1
                if self._everywhere[column] == STRIKES:
                    self.forgetless.add(column)
            if self._often.get(column, 0) < PLACES_A_COLUMN:
                self._often[column] = self._often.get(column, 0) + 1
                probing.suspects.setdefault(int(self.moment_of_row[difference.row]), set()).add(column)
        return True


def _mirrored(market: Market, rows: BoolArray, generator: np.random.Generator) -> Market:
    """Return the market with the chosen bars on the other side of the last close that was kept.

    Further away than they were, each by an amount of its own: the sign of the return to any of them
    turns round, so that a column that only tells up from down moves too.
    """
    bars = market.bars.copy(deep=True)
    close = bars["close"].to_numpy(np.float64)
    symbols = market.index.get_level_values(0)
    kept = pd.Series(np.where(rows, np.nan, close)).groupby(np.asarray(symbols)).ffill().to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        gone = np.nan_to_num(np.log(close / kept), nan=0.0, posinf=0.0, neginf=0.0)
    side = np.where(gone == 0.0, generator.choice((-1.0, 1.0), len(gone)), -np.sign(gone))
    level = np.exp(side * (2.0 * np.abs(gone) + np.abs(generator.normal(0.0, 0.05, len(gone))) + 1e-3))
    values = bars[PRICES].to_numpy(np.float64, copy=True)
    values[rows] *= level[rows, None]
    volume = bars["volume"].to_numpy(np.float64, copy=True)
    volume[rows] *= np.exp(generator.normal(0.0, 1.0, len(gone)))[rows]
    bars = bars.assign(**{name: values[:, i] for i, name in enumerate(PRICES)}, volume=volume)
    return market.replace(bars=pd.DataFrame(bars))
