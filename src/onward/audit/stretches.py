"""Many other futures in one run: short stretches of bars are changed, and what lies before each must hold.

A cut shows a look ahead only on the few rows before it, so a look ahead on one row in a thousand
slips between cuts. A stage that needs ``lookback`` bars forgets what came before them; so one
recomputation can change a stretch of bars in every ``lookback`` + 64, and the rows before each
stretch are rows before a cut: hundreds of cuts for the price of one. What moves is only a suspicion
(a lookback may be too short); an exact cut at that place decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import cycle

import numpy as np
import pandas as pd

from onward.audit.cuts import Cut
from onward.audit.table import differences
from onward.audit.windows import Bench
from onward.types import BoolArray, FloatArray, IntArray, Market

__all__ = ["ASSUMED_LOOKBACKS", "PRICES", "suspicious_cuts", "undisturbed"]

STRETCH_BARS = 32
"""Bars that are changed at a time, and that are compared before them."""

ASSUMED_LOOKBACKS = (64, 256)
"""Bars of memory of a stage that does not say how many it needs, tried in turn. A column with a
longer memory differs everywhere, and is passed over."""

MOST_CUTS = 3
"""Suspicions that are followed up; each costs a recomputation of the whole history."""

PRICES = ["open", "high", "low", "close"]


def suspicious_cuts(bench: Bench, known: Collection[str], *, seed: int = 0) -> tuple[int, list[Cut]]:
    """Return how many runs were made, and the cuts at which a column seems to look ahead.

    The stretches begin after the bars on which the columns, and then the price, moved most, because
    what looks ahead on few rows tends to do so when something happens; and at places spread evenly.

    Parameters
    ----------
    bench
        The stage and its table on the whole market.
    known
        Columns on which nothing more is to be found.
    seed
        Chooses places and changes.
    """
    market = bench.market
    moments, moment_of_row = np.unique(market.decision_time_ns, return_inverse=True)
    memories = ASSUMED_LOOKBACKS if bench.lookback is None else (bench.lookback,)
    if len(moments) < 4 * _period(max(memories)) or len(known) == len(bench.full.columns):
        return 0, []
    generator = np.random.default_rng(seed)
    suspects: dict[int, set[int]] = {}
    runs = 0
    for number, places in enumerate(_places(bench, moment_of_row, len(moments), memories, generator)):
        memory = memories[number % len(memories)]
        changed = _stretches(places, len(moments))
        part = bench.runner.try_compute(_spliced(market, changed[moment_of_row], generator))
        if isinstance(part, Exception):
            continue
        runs += 1
        rows = np.flatnonzero(undisturbed(changed, memory)[moment_of_row]).astype(np.int64)
        for difference in differences(bench.full, rows, part, rows):
            if bench.full.columns[difference.column] in known or difference.n_rows > 0.5 * len(rows):
                continue  # its memory is longer than was said: it differs everywhere
            position = int(moment_of_row[difference.row])
            place = int(places[np.searchsorted(places, position)]) if position <= places[-1] else position
            suspects.setdefault(place, set()).add(difference.column)
    likely = sorted(suspects, key=lambda place: -len(suspects[place]))[:MOST_CUTS]
    reason = "a value moved when later bars were changed"
    return runs, [Cut(int(moments[place]), reason, whole=True) for place in sorted(likely)]


def _places(
    bench: Bench, moment_of_row: IntArray, n: int, memories: Sequence[int], generator: np.random.Generator
) -> Iterator[IntArray]:
    """Yield sets of positions, after which a stretch begins; each set for the next of the memories."""
    periods = cycle(map(_period, memories))
    for size in (_steps_of_columns(bench), _steps_of_price(bench.market)):
        period = next(periods)
        largest = np.zeros(n)
        np.maximum.at(largest, moment_of_row, size)
        yield _apart(np.argsort(-largest, kind="stable")[: 20 * n // period], n, period)
    for _ in range(2):
        period = next(periods)
        start = int(generator.integers(period // 2, period + period // 2))
        yield np.arange(start, n - 2, period, dtype=np.int64)


def _period(memory: int) -> int:
    return memory + 2 * STRETCH_BARS


def _steps_of_columns(bench: Bench) -> FloatArray:
    """Return the largest step of any column at each row, in mean steps of the column."""
    size = np.zeros(len(bench.full.cells))
    for column in bench.full.cells.T:
        step = np.abs(np.diff(column, prepend=np.nan))
        known = np.isfinite(step)
        mean = float(step[known].mean()) if known.any() else 0.0
        if mean > 0.0:
            np.fmax(size, np.where(known, step / mean, 0.0), out=size)
    return size


def _steps_of_price(market: Market) -> FloatArray:
    close = market.bars["close"].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.abs(np.diff(np.log(close), prepend=np.nan))
    known: FloatArray = np.where(np.isfinite(step), step, 0.0)
    return known


def _apart(wanted: IntArray, n: int, period: int) -> IntArray:
    """Return those of the positions, the first ones first, that keep a period from each other."""
    taken: list[int] = []
    free = np.ones(n, dtype=np.bool_)
    free[:2] = free[n - 2 :] = False
    for position in wanted:
        if free[position]:
            taken.append(int(position))
            free[max(0, position - period + 1) : position + period] = False
    return np.array(sorted(taken) or [n // 2], dtype=np.int64)


def _stretches(places: IntArray, n: int) -> BoolArray:
    changed = np.zeros(n, dtype=np.bool_)
    for place in places:
        changed[place + 1 : place + 1 + STRETCH_BARS] = True
    return changed


def undisturbed(changed: BoolArray, memory: int) -> BoolArray:
    """Return the positions whose last ``memory`` bars, their own included, are all unchanged."""
    n = len(changed)
    last = np.maximum.accumulate(np.where(changed, np.arange(n), -memory - n))
    far: BoolArray = np.arange(n) - last >= memory
    return far


def _spliced(market: Market, rows: BoolArray, generator: np.random.Generator) -> Market:
    """Return the market with a level, and a volume, of its own for each of the chosen bars."""
    bars = market.bars.copy(deep=True)
    level = np.exp(generator.normal(0.0, 0.05, len(bars)))
    loudness = np.exp(generator.normal(0.0, 1.0, len(bars)))
    values = bars[PRICES].to_numpy(np.float64, copy=True)
    values[rows] *= level[rows, None]
    volume = bars["volume"].to_numpy(np.float64, copy=True)
    volume[rows] *= loudness[rows]
    bars = bars.assign(**{name: values[:, i] for i, name in enumerate(PRICES)}, volume=volume)
    return market.replace(bars=pd.DataFrame(bars))
