"""All manual features of 70,006 hourly bars, through the pipeline as a training computes them."""

from __future__ import annotations

from benchmarks._clock import best_of, growth
from benchmarks._markets import HOURS, SERIES, hours, repeated, skipped
from benchmarks._table import Row
from onward.features.manual import ManualFeaturesStage
from onward.features.pipeline import FeaturePipeline
from onward.types import Market


def pipeline_for(market: Market) -> FeaturePipeline:
    return FeaturePipeline([ManualFeaturesStage.for_market(market)])


def run(quick: bool = False) -> list[Row]:
    missing = skipped("all manual features", HOURS, *SERIES.values())
    if missing:
        return missing
    bars, panel = hours(), hours(series=True)
    return [
        _timed("all manual features", bars, quick),
        _timed("with funding, open interest, fear & greed", panel, quick),
        _growth(bars, quick),
    ]


def _timed(name: str, market: Market, quick: bool) -> Row:
    pipeline = pipeline_for(market)
    pipeline.compute(market)
    seconds = best_of(lambda: pipeline.compute(market), 3 if quick else 7)
    note = f"{len(pipeline.columns())} columns, {len(market):,} bars, float32 matrix, warm"
    return Row(name, seconds, "s", "<= 1.5", note)


def _growth(market: Market, quick: bool) -> Row:
    longer = {times * len(market): repeated(market, times) for times in (1, 2, 4, 8)}
    return growth(pipeline_for(market).compute, longer, 2 if quick else 4).row("manual features")
