"""A loaded model computes what it uses, and says the same to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

import onward as ow
from onward.errors import NotEnoughDataError
from onward.prediction.loaded import LoadedModel
from onward.prediction.predictor import Predictor
from onward.training.result import TrainingResult
from tests.unit.training.small_runs import planted, small_plan

CLASSES = ["down", "range", "up"]
FAMILIES = ["returns", "volatility", "oscillators", "custom_series"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingResult, LoadedModel]:
    home = tmp_path_factory.mktemp("home")
    options = {"volatility": {"realized_windows": [12, 400]}}
    plan = small_plan(
        features__manual__families=FAMILIES,
        features__manual__options=options,
        selection__max_features=2,
        selection__null_importance=False,
    )
    result = ow.train(planted(900), plan, audit=False, home=home)
    result.save("m")
    return result, ow.load_model("models:/m/1", home=home)


def test_what_no_column_of_the_model_is_made_from_is_not_computed(
    trained: tuple[TrainingResult, LoadedModel],
) -> None:
    result, model = trained
    whole, live = result.predictor, model.predictor
    assert live.fitted.output_columns == whole.fitted.output_columns
    assert live.fitted.input_columns == whole.fitted.output_columns
    assert len(live.pipeline.columns()) < len(whole.pipeline.columns())
    assert model.lookback == model.version.manifest.features.lookback_bars < whole.pipeline.lookback


def test_predictions_are_the_same_to_the_last_bit(trained: tuple[TrainingResult, LoadedModel]) -> None:
    result, model = trained
    market = result.training.dataset.market
    assert model.predict(market).equals(result.predictor.batch(market))
    other = planted(700, seed=5)
    assert model.predict(other).equals(result.predictor.batch(other))
    again = result.predictor.narrowed().narrowed()
    assert again.pipeline.columns() == model.predictor.pipeline.columns()
    assert again.batch(market).equals(result.predictor.batch(market))


def test_as_many_bars_are_enough_as_the_features_in_use_need(
    trained: tuple[TrainingResult, LoadedModel],
) -> None:
    result, model = trained
    market = result.training.dataset.market
    newest = model.latest(market.last(model.lookback)).frame
    expected = result.predictor.batch(market).iloc[[-1]]
    np.testing.assert_allclose(newest[CLASSES], expected[CLASSES], rtol=1e-6)
    with pytest.raises(NotEnoughDataError, match=f"at least {model.lookback} bars"):
        model.latest(market.last(model.lookback - 1))


def test_the_bundle_itself_stays_whole(trained: tuple[TrainingResult, LoadedModel]) -> None:
    result, model = trained
    full = Predictor.load(model.version.directory)
    assert full.state() == result.predictor.state()
    assert full.pipeline.lookback > model.version.manifest.features.lookback_bars
