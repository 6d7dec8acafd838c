"""A model with a calibrator behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onward.ensembles import CalibratedModel, VotingModel, saved_model_class
from onward.errors import BundleError, ModelError
from onward.models import LogisticModel, PriorModel
from onward.models.calibration import TemperatureCalibrator
from onward.testing.models import example_rows
from tests.unit.ensembles.ensemble_rows import overlapping_rows, probabilities

SURE = {"n_rounds": 60, "num_leaves": 31, "min_leaf_fraction": 0.0, "learning_rate": 0.3, "lambda_l2": 0.0}


def loss(probability: np.ndarray, y: np.ndarray) -> float:
    return float(-np.log(np.maximum(probability[np.arange(len(y)), y + 1], 1e-12)).mean())


@pytest.mark.parametrize("method", ["sigmoid", "temperature"])
def test_a_model_that_is_too_sure_is_cooled(method: str) -> None:
    X, y = example_rows(1_200)
    learnt, test = slice(0, 600), slice(600, None)
    model = CalibratedModel(member_parameters=SURE, method=method, n_threads=1)
    model.fit(X[learnt], y[learnt])
    before = model.parts_[0].predict_proba(X[test])
    assert loss(model.predict_proba(X[test]), y[test]) < 0.9 * loss(before, y[test])


def test_isotonic_counts_outcomes_and_not_rows() -> None:
    X, y, spans = overlapping_rows(1_500, horizon=24)
    model = CalibratedModel(member="prior", method="isotonic")
    model.fit(X, y)
    with pytest.raises(ModelError, match="too few independent outcomes"):
        model.fit(X, y, spans=spans)


def test_a_fitted_model_is_taken_as_it_is(tmp_path: Path) -> None:
    X, y = example_rows(200)
    model = LogisticModel(max_passes=20, penalty=0.2, n_threads=1).fit(X, y)
    calibrator = TemperatureCalibrator().fit(probabilities(200), y)
    both = CalibratedModel.around(model, calibrator, seed=3)
    np.testing.assert_array_equal(both.predict_proba(X), calibrator.transform(model.predict_proba(X)))
    np.testing.assert_array_equal(both.gain(), model.gain())
    both.save(tmp_path / "model")
    loaded = CalibratedModel.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(X), both.predict_proba(X))
    assert loaded.get_params()["member_parameters"]["penalty"] == 0.2
    with pytest.raises(ModelError, match="not fitted"):
        CalibratedModel.around(PriorModel(), calibrator)


def test_calibrating_twice_and_unknown_methods_are_refused() -> None:
    X, y = example_rows(60)
    with pytest.raises(ModelError, match="cannot be calibrated again"):
        CalibratedModel(member="calibrated").fit(X, y)
    with pytest.raises(ModelError, match="Did you mean 'sigmoid'"):
        CalibratedModel(method="sigmoyd").fit(X, y)


def test_ensembles_are_found_by_the_name_in_their_bundle() -> None:
    assert saved_model_class("voting") is VotingModel
    assert saved_model_class("logistic") is LogisticModel
    with pytest.raises(ModelError, match="no model of this name"):
        saved_model_class("votings")


def test_what_lies_beside_a_part_or_is_swapped_is_noticed(tmp_path: Path) -> None:
    X, y = example_rows(150)
    parameters = {"lightgbm": {"n_rounds": 3}, "logistic": {"max_passes": 5}}
    vote = VotingModel(members=("logistic", "lightgbm"), parameters=parameters, n_threads=1).fit(X, y)
    vote.save(tmp_path / "model")
    with pytest.raises(BundleError, match="another ensemble"):
        CalibratedModel.load(tmp_path / "model")
    stranger = tmp_path / "model" / "part_000" / "more.txt"
    stranger.write_text("x")
    with pytest.raises(BundleError, match=r"more\.txt"):
        VotingModel.load(tmp_path / "model")
    stranger.unlink()
    first, second = tmp_path / "model" / "part_000", tmp_path / "model" / "part_001"
    first.rename(tmp_path / "aside")
    second.rename(first)
    (tmp_path / "aside").rename(second)
    with pytest.raises(BundleError, match="damaged or missing"):
        VotingModel.load(tmp_path / "model")
    with pytest.raises(BundleError, match="no ensemble in this directory"):
        VotingModel.load(tmp_path)
