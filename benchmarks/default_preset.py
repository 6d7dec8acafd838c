"""The causal stages of the default plan on six years of real hourly bars: time and memory."""

from __future__ import annotations

import json
import time

from benchmarks._markets import PERPETUAL, perpetual, skipped
from benchmarks._process import run_code
from benchmarks._table import Row


def work() -> None:
    """Compute everything twice and print the seconds of the second time as JSON; runs in the child."""
    from onward.features.pipeline import FeaturePipeline
    from onward.training.plan import TrainingPlan
    from onward.training.stages import make_pipeline

    market = perpetual()
    plan = TrainingPlan.preset("default").with_overrides({"features.featuretools.check_rows": 0})
    pipeline = make_pipeline(plan, market)
    parts = {stage.name: FeaturePipeline([stage]) for stage in pipeline.causal}
    pipeline.compute(market)
    seconds = {name: _timed(lambda part=part: part.compute(market)) for name, part in parts.items()}
    whole = _timed(lambda: pipeline.compute(market))
    said = {"seconds": seconds, "whole": whole, "rows": len(market), "columns": len(pipeline.columns())}
    print(json.dumps(said))


def run(quick: bool = False) -> list[Row]:  # noqa: ARG001 - once is enough
    missing = skipped("the default plan's causal stages", *PERPETUAL)
    if missing:
        return missing
    child = run_code("from benchmarks.default_preset import work; work()")
    said = json.loads(child.output.strip().splitlines()[-1])
    parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in said["seconds"].items())
    what = f"{said['columns']} columns, {said['rows']:,} bars with funding and fear & greed"
    return [
        Row("the default plan's causal stages", said["whole"], "s", "<= 30", f"{what}, warm; {parts} s"),
        Row("the same: peak memory", child.peak_gb, "GB", "<= 3", "peak resident set of a child"),
    ]


def _timed(function) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
