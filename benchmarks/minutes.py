"""Three quarters of a million one-minute bars: features, labels and folds, in time and memory."""

from __future__ import annotations

import json
import time

from benchmarks._markets import MINUTES, path_of, skipped
from benchmarks._process import run_code
from benchmarks._table import Row

FOLDS = 5


def work() -> None:
    """Do all of it, and print the seconds of each part as JSON; runs in the child."""
    from benchmarks.manual import pipeline_for
    from onward.data.read import read_market
    from onward.labels import ThresholdLabeler
    from onward.splits import PurgedKFold

    seconds, laps = {}, [time.perf_counter()]

    def lap(name: str) -> None:
        laps.append(time.perf_counter())
        seconds[name] = laps[-1] - laps[-2]

    market = read_market(path_of(MINUTES), timeframe="1m", symbol="FIL/USDT")
    lap("reading")
    features = pipeline_for(market).compute(market)
    lap("features")
    labels = ThresholdLabeler(horizon_bars=24, mode="volatility").label(market)
    lap("labels")
    folds = PurgedKFold(FOLDS).folds(labels.spans)
    lap("folds")
    trained_on = sum(len(fold.train) for fold in folds)
    print(json.dumps({**seconds, "columns": features.shape[1], "rows": len(market), "trained": trained_on}))


def run(quick: bool = False) -> list[Row]:  # noqa: ARG001 - once is enough: memory hardly varies
    missing = skipped("one-minute bars", MINUTES)
    if missing:
        return missing
    child = run_code("from benchmarks.minutes import work; work()")
    said = json.loads(child.output.strip().splitlines()[-1])
    what = f"{said['rows']:,} one-minute bars"
    parts = ", ".join(f"{name} {said[name]:.1f}" for name in ("reading", "features", "labels", "folds"))
    note = f"{said['columns']} columns, labels, row sets of {FOLDS} purged folds"
    return [
        Row(f"{what}: peak memory", child.peak_gb, "GB", "<= 8", f"{note}; peak resident set of a child"),
        Row(f"{what}: time", child.seconds, "s", "", f"imports and reading included; {parts} s"),
    ]
