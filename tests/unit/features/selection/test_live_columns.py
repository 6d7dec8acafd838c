from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.manual import ManualFeaturesStage
from onward.features.pipeline import FeaturePipeline, FittedPipeline
from onward.features.selection import ShiftedLabelSelector
from onward.features.selection.advanced import AdvancedFeatureSelector
from onward.features.selection.live_columns import narrow, needed_columns, restricted
from onward.labels import ThresholdLabeler
from onward.testing.markets import random_walk


class Doubles:
    """A causal stage that can compute single columns."""

    name = "doubles"
    scope = "symbol"
    lookback = 1

    def __init__(self, names=("close", "open", "high")):
        self.names = tuple(names)

    def columns(self):
        return tuple(f"doubles__{name}" for name in self.names)

    def compute(self, market):
        return pd.DataFrame(
            {f"doubles__{n}": 2.0 * market.bars[n] for n in self.names}, index=market.bars.index
        )

    def restricted(self, columns):
        return Doubles([name for name in self.names if f"doubles__{name}" in columns])


class Sums:
    """A fitted stage whose one output comes from two inputs, and which may say so."""

    name = "sums"

    def fit(self, X, y, *, spans, weight=None, seed=0):
        return self

    def transform(self, X):
        return pd.DataFrame({"sums__a": X["doubles__close"] + X["doubles__open"]}, index=X.index)

    def to_json(self):
        return {}

    @classmethod
    def from_json(cls, state):
        return cls()


class TellingSums(Sums):
    def required_columns(self, outputs=None):
        return ("doubles__close", "doubles__open")


@pytest.fixture(scope="module")
def market():
    return random_walk(900)


def pair(market, *fitted):
    pipeline = FeaturePipeline(
        [
            ManualFeaturesStage(["price", "oscillators", "temporal"], timeframe=market.timeframe),
            Doubles(),
        ],
        fitted,
    )
    labels = ThresholdLabeler(horizon_bars=6).label(market)
    X = pipeline.compute(market)
    rows = X.index.get_indexer(labels.spans.index)
    return pipeline, pipeline.fit(X.iloc[rows], labels.y, spans=labels.spans), X


@pytest.mark.parametrize(
    "selector", [AdvancedFeatureSelector(max_features=2, min_features=2), ShiftedLabelSelector()]
)
def test_what_the_model_sees_comes_from_fewer_columns_unchanged(market, selector):
    pipeline, fitted, X = pair(market, selector)
    small, small_fitted = narrow(pipeline, fitted)
    assert needed_columns(fitted) == fitted.output_columns
    assert len(small.columns()) < len(pipeline.columns())
    assert small.lookback <= pipeline.lookback
    expected = fitted.transform(X)
    pd.testing.assert_frame_equal(small_fitted.transform(small.compute(market)), expected, check_exact=True)
    live = small_fitted.transform(small.latest(market))
    np.testing.assert_allclose(live.to_numpy(), expected.iloc[[-1]].to_numpy(), rtol=1e-5, atol=1e-7)
    again = FittedPipeline.from_json(small_fitted.to_json(), {"advanced_selection": AdvancedFeatureSelector})
    assert again.output_columns == fitted.output_columns


def test_stages_of_which_nothing_is_wanted_are_left_out(market):
    pipeline, fitted, _ = pair(market, ShiftedLabelSelector())
    fitted = FittedPipeline(fitted.input_columns, [TellingSums()], ["sums__a"])
    small, small_fitted = narrow(pipeline, fitted)
    assert small.columns() == ("doubles__close", "doubles__open")
    assert small_fitted.input_columns == small.columns()
    assert small_fitted.transform(small.compute(market)).shape == (900, 1)


def test_a_stage_that_does_not_say_what_it_needs_gets_everything(market):
    pipeline, fitted, _ = pair(market, ShiftedLabelSelector())
    fitted = FittedPipeline(fitted.input_columns, [Sums()], ["sums__a"])
    assert needed_columns(fitted) == fitted.input_columns
    assert narrow(pipeline, fitted)[0].columns() == pipeline.columns()


def test_families_nobody_wants_are_not_computed(market):
    stage = ManualFeaturesStage(
        ["price", "oscillators"], options={"oscillators": {"rsi_windows": [5]}}, timeframe=market.timeframe
    )
    small = restricted(stage, ["manual__rsi_5"])
    assert small.families == ("oscillators",)
    pd.testing.assert_frame_equal(
        small.compute(market), stage.compute(market)[list(small.columns())], check_exact=True
    )
    untouched = ManualFeaturesStage(["price"], timeframe=market.timeframe)
    assert restricted(untouched, untouched.columns()).columns() == untouched.columns()


def test_wrong_restrictions_are_refused(market):
    class Loses(Doubles):
        def restricted(self, columns):
            return Doubles(["high"])

    class Invents(TellingSums):
        def required_columns(self, outputs=None):
            return ("doubles__volume",)

    with pytest.raises(StageError, match="does not have"):
        restricted(Doubles(), ["doubles__volume"])
    with pytest.raises(StageError, match="loses columns"):
        restricted(Loses(), ["doubles__close"])
    with pytest.raises(StageError, match="do not give"):
        needed_columns(FittedPipeline(Doubles().columns(), [Invents()], ["sums__a"]))
