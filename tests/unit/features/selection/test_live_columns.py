from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.autofeat import AutoFeatStage
from onward.features.autofeat.report import AutoFeatReport, GeneratedFeature
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


class Insists(TellingSums):
    """Says that it needs little, and asks for everything all the same."""

    def transform(self, X):
        if "doubles__high" not in X.columns:
            raise StageError("a column of the fit is missing")
        return super().transform(X)


def test_a_stage_that_cannot_do_with_what_it_says_gets_everything(market):
    pipeline, fitted, X = pair(market, ShiftedLabelSelector())
    fitted = FittedPipeline(fitted.input_columns, [Insists()], ["sums__a"])
    small, small_fitted = narrow(pipeline, fitted)
    assert small.columns() == pipeline.columns()
    pd.testing.assert_frame_equal(small_fitted.transform(X), fitted.transform(X), check_exact=True)


def test_two_selectors_in_a_row_ask_for_what_the_last_one_keeps(market):
    pipeline, fitted, X = pair(
        market, ShiftedLabelSelector(z=0.0, false_discovery_rate=1.0), AdvancedFeatureSelector(max_features=5)
    )
    assert len(fitted.stages[0].columns_) > len(fitted.output_columns)
    small, small_fitted = narrow(pipeline, fitted)
    assert set(small_fitted.input_columns) == set(fitted.output_columns)
    expected = fitted.transform(X)
    pd.testing.assert_frame_equal(small_fitted.transform(small.compute(market)), expected, check_exact=True)
    assert fitted.stages[0].columns_ != small_fitted.stages[0].columns_


def test_formulas_are_made_from_their_inputs_alone(market):
    stage = AutoFeatStage()
    pipeline = FeaturePipeline([Doubles(["close", "open", "high", "volume"])])
    stage.input_columns = pipeline.columns()
    stage.report = AutoFeatReport(status="fitted")
    inputs = {"x0": "doubles__open", "x1": "doubles__high"}
    stage.features = (
        GeneratedFeature("autofeat__a", "x0*x1", inputs, 3.0, 0.0),
        GeneratedFeature("autofeat__b", "x0**2", {"x0": "doubles__volume"}, 3.0, 0.0),
    )
    assert stage.required_columns(("autofeat__a", "doubles__close")) == pipeline.columns()[:3]
    assert stage.required_columns() == pipeline.columns()
    selector = AdvancedFeatureSelector()
    selector.columns_ = ("doubles__close", "autofeat__a")
    fitted = FittedPipeline(pipeline.columns(), [stage, selector], selector.columns_)
    small, small_fitted = narrow(pipeline, fitted)
    assert small.columns() == ("doubles__close", "doubles__open", "doubles__high")
    expected = fitted.transform(pipeline.compute(market))
    pd.testing.assert_frame_equal(small_fitted.transform(small.compute(market)), expected, check_exact=True)
    assert len(stage.features) == 2
    assert len(stage.input_columns) == 4


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

        def transform(self, X):
            return X[["doubles__volume"]].set_axis(["sums__a"], axis=1)

    with pytest.raises(StageError, match="does not have"):
        restricted(Doubles(), ["doubles__volume"])
    with pytest.raises(StageError, match="loses columns"):
        restricted(Loses(), ["doubles__close"])
    with pytest.raises(StageError, match="do not give"):
        needed_columns(FittedPipeline(Doubles().columns(), [Invents()], ["sums__a"]))
