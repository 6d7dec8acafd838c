"""How a stage behaves: same input, same output; input untouched; symbols kept apart; values it owns up to."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.audit.perturbation import perturb_future
from onward.audit.report import Ledger
from onward.audit.table import StageRunner, Table, differences, private_copy
from onward.audit.windows import Bench
from onward.errors import AuditError
from onward.protocols import CausalStage
from onward.types import INDEX_NAMES, Finding, IntArray, Market, SideSeries

__all__ = ["check_contract", "check_determinism", "check_mutation", "check_provenance", "check_symbols"]

GREGORIAN_WEEKS = pd.Timedelta(days=10_227)
"""28 years: within 1901-2099 the same dates fall on the same weekdays, leap years included."""


def check_contract(stage: CausalStage, full: Table, lookback: int | None, ledger: Ledger) -> None:
    """Hold names, prefixes, finiteness and the declared lookback against the stage's promises."""
    ledger.runs += 1
    declared = tuple(stage.columns())
    if declared and declared != full.columns:
        odd = sorted(set(declared) ^ set(full.columns)) or ["the order"]
        ledger.add(
            Finding("contract", "leak", "columns()", "", f"declared and computed columns differ in {odd[:5]}")
        )
    if lookback is not None and lookback < 1:
        ledger.add(Finding("contract", "leak", "lookback", "", f"{lookback} bars; at least 1 is needed"))
    for column in np.flatnonzero(np.isinf(full.cells).any(axis=0)):
        row = int(np.flatnonzero(np.isinf(full.cells[:, column]))[0])
        name = full.columns[int(column)]
        ledger.add(Finding("contract", "warning", name, full.row_name(row), "infinite; use NaN instead"))
    for number in range(len(full.columns)):
        _warn_of_a_trace(full, number, ledger)


def _warn_of_a_trace(full: Table, column: int, ledger: Ledger) -> None:
    """Warn of a column that varies, but by less than any comparison of two runs may notice."""
    values = full.cells[:, column]
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return
    varies, size = float(np.ptp(finite)), float(np.abs(finite).max())
    if 0.0 < varies <= float(full.tolerance[column]) * size:
        detail = (
            f"all its values lie within {varies:.3g} of each other at a size of {size:.6g}: so little that "
            "it cannot be judged; scale the column, or leave it out"
        )
        ledger.add(Finding("contract", "warning", full.columns[column], "", detail))


def check_determinism(bench: Bench, market: Market, ledger: Ledger) -> None:
    """Compute the same market twice; every value must come back bit for bit."""
    again = bench.runner.compute(market)
    first, second = _aligned(bench.full, again)
    ledger.runs += 1
    for column in np.flatnonzero(~((first == second) | (np.isnan(first) & np.isnan(second))).all(axis=0)):
        before, after = first[:, column], second[:, column]
        row = int(np.flatnonzero((before != after) & ~(np.isnan(before) & np.isnan(after)))[0])
        detail = f"first run {before[row]:.12g}, second run {after[row]:.12g} on the same input"
        ledger.add(Finding("determinism", "leak", again.columns[int(column)], again.row_name(row), detail))


def check_mutation(runner: StageRunner, market: Market, ledger: Ledger) -> None:
    """Hand the stage a copy and see whether it wrote into it."""
    copy = private_copy(market)
    runner.compute(copy, in_place=True)
    ledger.runs += 1
    if not copy.bars.equals(market.bars) or list(copy.bars.columns) != list(market.bars.columns):
        before, after = set(market.bars.columns), set(copy.bars.columns)
        changed = sorted(map(str, after ^ before)) or [
            str(c) for c in market.bars if not copy.bars[c].equals(market.bars[c])
        ]
        detail = f"the stage modified the bars it was given: {changed[:5]}"
        ledger.add(Finding("input_mutation", "leak", "bars", "", detail))
    for name, side in market.series.items():
        if not copy.series[name].frame.equals(side.frame):
            detail = "the stage modified the side series it was given"
            ledger.add(Finding("input_mutation", "leak", name, "", detail))


