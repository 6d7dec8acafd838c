"""The stated costs are those of the code, as measured anew."""

from __future__ import annotations

import time

import numpy as np
import pytest

from onward.features.manual import FAMILIES, Alpha158Stage, ManualFeaturesStage
from onward.features.manual.costs import MICROSECONDS
from onward.testing.markets import planted_signal, random_walk
from onward.testing.stages import contract_markets

N_BARS = 70_000
READS = {
    "funding": ("funding",),
    "open_interest": ("open_interest",),
    "leverage": ("funding", "open_interest"),
    "sentiment": ("fear_greed",),
}


def stage_and_market(family):
    if family == "alpha158":
        market = random_walk(N_BARS)
        return Alpha158Stage.for_market(market), market
    if family == "custom_series":
        market = planted_signal(N_BARS)
    elif family == "cross_asset":
        market = random_walk(N_BARS // 3, symbols=("A/USD", "B/USD", "C/USD"))
    elif family in READS:
        market = next(c.market for c in contract_markets(N_BARS) if str(c) == "gaps and side series")
        market = market.replace(series={name: market.series[name] for name in READS[family]})
    else:
        market = random_walk(N_BARS)
    return ManualFeaturesStage.for_market(market, [family]), market


def measured(family):
    stage, market = stage_and_market(family)
    out = np.empty((len(market), len(stage.columns())), dtype=np.float32, order="F")
    seconds = []
    for _ in range(8):
        start = time.process_time()
        stage.compute_into(market, out)
        seconds.append(time.process_time() - start)
    return min(seconds) * 1e6 / out.size


@pytest.mark.slow
def test_every_cost_is_within_a_factor_of_two_of_what_is_measured():
    found = {family: measured(family) for family in (*FAMILIES, "alpha158")}
    ratios = {family: found[family] / MICROSECONDS[family] for family in found}
    speed = float(np.median(list(ratios.values())))  # of this machine against the one of the table
    off = {family: ratio / speed for family, ratio in ratios.items() if not 0.5 <= ratio / speed <= 2.0}
    assert off == {}
