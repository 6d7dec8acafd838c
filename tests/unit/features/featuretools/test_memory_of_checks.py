"""What a process remembers of its comparisons with featuretools does not grow with the months."""

from __future__ import annotations

import pytest

from onward.features.featuretools import FeaturetoolsStage
from onward.features.featuretools import stage as module
from onward.features.featuretools.check import CheckReport
from onward.features.featuretools.compared import ComparedBuilds
from onward.testing.markets import random_walk


def test_the_newest_comparisons_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def compare(*arguments: object) -> CheckReport:
        compared.append(1)
        return CheckReport("passed")

    remembered = ComparedBuilds(limit=3)
    monkeypatch.setattr(module, "COMPARED", remembered)
    monkeypatch.setattr(module, "check_sample", compare)
    market = random_walk(1_200)
    stage = FeaturetoolsStage.for_market(market, columns=["log_return"], parents=["day"])
    ranges = [market.replace(bars=market.bars.iloc[first:]) for first in range(5)]
    for part in ranges:
        stage.compute(part)
        stage.compute(part)
    assert len(compared) == 5
    assert len(remembered) == 3
    stage.compute(ranges[4])
    assert len(compared) == 5
    stage.compute(ranges[0])
    assert len(compared) == 6
