"""Manual features of price, volume and time: warm seconds a family, growth with rows, first compile."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from benchmarks._table import DATA, Row, best_of, show

from onward.features.manual.catalog import FAMILIES
from onward.features.manual.family import Bars, Family

HOUR = 3_600_000_000_000
OWN = ("price", "returns", "moving_average", "volatility", "volume", "temporal")


def load_bars(path: str = "btc_usdt_spot_1h.parquet", timeframe: int = HOUR) -> Bars:
    frame = pd.read_parquet(DATA / path)
    columns = [frame[name].to_numpy(np.float64) for name in ("open", "high", "low", "close", "volume")]
    times = pd.DatetimeIndex(frame["timestamp"]).as_unit("ns").asi8
    return Bars(*columns, times, timeframe, {})


def repeated(bars: Bars, times: int) -> Bars:
    """Return the bars several times over, to see how cost grows with rows."""
    columns = [np.tile(getattr(bars, name), times) for name in ("open", "high", "low", "close", "volume")]
    moments = bars.open_time[0] + bars.timeframe * np.arange(len(bars) * times, dtype=np.int64)
    return Bars(*columns, moments, bars.timeframe, {})


def family(name: str) -> Family:
    module, _, kind = FAMILIES[name].partition(":")
    return getattr(importlib.import_module(module), kind)()


def growth(compute: Callable[[Bars], object], bars: Bars, rounds: int = 5) -> float:
    """Return the exponent of cost against rows: the slope of log CPU seconds over log rows.

    CPU time, and sizes taken in turns, so that a neighbour on the machine tilts nothing.
    """
    sizes = {times * len(bars): repeated(bars, times) for times in (1, 2, 4, 8)}
    costs = dict.fromkeys(sizes, np.inf)
    for _ in range(rounds):
        for rows, longer in sizes.items():
            start = time.process_time()
            compute(longer)
            costs[rows] = min(costs[rows], time.process_time() - start)
    return float(np.polyfit(np.log(list(costs)), np.log(list(costs.values())), 1)[0])


def first_use() -> float:
    """Return the seconds that a fresh process with an empty kernel cache needs for 500 bars."""
    code = (
        "import sys; from benchmarks.features_manual import OWN, family, load_bars, cut;"
        "bars = cut(load_bars(), 500); [family(name).compute(bars) for name in OWN]"
    )
    with tempfile.TemporaryDirectory() as cache:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "NUMBA_CACHE_DIR": cache})
        return time.perf_counter() - start


def cut(bars: Bars, rows: int) -> Bars:
    columns = [getattr(bars, name)[:rows] for name in ("open", "high", "low", "close", "volume")]
    return Bars(*columns, bars.open_time[:rows], bars.timeframe, {})


def run() -> list[Row]:
    if not (DATA / "btc_usdt_spot_1h.parquet").exists():
        return [Row("manual features", float("nan"), note="no market file beside the repository")]
    bars = load_bars()
    families = {name: family(name) for name in OWN}
    rows = []
    for name, one in families.items():
        one.compute(bars)
        seconds = best_of(lambda one=one: one.compute(bars))
        rows.append(Row(f"family {name}", seconds, "s", note=f"{len(one.columns())} columns"))
    columns = sum(len(one.columns()) for one in families.values())
    total = sum(row.value for row in rows)
    rows.append(
        Row("these families together", total, "s", "<= 0.6", f"{columns} columns, {len(bars):,} bars, warm")
    )
    steeper = growth(lambda longer: [one.compute(longer) for one in families.values()], bars)
    rows.append(Row("growth of cost with rows", steeper, "", "<= 1.1", "exponent over 1x to 8x"))
    rows.append(Row("first use, empty kernel cache", first_use(), "s", "<= 20", "imports included, 500 bars"))
    return rows


if __name__ == "__main__":
    show(run())
