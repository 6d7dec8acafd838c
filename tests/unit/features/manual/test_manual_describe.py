"""What the manual stages say about their columns is true."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.features.description import DescribedStage
from onward.features.manual import FAMILIES, Alpha158Stage, ManualFeaturesStage
from onward.features.manual.costs import MICROSECONDS
from onward.testing.stages import contract_markets

CASES = {str(case): case.market for case in contract_markets(1_450)}
STAGES = [ManualFeaturesStage, Alpha158Stage]


@pytest.mark.parametrize("kind", STAGES)
@pytest.mark.parametrize("case", CASES)
def test_every_column_is_described_in_order(case, kind):
    stage = kind.for_market(CASES[case])
    told = stage.describe()
    assert isinstance(stage, DescribedStage)
    assert tuple(feature.column for feature in told) == stage.columns()
    assert {feature.stage for feature in told} == {stage.name}
    by_family = {name: tuple(f.column for f in told if f.family == name) for name in stage.families}
    assert by_family == dict(stage.columns_by_family())
    assert max(feature.lookback for feature in told) == stage.lookback
    assert all(feature.microseconds > 0 for feature in told)


def test_every_family_has_a_cost():
    assert set(MICROSECONDS) == {*FAMILIES, "alpha158"}
    assert all(0.001 < cost < 1.0 for cost in MICROSECONDS.values())


def test_windows_move_the_lookback_of_their_columns_alone():
    hour = pd.Timedelta("1h")
    stage = ManualFeaturesStage(["returns"], options={"returns": {"windows": [3, 500]}}, timeframe=hour)
    lookbacks = {feature.column: feature.lookback for feature in stage.describe()}
    assert min(lookbacks.values()) < 10
    assert max(lookbacks.values()) > 500


@pytest.mark.parametrize("kind", STAGES)
def test_a_column_needs_no_more_bars_than_it_says(kind):
    market = CASES["gaps and side series"]
    stage = kind.for_market(market)
    whole = stage.compute(market)
    scale = whole.tail(600).std().fillna(0.0) + whole.tail(600).abs().max().fillna(0.0)
    told = stage.describe()
    lookbacks = sorted({feature.lookback for feature in told})
    assert len(lookbacks) > 5
    for lookback in lookbacks:
        columns = [feature.column for feature in told if feature.lookback == lookback]
        live = stage.compute(market.last(lookback)).iloc[-1][columns]
        batch = whole.iloc[-1][columns]
        assert (live.isna() == batch.isna()).all(), lookback
        apart = (live - batch).abs().fillna(0.0)
        assert (apart <= 1e-9 * scale[columns]).all(), (lookback, apart.idxmax())
    assert np.isfinite(whole.iloc[-1]).mean() > 0.9