def check_symbols(bench: Bench, ledger: Ledger) -> None:
    """Change every other symbol, past included; a stage of scope ``symbol`` must not notice.

    A market of one symbol gets an invented neighbour on either side, so that windows that run
    over from one symbol into the next one show.
    """
    market = bench.market
    lookback = bench.lookback
    if lookback is not None:
        newest = market.last(lookback + 256)
        market = market.between(newest.open_time[0], None) if len(newest) else market
    panel = market if len(market.symbols) > 1 else _with_neighbours(market)
    reference = bench.runner.try_compute(panel)
    if isinstance(reference, Exception):
        ledger.note = f"a panel could not be computed: {type(reference).__name__}: {reference}"[:200]
        return
    symbols = panel.symbols if len(market.symbols) > 1 else market.symbols
    for symbol in symbols[:2]:
        for changed in (_others_changed(panel, symbol), panel.select([symbol])):
            part = bench.runner.try_compute(changed)
            if isinstance(part, Exception):
                ledger.note = f"a changed panel could not be computed: {type(part).__name__}: {part}"[:200]
                continue
            ledger.runs += 1
            rows, part_rows = _block(panel, symbol), _block(changed, symbol)
            for difference in differences(reference, rows, part, part_rows):
                ledger.add(
                    Finding(
                        "symbol_mixing",
                        "leak",
                        reference.columns[difference.column],
                        reference.row_name(difference.row),
                        f"{difference.says('after changing the other symbols')}; its scope is 'symbol'",
                    )
                )


def check_provenance(bench: Bench, ledger: Ledger) -> None:
    """Warn of columns that follow neither from the market nor from the calendar.

    Every price, volume and side value is changed: a column that does not move does not come from
    the market. Then every stamp moves by 28 years, which keeps hour, weekday and date: a column
    that changes now was looked up by its moment, and no recomputation can tell what it knew.
    """
    lookback = bench.lookback
    market = bench.market if lookback is None else bench.market.last(lookback + 256)
    plain = bench.runner.try_compute(market)
    beginning = int(market.decision_time_ns.min()) - 1
    other = bench.runner.try_compute(perturb_future(market, beginning, "scramble", seed=5))
    later = bench.runner.try_compute(_moved(market, GREGORIAN_WEEKS))
    if isinstance(plain, Exception) or isinstance(other, Exception):
        return
    ledger.runs += 2
    every = np.arange(len(market), dtype=np.int64)
    moved = {d.column for d in differences(plain, every, other, every)}
    for column, name in enumerate(plain.columns):
        if column in moved or np.isnan(plain.cells[:, column]).all():
            continue
        known, lost = plain.cells[:, column], None
        if not isinstance(later, Exception):
            lost = later.cells[:, column]
        if lost is None or not np.array_equal(known, lost, equal_nan=True):
            detail = (
                "follows neither from the market nor from the calendar: it was read elsewhere, "
                "and what it knew at each moment cannot be audited; give it to the market as a side series"
            )
            ledger.add(Finding("provenance", "warning", name, "", detail))


def _aligned(first: Table, second: Table) -> tuple[np.ndarray, np.ndarray]:
    if first.columns != second.columns:
        raise AuditError(
            "The stage gives other columns when it computes the same market again",
            got=sorted(set(first.columns) ^ set(second.columns))[:5],
            allowed="the same columns in the same order on every run",
        )
    return first.cells, second.cells


def _block(market: Market, symbol: str) -> IntArray:
    rows = market.rows[symbol]
    return np.arange(rows.start, rows.stop, dtype=np.int64)


def _with_neighbours(market: Market) -> Market:
    symbol = market.symbols[0]
    before = perturb_future(market, 0, "rise", seed=1).bars
    after = perturb_future(market, 0, "scramble", seed=2).bars
    named = {f" {symbol}": before, symbol: market.bars, f"{symbol}~": after}
    parts = []
    for name, bars in named.items():
        part = bars.copy()
        part.index = pd.MultiIndex.from_product([[name], market.open_time], names=INDEX_NAMES)
        parts.append(part)
    return market.replace(bars=pd.concat(parts))


def _others_changed(market: Market, symbol: str) -> Market:
    changed = perturb_future(market, 0, "mirror", seed=3)
    bars = changed.bars.copy()
    rows = market.rows[symbol]
    bars.iloc[rows] = market.bars.iloc[rows]
    series = {}
    for name, side in market.series.items():
        frame = changed.series[name].frame.copy()
        own = frame["symbol"].isin(["", symbol]).to_numpy()
        frame.loc[own, list(side.values)] = side.frame.loc[own, list(side.values)]
        series[name] = SideSeries(name, frame)
    return Market(bars, market.timeframe, series)


def _moved(market: Market, by: pd.Timedelta) -> Market:
    index = pd.MultiIndex.from_arrays(
        [market.index.get_level_values(0), market.open_time + by], names=INDEX_NAMES
    )
    series = {}
    for name, side in market.series.items():
        frame = side.frame.copy()
        frame["timestamp"] += by
        frame["available_at"] += by
        series[name] = SideSeries(name, frame)
    return Market(market.bars.set_axis(index), market.timeframe, series)
