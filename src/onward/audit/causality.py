"""The three questions put to every column: truncate the future, change it, feed only the newest bars."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from onward.audit.cuts import Cut
from onward.audit.perturbation import STYLES, perturb_future
from onward.audit.probes import probe_rows
from onward.audit.report import Ledger
from onward.audit.stretches import suspicious_cuts
from onward.audit.table import Difference, differences
from onward.audit.windows import Bench, Comparison
from onward.errors import NotEnoughDataError
from onward.types import Finding, IntArray, Market, from_ns

__all__ = ["check_availability", "check_latest", "check_perturbation", "check_truncation"]

Step = Callable[[str], None]


def check_truncation(bench: Bench, cuts: Sequence[Cut], ledger: Ledger, step: Step) -> None:
    """Recompute on what was known at each cut; no value decided before it may differ."""
    failures: list[Exception] = []
    for cut in cuts:
        seen = bench.compare(cut.moment, bench.cut_history(cut.moment), whole=cut.whole)
        step("truncation")
        ledger.runs += seen.error is None
        if seen.error is not None:
            failures.append(seen.error)
        _record(bench, seen, "truncation", cut=cut, told="known then", ledger=ledger)
        if len(ledger.found("truncation")) == len(bench.full.columns):
            break
    _note_failures(failures, ledger)
    if failures and ledger.runs == 0:
        ledger.add(
            Finding(
                "truncation",
                "leak",
                "all columns",
                "",
                f"the stage computes the whole history but none of {len(failures)} shorter ones, so it "
                f"needs data from the future of every cut: {_shown(failures[0])}",
            )
        )


def check_perturbation(bench: Bench, cuts: Sequence[Cut], ledger: Ledger, step: Step) -> None:
    """Change everything after each cut in every style; no value decided before it may move.

    Then change short stretches all over the history at once, and the next bars of row after row,
    and cut exactly where a value moved with what came after it (`onward.audit.stretches`,
    `onward.audit.probes`).
    """
    started = time.perf_counter()
    failures: list[Exception] = []
    for cut, style, whole in _perturbation_plan(cuts):
        seen = bench.compare(cut.moment, _changed(cut.moment, style), whole=whole)
        step("perturbation")
        ledger.runs += seen.error is None
        if seen.error is not None:
            failures.append(seen.error)
        _record(bench, seen, "perturbation", cut=cut, told=f"with another future ({style})", ledger=ledger)
        if len(ledger.found("perturbation")) == len(bench.full.columns):
            break
    found = ledger.found("truncation") | ledger.found("perturbation")
    runs, suspicious = suspicious_cuts(bench, found)
    ledger.runs += runs
    _follow_up(bench, suspicious, ledger, step)
    found = ledger.found("truncation") | ledger.found("perturbation")
    spent = sum(check.seconds for check in ledger.checks) + time.perf_counter() - started
    probing = probe_rows(bench, found, spent=spent)
    ledger.runs += probing.runs
    moments = np.unique(bench.market.decision_time_ns)
    _follow_up(bench, probing.cuts(moments), ledger, step)
    cut_at = np.isin(moments, [cut.moment for cut in cuts])
    if len(found) < len(bench.full.columns):
        ledger.rows_probed = float((probing.asked | cut_at).mean())
    _note_failures(failures, ledger)


def _follow_up(bench: Bench, suspicious: Sequence[Cut], ledger: Ledger, step: Step) -> None:
    """Cut exactly where something moved; where that shows nothing, let another future follow."""
    for cut in suspicious:
        known = len(ledger.findings)
        for told, change in (
            ("known then", bench.cut_history(cut.moment)),
            ("with another future (mirror)", _changed(cut.moment, "mirror")),
        ):
            seen = bench.compare(cut.moment, change, whole=True)
            step("perturbation")
            ledger.runs += seen.error is None
            _record(bench, seen, "perturbation", cut=cut, told=told, ledger=ledger)
            if len(ledger.findings) > known:
                break


def check_availability(bench: Bench, cuts: Sequence[Cut], ledger: Ledger, step: Step) -> None:
    """Every source says when it was known, and no column uses a value before that moment."""
    failures: list[Exception] = []
    for name, side in bench.market.series.items():
        _check_stamps(name, side.frame, ledger)
        ledger.runs += 1
        moments = [cut for cut in cuts if name in cut.reason] or list(cuts[-2:])
        for cut, style in zip(_cycled(moments, 3), ("rise", "remove", "fall"), strict=True):
            change = _changed(cut.moment, style, series=(name,))
            seen = bench.compare(cut.moment, change, whole=style == "rise")
            step("availability")
            ledger.runs += seen.error is None
            if seen.error is not None:
                failures.append(seen.error)
            told = f"after changing {name} values not yet available ({style})"
            _record(bench, seen, "availability", cut=cut, told=told, ledger=ledger)
    _note_failures(failures, ledger)


def check_latest(bench: Bench, ledger: Ledger, step: Step, *, rows: int = 5) -> None:
    """Feed exactly ``lookback`` bars; the newest row must equal the batch value.

    Columns on which the earlier checks found the declared lookback too short are taken up here.
    A column that fails is told from how many bars it agrees, found by doubling and bisection.
    Columns that look ahead are left out: their batch value is the wrong one.
    """
    assert bench.lookback is not None
    leaking = ledger.found("truncation") | ledger.found("perturbation") | ledger.found("availability")
    failing: dict[str, Difference] = {}
    for moment in _latest_moments(bench, rows):
        seen = _latest(bench, moment, bench.lookback)
        step("batch = latest")
        if isinstance(seen, Exception):
            ledger.note = f"{bench.lookback} bars could not be computed: {_shown(seen)}"
            continue
        ledger.runs += 1
        for difference in seen:
            failing.setdefault(bench.full.columns[difference.column], difference)
    for column, difference in ledger.short.items():
        failing.setdefault(column, difference)
    failing = {column: difference for column, difference in failing.items() if column not in leaking}
    needed = _needed_lookback(bench, failing, step)
    for column, difference in failing.items():
        enough = needed.get(column)
        remedy = f"it agrees from about {enough} bars on" if enough else "it agrees from no shorter history"
        row = bench.full.row_name(difference.row)
        detail = f"{difference.says(f'from the newest {bench.lookback} bars')}; {remedy}"
        ledger.add(Finding("batch_equals_latest", "leak", column, row, detail))


def _record(bench: Bench, seen: Comparison, check: str, *, cut: Cut, told: str, ledger: Ledger) -> None:
    when = from_ns(np.array([cut.moment]))[0].isoformat()
    for column, difference in bench.columns_of(seen.leaks):
        detail = f"{difference.says(told)}; cut at {when} ({cut.reason})"
        ledger.add(Finding(check, "leak", column, bench.full.row_name(difference.row), detail))
    for column, difference in bench.columns_of(seen.short):
        ledger.short.setdefault(column, difference)


def _perturbation_plan(cuts: Sequence[Cut]) -> Iterator[tuple[Cut, str, bool]]:
    """Pair every style with cuts: once over whole histories, then around the cuts themselves.

    Whole-sample fits leak from anywhere, so ``rise``, ``fall`` and ``remove`` are tried on whole
    histories; the other pairs may use windows.
    """
    late = [cut for cut in cuts if cut.reason != "warm-up"] or list(cuts)
    early = [cut for cut in cuts if cut.reason == "warm-up"] or list(cuts)
    third = late[len(late) // 3]
    yield third, "rise", True
    yield third, "fall", True
    yield early[len(early) // 2], "scramble", True
    yield late[2 * len(late) // 3], "remove", True
    yield late[-1], "extend", True
    for number, cut in enumerate(late):
        yield cut, STYLES[number % len(STYLES)], False
        if cut.reason.startswith("rare"):
            yield cut, ("mirror", "constant", "rise", "fall")[number % 4], False


def _changed(moment: int, style: str, series: Sequence[str] | None = None) -> Callable[[Market], Market]:
    return lambda market: perturb_future(
        market, moment, style, seed=moment % 1_000_003, bars=series is None, series=series
    )


def _cycled(cuts: Sequence[Cut], count: int) -> list[Cut]:
    return [cuts[i % len(cuts)] for i in range(count)] if cuts else []


def _check_stamps(name: str, frame: pd.DataFrame, ledger: Ledger) -> None:
    early = frame["available_at"] < frame["timestamp"]
    if early.any():
        first = frame[early].iloc[0]
        ledger.add(
            Finding(
                "availability",
                "warning",
                name,
                "",
                f"{int(early.sum())} values are available before their own stamp, the first stamped "
                f"{first['timestamp']} and available {first['available_at']}",
            )
        )
    if frame["available_at"].isna().any():
        n_missing = int(frame["available_at"].isna().sum())
        ledger.add(Finding("availability", "warning", name, "", f"{n_missing} values never become available"))


def _latest_moments(bench: Bench, count: int) -> list[int]:
    moments: IntArray = np.unique(bench.market.decision_time_ns)
    first = min(bench.lookback or 1, len(moments)) - 1
    picked = np.linspace(first + (len(moments) - 1 - first) // (count + 1), len(moments) - 1, count)
    return [int(moments[i]) for i in np.unique(picked.astype(np.int64))]


def _latest(bench: Bench, moment: int, lookback: int) -> list[Difference] | Exception:
    window = bench.market.known_at(from_ns(np.array([moment]))[0]).last(lookback)
    part = bench.runner.try_compute(window)
    if isinstance(part, Exception):
        return part
    rows, part_rows = [], []
    for symbol, block in window.rows.items():
        long_enough = block.stop - block.start >= lookback
        at = bench.market.index.get_loc(window.index[block.stop - 1])
        symbol_start = bench.market.rows[symbol].start
        # A symbol with fewer bars in the window than it has in history was cut by another one's calendar.
        if isinstance(at, int) and (long_enough or at - symbol_start + 1 == block.stop - block.start):
            rows.append(at)
            part_rows.append(block.stop - 1)
    return list(
        differences(bench.full, np.array(rows, np.int64), part, np.array(part_rows, np.int64)) if rows else ()
    )


def _needed_lookback(bench: Bench, failing: dict[str, Difference], step: Step) -> dict[str, int]:
    """Return, by column, a number of bars from which it equals its batch value.

    All columns share the probes, at the latest of their failing rows: doubling finds a number for
    each, bisection then sharpens that of the neediest one.
    """
    if not failing:
        return {}
    assert bench.lookback is not None
    moment = max(int(bench.market.decision_time_ns[d.row]) for d in failing.values())
    known = int((bench.market.decision_time_ns <= moment).sum())
    needed: dict[str, int] = {}

    def agreeing(n_bars: int) -> set[str]:
        seen = _latest(bench, moment, n_bars)
        step("lookback")
        if isinstance(seen, Exception):
            return set()
        return set(failing) - {bench.full.columns[d.column] for d in seen}

    low, high = bench.lookback, 2 * bench.lookback
    while high < known and len(needed) < len(failing):
        for column in agreeing(high) - set(needed):
            needed[column] = high
        low, high = (low, high) if len(needed) == len(failing) else (high, 2 * high)
    if len(needed) < len(failing):
        return needed
    neediest = [column for column, n_bars in needed.items() if n_bars == high]
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if set(neediest) <= agreeing(middle) else (middle, high)
    return needed | dict.fromkeys(neediest, high)


def _note_failures(failures: Sequence[Exception], ledger: Ledger) -> None:
    serious = [error for error in failures if not isinstance(error, NotEnoughDataError)]
    if serious:
        ledger.note = f"{len(serious)} runs could not be computed: {_shown(serious[0])}"


def _shown(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else ""
    return f"{type(error).__name__}: {text[:160]}"
