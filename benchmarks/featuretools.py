"""featuretools' definitions by running aggregates, beside featuretools by cutoff times in the same run."""

from __future__ import annotations

import importlib.util
import os
import resource
import time

from benchmarks._clock import best_of, cpu_of, growth
from benchmarks._markets import SERIES, path_of, repeated, skipped
from benchmarks._table import NOT_MEASURED, Row, show
from onward.data.read import read_market
from onward.features.featuretools import FeaturetoolsStage
from onward.types import Market

PERPETUAL = "btc_usdt_perp_1h.parquet"
BESIDE = {name: SERIES[name] for name in ("funding", "fear_greed")}


def perpetual() -> Market:
    """Return the 55,351 hourly bars of the default preset, with funding and fear & greed."""
    series = {name: path_of(file) for name, file in BESIDE.items()}
    return read_market(path_of(PERPETUAL), timeframe="1h", symbol="BTC/USDT", series=series)


def run(quick: bool) -> list[Row]:
    if (missing := skipped("featuretools", PERPETUAL, *BESIDE.values())) is not None:
        return missing
    market = perpetual()
    stage = FeaturetoolsStage.for_market(market, check_rows=0)
    stage.compute(market)
    seconds = best_of(lambda: stage.compute(market), 1 if quick else 5)
    what = f"{len(stage.columns())} columns on {len(market):,} bars"
    load = f"load {os.getloadavg()[0]:.1f}"
    rows = [Row(f"featuretools: {what}, warm", seconds, "s", "<= 3", load)]
    live = market.last(stage.lookback)
    rows.append(
        Row("the newest row", best_of(lambda: stage.compute(live), 20) * 1e3, "ms", "", f"{len(live)} bars")
    )
    rows += _peer(stage, market, cpu_of(lambda: stage.compute(market)), n_rows=40 if quick else 200)
    plain = market.replace(series={})
    alone = FeaturetoolsStage.for_market(plain, check_rows=0)
    sizes = {len(plain) * times: repeated(plain, times) for times in (1, 2, 4, 8)}
    rows.append(growth(alone.compute, sizes, 1 if quick else 3).row("featuretools"))
    return rows


def _peer(stage: FeaturetoolsStage, market: Market, ours: float, n_rows: int) -> list[Row]:
    """Return how many times longer featuretools takes by cutoff times, on a sample of rows.

    Its bars are only those that the sample can see, which favours it: on a whole history every
    query is slower.
    """
    name, target = "times faster than by cutoff times", ">= 200"
    if importlib.util.find_spec("featuretools") is None:
        return [Row(name, NOT_MEASURED, "x", target, "skipped: not installed (the extra automl)")]
    report = stage.verify(market.last(24 * 90), rows=n_rows)
    per_row = report.seconds / report.rows
    ratio = per_row / (ours / len(market))
    before, start = _spent(), time.perf_counter()
    checked = FeaturetoolsStage(stage.definitions, timeframe=stage.timeframe)
    checked.compute(market)
    with_check, cpu = time.perf_counter() - start, _spent() - before
    own = ours / len(market) * 1e6
    note = f"{per_row * 1e3:.0f} ms of CPU a row over {report.rows} rows, equal to 1e-9; ours {own:.1f} us"
    included = f"start and import of the child included; {cpu:.1f} s of CPU"
    return [
        Row(name, ratio, "x", target, note),
        Row("a build with its check of 8 rows", with_check, "s", "", included),
    ]


def _spent() -> float:
    """Return the CPU seconds of this process and of all children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    show(run(quick=False))
