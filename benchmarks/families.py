"""Each family of manual features by itself: where the time of `benchmarks.manual` goes."""

from __future__ import annotations

from benchmarks._clock import best_of
from benchmarks._markets import HOURS, SERIES, hours, skipped
from benchmarks._table import Row
from onward.features.manual import ManualFeaturesStage


def run(quick: bool = False) -> list[Row]:
    missing = skipped("families of manual features", HOURS, *SERIES.values())
    if missing:
        return missing
    market = hours(series=True)
    rows = []
    for name in ManualFeaturesStage.for_market(market).families:
        stage = ManualFeaturesStage.for_market(market, [name])
        stage.compute(market)
        seconds = best_of(lambda stage=stage: stage.compute(market), 2 if quick else 4)
        rows.append(Row(f"family {name}", seconds, "s", "", f"{len(stage.columns())} columns"))
    return rows
