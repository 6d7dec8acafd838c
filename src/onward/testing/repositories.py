"""The contract of repositories: what every implementation promises, as checks anyone can run.

Use it in pytest for your own repository::

    from onward.testing import repositories as contract

    @pytest.mark.parametrize("check", contract.CHECKS)
    def test_contract(check, tmp_path):
        check(lambda: MyRepository(tmp_path), contract.rows_of("funding"))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from onward.errors import DataConflictError, DataError, DataNotFoundError, NotEnoughDataError
from onward.types import from_ns

__all__ = ["CHECKS", "Check", "rows_of"]

Make = Callable[[], Any]
Check = Callable[[Make, pd.DataFrame], None]

HOUR = 3_600_000_000_000
START = 1_577_836_800_000_000_000 - 30 * HOUR  # 30 hours before 2020, so that rows span two years
SYMBOL = "BTC/USDT:USDT"


def rows_of(kind: str, n_rows: int = 96, *, seed: int = 7) -> pd.DataFrame:
    """Return hourly rows of a kind (``candles funding open_interest fear_greed``), in order.

    ``timestamp`` is UTC; candles are lawful bars. The rows cross a turn of the year.
    """
    generator = np.random.default_rng(seed)
    step = 24 * HOUR if kind == "fear_greed" else HOUR
    frame = pd.DataFrame({"timestamp": from_ns(START + step * np.arange(n_rows, dtype=np.int64))})
    if kind == "candles":
        close = 100.0 * np.exp(np.cumsum(generator.normal(0.0, 0.01, n_rows)))
        open_ = np.concatenate(([100.0], close[:-1]))
        high, low = np.maximum(open_, close) * 1.001, np.minimum(open_, close) * 0.999
        volume = generator.uniform(1.0, 9.0, n_rows)
        return frame.assign(open=open_, high=high, low=low, close=close, volume=volume)
    if kind == "funding":
        return frame.assign(funding_rate=generator.normal(1e-4, 1e-4, n_rows))
    if kind == "open_interest":
        return frame.assign(open_interest=generator.uniform(1e4, 2e4, n_rows))
    return frame.assign(fear_greed=generator.integers(0, 101, n_rows).astype(float))


def check_reads_what_was_written(make: Make, rows: pd.DataFrame) -> None:
    """Rows come back equal, sorted, UTC, float64, with a plain index."""
    report = make().upsert(SYMBOL, rows)
    assert report.added == len(rows), report
    read = make().read(SYMBOL)
    assert str(read["timestamp"].dtype) == "datetime64[ns, UTC]", read.dtypes
    assert read["timestamp"].is_monotonic_increasing
    assert read["timestamp"].is_unique
    assert list(read.index) == list(range(len(rows)))
    for column in rows.columns.drop("timestamp"):
        assert read[column].dtype == np.float64, column
        np.testing.assert_array_equal(read[column], rows[column])


def check_order_of_rows_does_not_matter(make: Make, rows: pd.DataFrame) -> None:
    """Shuffled rows are stored in order."""
    make().upsert(SYMBOL, rows.sample(frac=1.0, random_state=3))
    pd.testing.assert_series_equal(make().read(SYMBOL)["timestamp"], rows["timestamp"])


def check_twice_is_once(make: Make, rows: pd.DataFrame) -> None:
    """Demand that writing the same rows again changes nothing and says so."""
    make().upsert(SYMBOL, rows)
    before = make().read(SYMBOL)
    report = make().upsert(SYMBOL, rows)
    assert (report.added, report.unchanged, report.replaced, report.refused) == (0, len(rows), 0, 0), report
    assert not report.changed
    pd.testing.assert_frame_equal(make().read(SYMBOL), before)


def check_parts_make_the_whole(make: Make, rows: pd.DataFrame) -> None:
    """Overlapping parts, in any order, add up to the rows written at once."""
    third = len(rows) // 3
    for part in (rows[2 * third - 5 :], rows[: third + 5], rows[third - 5 : 2 * third + 5]):
        make().upsert(SYMBOL, part)
    read = make().read(SYMBOL)
    assert len(read) == len(rows)
    for column in rows.columns:
        assert list(read[column]) == list(rows[column]), column


def check_ranges_are_half_open(make: Make, rows: pd.DataFrame) -> None:
    """Demand that a read starts at ``start`` and ends before ``end``."""
    make().upsert(SYMBOL, rows)
    start, end = rows["timestamp"].iloc[10], rows["timestamp"].iloc[50]
    read = make().read(SYMBOL, start=start, end=end)["timestamp"]
    assert (read.iloc[0], read.iloc[-1], len(read)) == (start, rows["timestamp"].iloc[49], 40)
    assert len(make().read(SYMBOL, start=end, end=start)) == 0


def check_conflicts_are_reported(make: Make, rows: pd.DataFrame) -> None:
    """Demand that a row which disagrees with the stored one is reported and resolved the same way."""
    make().upsert(SYMBOL, rows)
    other = rows.iloc[[20]].copy()
    column = "volume" if "volume" in rows.columns else rows.columns[-1]
    other[column] = other[column] + 1.0
    report = make().upsert(SYMBOL, other)
    assert report.replaced + report.refused == 1, report
    (conflict,) = report.conflicts
    assert conflict.timestamp == rows["timestamp"].iloc[20]
    assert conflict.stored[column] + 1.0 == conflict.offered[column]
    kept = conflict.offered if conflict.kept == "offered" else conflict.stored
    assert make().read(SYMBOL)[column].iloc[20] == kept[column]
    assert make().upsert(SYMBOL, other).changed is False


def check_symbols_stay_apart(make: Make, rows: pd.DataFrame) -> None:
    """Symbols with awkward names neither mix nor leave the store."""
    names = ["BTC/USDT", "BTC%2FUSDT", "../evil", "..", "binance:BTC", "a.b", "btc usdt", "Ünï/¥"]
    for i, name in enumerate(names):
        make().upsert(name, rows.iloc[: i + 2])
    assert make().symbols() == sorted(names)
    for i, name in enumerate(names):
        assert len(make().read(name)) == i + 2, name


def check_unknown_symbol_is_empty(make: Make, rows: pd.DataFrame) -> None:
    """Demand that a symbol that is not stored reads as no rows with the same columns."""
    make().upsert(SYMBOL, rows)
    empty = make().read("NOBODY/USD")
    assert len(empty) == 0
    assert list(empty.columns) == list(make().read(SYMBOL).columns)
    assert make().symbols() == [SYMBOL]


def check_bad_rows_change_nothing(make: Make, rows: pd.DataFrame) -> None:
    """Rows without values, with infinities or without columns are refused whole."""
    make().upsert(SYMBOL, rows)
    before = make().read(SYMBOL)
    value = rows.columns[1]
    for bad in (
        rows.drop(columns=value),
        rows.drop(columns="timestamp").reset_index(drop=True),
        rows.assign(**{value: [np.nan, *rows[value].iloc[1:]]}),
        rows.assign(**{value: [*rows[value].iloc[:-1], np.inf]}),
    ):
        try:
            make().upsert(SYMBOL, bad)
        except DataError:
            pass
        else:
            raise AssertionError(f"accepted {bad.head(1).to_dict()}")
    pd.testing.assert_frame_equal(make().read(SYMBOL), before)


def check_coverage_counts(make: Make, rows: pd.DataFrame) -> None:
    """Coverage names the first and last row, the count, and the hole in between."""
    make().upsert(SYMBOL, rows[:30])
    assert make().coverage(SYMBOL).longest_gap == pd.Timedelta(0), "rows that follow each other leave no gap"
    make().upsert(SYMBOL, rows[33:])
    coverage = make().coverage(SYMBOL)
    assert (coverage.first, coverage.last) == (rows["timestamp"].iloc[0], rows["timestamp"].iloc[-1])
    assert (coverage.rows, coverage.gaps, coverage.missing) == (len(rows) - 3, 1, 3)
    assert coverage.longest_gap == rows["timestamp"].iloc[33] - rows["timestamp"].iloc[29]


def check_a_removed_series_is_as_if_it_had_never_been(make: Make, rows: pd.DataFrame) -> None:
    """Demand that a removal says what goes, leaves other symbols alone, and is undone by a write."""
    make().upsert(SYMBOL, rows)
    make().upsert("ETH/USDT", rows)
    told = make().removal(SYMBOL)
    assert (told.rows, told.left, told.symbol) == (len(rows), 0, SYMBOL), told
    assert (told.first, told.last) == (rows["timestamp"].iloc[0], rows["timestamp"].iloc[-1])
    assert len(make().read(SYMBOL)) == len(rows), "looking removes nothing"
    assert make().remove(SYMBOL) == told
    assert make().symbols() == ["ETH/USDT"]
    assert len(make().read(SYMBOL)) == 0
    for again in (make().remove, make().removal):
        try:
            again(SYMBOL)
        except DataNotFoundError:
            continue
        raise AssertionError("what is gone was found")
    assert make().upsert(SYMBOL, rows[:7]).added == 7
    assert len(make().read(SYMBOL)) == 7
    assert len(make().read("ETH/USDT")) == len(rows)


def check_a_part_is_removed(make: Make, rows: pd.DataFrame) -> None:
    """Demand that ``start`` goes and ``end`` stays, over a turn of the year; the rest is untouched."""
    make().upsert(SYMBOL, rows)
    start, end = rows["timestamp"].iloc[10], rows["timestamp"].iloc[50]
    report = make().remove(SYMBOL, start=start, end=end)
    assert (report.rows, report.left) == (40, len(rows) - 40), report
    assert (report.first, report.last) == (start, rows["timestamp"].iloc[49])
    left = make().read(SYMBOL)[list(rows.columns)]
    pd.testing.assert_frame_equal(left, rows.drop(index=range(10, 50)).reset_index(drop=True))
    make().remove(SYMBOL, end=end)
    make().remove(SYMBOL, start=rows["timestamp"].iloc[-1])
    assert list(make().read(SYMBOL)["timestamp"]) == list(rows["timestamp"][50:-1])
    make().remove(SYMBOL, start=end, end=rows["timestamp"].iloc[-1])
    assert make().symbols() == [], "a series of which nothing stays is none"


def check_removals_that_hit_nothing_change_nothing(make: Make, rows: pd.DataFrame) -> None:
    """Demand a refusal of ranges without rows, and of a series that changed since it was looked at."""
    make().upsert(SYMBOL, rows[:60])
    seen = make().removal(SYMBOL).state
    after = rows["timestamp"].iloc[-1]
    make().upsert(SYMBOL, rows[60:80])
    for refused, arguments in (
        (DataConflictError, {"seen": seen}),
        (NotEnoughDataError, {"start": after}),
        (NotEnoughDataError, {"start": rows["timestamp"].iloc[9], "end": rows["timestamp"].iloc[9]}),
    ):
        try:
            make().remove(SYMBOL, **arguments)
        except refused:
            continue
        raise AssertionError(f"removed with {arguments}")
    assert len(make().read(SYMBOL)) == 80
    assert make().remove(SYMBOL, seen=make().removal(SYMBOL).state).rows == 80


def check_a_prepared_removal_waits_for_its_word(make: Make, rows: pd.DataFrame) -> None:
    """Demand that a removal that is prepared shows nothing before it is said to count."""
    make().upsert(SYMBOL, rows)
    start = rows["timestamp"].iloc[70]
    with make().prepare_removal(SYMBOL, start=start) as prepared:
        assert prepared.report.rows == len(rows) - 70
    assert len(make().read(SYMBOL)) == len(rows)
    with make().prepare_removal(SYMBOL, start=start) as prepared:
        assert len(make().read(SYMBOL)) == len(rows)
        prepared.swap()
        assert len(make().read(SYMBOL)) == 70
    assert len(make().read(SYMBOL)) == 70


CHECKS: tuple[Check, ...] = (
    check_reads_what_was_written,
    check_order_of_rows_does_not_matter,
    check_twice_is_once,
    check_parts_make_the_whole,
    check_ranges_are_half_open,
    check_conflicts_are_reported,
    check_symbols_stay_apart,
    check_unknown_symbol_is_empty,
    check_bad_rows_change_nothing,
    check_coverage_counts,
    check_a_removed_series_is_as_if_it_had_never_been,
    check_a_part_is_removed,
    check_removals_that_hit_nothing_change_nothing,
    check_a_prepared_removal_waits_for_its_word,
)
"""Every promise of a repository."""
