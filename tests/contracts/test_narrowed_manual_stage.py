"""A live model reads what its own columns need: each column alone, from its own bars, equals the batch."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.cache import FeatureCache
from onward.features.manual import Alpha158Stage, ManualFeaturesStage
from onward.features.pipeline import FeaturePipeline
from onward.testing.stages import check_causal_stage, check_latest, contract_markets

CASES = {str(case): case.market for case in contract_markets(1_450)}
NARROW = {
    "oscillators": {"rsi_windows": [5], "roc_windows": []},
    "trend": {"macd": [5, 11, 4], "adx_windows": []},
    "levels": {"windows": []},
    "divergence": {"windows": []},
    "sentiment": {"windows": [], "change_windows": [3]},
    "funding": {"windows": [5], "change_windows": []},
}


@pytest.mark.parametrize("kind", [ManualFeaturesStage, Alpha158Stage])
@pytest.mark.parametrize("case", ["gaps and side series", "unequal panel"])
def test_columns_alone_equal_the_batch_from_their_own_bars(case, kind):
    market = CASES[case]
    stage = kind.for_market(market)
    whole = stage.compute(market)
    told = sorted(stage.describe(), key=lambda f: (f.family, f.lookback))
    for (_, lookback), group in itertools.groupby(told, key=lambda f: (f.family, f.lookback)):
        columns = [feature.column for feature in group]
        alone = stage.restricted(columns)
        assert alone.lookback == lookback
        assert set(alone.columns()) == set(columns)
        check_latest(alone, market, whole[list(alone.columns())])


def test_a_restricted_stage_keeps_every_promise():
    market = CASES["unequal panel"]
    stage = ManualFeaturesStage.for_market(market)
    wanted = ["manual__rsi_14", "manual__hour", "manual__relative_return_1", "manual__funding_rate"]
    wanted += ["manual__fear_greed_class", "manual__4h_return_1", "manual__pivot_distance"]
    alone = stage.restricted(wanted)
    assert alone.columns() == tuple(c for c in stage.columns() if c in wanted)
    assert alone.lookback == max(f.lookback for f in stage.describe() if f.column in wanted)
    assert alone.lookback < stage.lookback // 3
    assert stage.restricted(["manual__rsi_14"]).scope == "symbol"
    check_causal_stage(alone, market)
    pd.testing.assert_frame_equal(
        alone.compute(market), stage.compute(market)[list(alone.columns())], check_exact=True
    )
    again = ManualFeaturesStage.from_spec(alone.spec())
    assert (again.columns(), again.lookback, again.spec()) == (alone.columns(), alone.lookback, alone.spec())


def test_other_options_tell_their_columns_apart_as_well():
    market = CASES["gaps and side series"]
    stage = ManualFeaturesStage.for_market(market, list(NARROW), NARROW)
    assert stage.lookback == max(f.lookback for f in stage.describe())
    for feature in stage.describe():
        assert stage.restricted([feature.column]).lookback == feature.lookback


def test_the_cache_keeps_them_apart(tmp_path):
    market = CASES["one symbol"].last(400)
    stage = ManualFeaturesStage.for_market(market, ["price"])
    cache = FeatureCache(tmp_path)
    whole = FeaturePipeline([stage], cache=cache).compute(market)
    first = stage.columns()[0]
    alone = FeaturePipeline([stage.restricted([first])], cache=cache).compute(market)
    pd.testing.assert_frame_equal(alone, whole[[first]])


def test_wrong_columns_are_refused():
    stage = ManualFeaturesStage(["oscillators"], timeframe=pd.Timedelta("1h"))
    for columns in ([], ["manual__rsi_8"], ["rsi_7"]):
        with pytest.raises(StageError, match="cannot be restricted"):
            stage.restricted(columns)
    with pytest.raises(StageError, match=r"no such column.*Did you mean 'manual__rsi_7'"):
        ManualFeaturesStage(["oscillators"], timeframe=pd.Timedelta("1h"), columns=["manual__rsi_8"])
