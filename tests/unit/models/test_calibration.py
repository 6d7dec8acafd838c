"""Calibrators against scikit-learn's, and where ours differ on purpose."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import _sigmoid_calibration, _TemperatureScaling
from sklearn.isotonic import IsotonicRegression

from onward.errors import BundleError, ModelError
from onward.models.calibration import (
    CALIBRATORS,
    IsotonicCalibrator,
    NoCalibrator,
    SigmoidCalibrator,
    TemperatureCalibrator,
    calibrator_class,
    calibrator_from_json,
)
from onward.models.calibration.base import log_odds
from onward.models.calibration.sigmoid import sigmoid_curve
from onward.testing.calibrators import example_forecasts


def test_the_sigmoid_is_platts_as_scikit_learn_fits_it():
    probability, y = example_forecasts()
    weight = np.random.default_rng(0).uniform(0.5, 1.5, len(y))
    weight /= weight.mean()
    for k in range(3):
        score, came_true = log_odds(probability[:, k]), y == k - 1
        slope, offset = sigmoid_curve(score, came_true, weight, float(len(y)))
        a, b = _sigmoid_calibration(score, came_true.astype(float), weight)
        np.testing.assert_allclose([slope, offset], [-a, -b], rtol=1e-4)


def test_fewer_effective_outcomes_are_smoothed_harder():
    score = np.array([-1.0, 1.0] * 50)
    came_true = score > 0
    many, few = (sigmoid_curve(score, came_true, np.ones(100), n)[0] for n in (100.0, 10.0))
    # Two scores, targets (n/2 + 1) / (n/2 + 2) and 1 / (n/2 + 2): the curve passes through both.
    np.testing.assert_allclose([many, few], [np.log(51 / 1), np.log(6 / 1)], rtol=1e-6)


def test_a_ranking_is_never_turned_round():
    probability, y = example_forecasts()
    calibrator = SigmoidCalibrator().fit(probability[:, ::-1], y)
    assert calibrator.slope_[0] == calibrator.slope_[2] == 0.0
    ups = calibrator.transform(probability)[:, [0, 2]]
    share = [(y == -1).mean(), (y == 1).mean()]
    np.testing.assert_allclose(ups.mean(axis=0), share, atol=0.02)


def test_what_is_calibrated_stays_nearly_as_it_is():
    probability, y = example_forecasts(20_000, sureness=1.0)
    for name in ("sigmoid", "temperature", "isotonic"):
        corrected = CALIBRATORS[name]().fit(probability, y).transform(probability)
        assert np.abs(corrected - probability).mean() < 0.02, name


@pytest.mark.parametrize("sureness", [0.4, 1.0, 2.5])
def test_the_temperature_is_scikit_learns_and_undoes_the_sureness(sureness):
    probability, y = example_forecasts(sureness=sureness)
    calibrator = TemperatureCalibrator().fit(probability, y)
    reference = _TemperatureScaling().fit(probability, (y + 1).astype(float))
    assert 1.0 / calibrator.temperature_ == pytest.approx(float(reference.beta_), rel=1e-5)
    assert calibrator.temperature_ == pytest.approx(sureness, rel=0.1)


def test_a_temperature_stays_between_its_bounds():
    always_right = np.tile([0.4, 0.3, 0.3], (50, 1))
    assert TemperatureCalibrator().fit(always_right, np.full(50, -1)).temperature_ == pytest.approx(0.01)
    assert TemperatureCalibrator().fit(always_right, np.full(50, 1)).temperature_ == pytest.approx(100.0)
    uniform = np.full((50, 3), 1 / 3)
    assert TemperatureCalibrator().fit(uniform, np.full(50, 1)).temperature_ == 1.0


def test_isotonic_curves_are_scikit_learns():
    probability, y = example_forecasts()
    calibrator = IsotonicCalibrator().fit(probability, y)
    n = len(y)
    for k in range(3):
        reference = IsotonicRegression(y_min=1 / (n + 2), y_max=(n + 1) / (n + 2), out_of_bounds="clip")
        expected = reference.fit(probability[:, k], y == k - 1).predict(probability[:, k])
        ours = np.interp(probability[:, k], calibrator.stated_[k], calibrator.realised_[k])
        np.testing.assert_allclose(ours, expected, atol=1e-12)


def test_isotonic_needs_a_thousand_independent_outcomes():
    probability, y = example_forecasts()
    with pytest.raises(ModelError, match=r"too few independent outcomes.*got 999.*1,000.*sigmoid or temp"):
        IsotonicCalibrator().fit(probability, y, effective_n=999.0)
    IsotonicCalibrator().fit(probability, y, effective_n=1_000.0)
    with pytest.raises(ModelError, match="got 900"):  # there are never more outcomes than rows
        IsotonicCalibrator().fit(probability[:900], y[:900], effective_n=5_000.0)


def test_no_calibration_changes_no_bit():
    probability, y = example_forecasts()
    np.testing.assert_array_equal(NoCalibrator().fit(probability, y).transform(probability), probability)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), n=st.integers(2, 40))
def test_curves_rise_and_order_is_kept_whatever_they_learn_from(data, n):
    draws = st.floats(0.0, 1.0)
    raw = np.array(data.draw(st.lists(st.tuples(draws, draws, draws), min_size=n, max_size=n))) + 1e-9
    probability = raw / raw.sum(axis=1, keepdims=True)
    y = np.array(data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=n, max_size=n)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sigmoid = SigmoidCalibrator().fit(probability, y)
        temperature = TemperatureCalibrator().fit(probability, y)
        for calibrator in (sigmoid, temperature):
            corrected = calibrator.transform(probability)
            assert (corrected >= 0).all()
            np.testing.assert_allclose(corrected.sum(axis=1), 1.0, atol=1e-12)
    assert (sigmoid.slope_ >= 0).all()
    corrected = temperature.transform(probability)
    order = np.argsort(probability, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(corrected, order, axis=1), axis=1) >= 0).all()


def test_calibrators_are_found_by_name_and_by_state():
    probability, y = example_forecasts()
    for name in CALIBRATORS:
        fitted = calibrator_class(name)().fit(probability, y)
        again = calibrator_from_json(fitted.to_json())
        assert type(again) is type(fitted)
    with pytest.raises(ModelError, match="Did you mean 'sigmoid'"):
        calibrator_class("sigmod")


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"name": "platt"},
        {"name": "sigmoid"},
        {"name": "sigmoid", "slope": [1, 1], "offset": [0, 0, 0]},
        {"name": "temperature", "temperature": "warm"},
        {"name": "temperature", "temperature": 0.0},
        {"name": "isotonic", "stated": [[0, 1]] * 3, "realised": [[1, 0]] * 3},
        {"name": "isotonic", "stated": [[0, 1]] * 3, "realised": [[1]] * 3},
        {"name": "isotonic", "stated": [[]] * 3, "realised": [[]] * 3},
    ],
)
def test_damaged_states_are_refused(state):
    with pytest.raises(BundleError):
        calibrator_from_json(state)
