"""What a plan will make is said before anything runs."""

from __future__ import annotations

import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.description import FeatureInfo, FitInfo, describe, describe_fit, estimated_seconds
from onward.features.manual import ManualFeaturesStage
from onward.features.pipeline import FeaturePipeline

HOUR = pd.Timedelta("1h")


class Never:
    """A stage that must not be computed."""

    name, scope, lookback = "never", "symbol", 7

    def columns(self):
        return ("never__a", "never__b")

    def compute(self, market):
        raise AssertionError("computed")


class Told(Never):
    told = ("never__a", "never__b")

    def describe(self):
        return [FeatureInfo(column, self.name, "x", 5, 2.0) for column in self.told]


class Mute:
    """Keeps what is good.

    And more that nobody needs to know.
    """

    name = "mute"

    def fit(self, X, y, *, spans, weight=None, seed=0):
        raise AssertionError("fitted")


class Halver:
    name = "halver"

    def fit(self, X, y, *, spans, weight=None, seed=0):
        raise AssertionError("fitted")

    def describe_fit(self, n_columns, n_rows):
        return FitInfo(self.name, f"half of {n_columns}", n_columns // 2, n_rows * 1e-3)


def test_a_stage_that_says_nothing_more_is_named():
    stage = Never()
    assert describe(stage) == (
        FeatureInfo("never__a", "never", lookback=7),
        FeatureInfo("never__b", "never", lookback=7),
    )
    assert estimated_seconds(describe(stage), 10) is None


def test_costs_add_up():
    assert estimated_seconds(describe(Told()), 1_000_000) == 4.0
    assert estimated_seconds((), 10) == 0.0


def test_a_pipeline_describes_every_column_in_order():
    pipeline = FeaturePipeline([ManualFeaturesStage(["price"], timeframe=HOUR), Told()])
    assert tuple(feature.column for feature in pipeline.describe()) == pipeline.columns()
    assert max(feature.lookback for feature in pipeline.describe()) <= pipeline.lookback


@pytest.mark.parametrize(
    ("told", "message"),
    [(("never__a",), "never__b"), (("never__b", "never__a"), "another order"), ((), "never__a, never__b")],
)
def test_a_stage_that_describes_other_columns_is_named(told, message):
    stage = Told()
    stage.told = told
    with pytest.raises(StageError, match=f"'never' describes other columns.*{message}"):
        FeaturePipeline([stage]).describe()


def test_fitted_steps_are_told_in_order_with_what_reaches_them():
    pipeline = FeaturePipeline([Never()], [Halver, Halver(), Mute])
    assert pipeline.describe_fits(2_000) == (
        FitInfo("halver", "half of 2", 1, 2.0),
        FitInfo("halver", "half of 1", 0, 2.0),
        FitInfo("mute", "Keeps what is good"),
    )


def test_a_step_without_a_word_has_an_empty_line():
    class Dumb:
        name = "dumb"

    assert describe_fit(Dumb(), 3, 3) == FitInfo("dumb", "")
