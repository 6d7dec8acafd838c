import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from onward.evaluation.calibration import calibration_error, calibration_table
from onward.evaluation.metrics import (
    brier_score,
    confusion_matrix,
    direction_auc,
    log_loss,
    measure,
    range_auc,
    ranked_probability_score,
)

REFERENCE = json.loads((Path(__file__).parents[2] / "fixtures/references/calibration.json").read_text())
TOLERANCE = REFERENCE["tolerance"]


def random_predictions(seed=0, n=300):
    generator = np.random.default_rng(seed)
    return generator.dirichlet(np.ones(3), n), generator.integers(-1, 2, n)


def test_multiclass_scores_equal_the_reference():
    case = REFERENCE["multiclass"]
    probability, y = np.array(case["P"]), np.array(case["y"]) - 1
    assert log_loss(probability, y) == pytest.approx(case["log_loss"], abs=TOLERANCE)
    assert brier_score(probability, y) == pytest.approx(case["brier_multiclass_sum"], abs=TOLERANCE)
    assert ranked_probability_score(probability, y) == pytest.approx(case["rps"], abs=TOLERANCE)
    found = calibration_error(probability.max(axis=1), probability.argmax(axis=1) - 1 == y)
    assert found == pytest.approx(case["top_label_ece_10"], abs=TOLERANCE)


@pytest.mark.parametrize("case", REFERENCE["binary"])
def test_calibration_error_equals_the_reference(case):
    probability, came_true = np.array(case["p"]), np.array(case["y"], dtype=bool)
    assert calibration_error(probability, came_true) == pytest.approx(
        case["ece_10_equal_width"], abs=TOLERANCE
    )
    table = calibration_table(probability, came_true)
    gaps = (table["stated"] - table["realised"]).abs()
    assert gaps.max() == pytest.approx(case["mce"], abs=TOLERANCE)
    assert table["n"].sum() == len(probability)


def test_bins_hold_their_lower_edge_and_one():
    table = calibration_table(np.array([0.0, 0.3, 0.1 + 0.2, 1.0]), np.array([0, 1, 1, 1], dtype=bool))
    assert table["low"].tolist() == [0.0, 0.3, 0.9]
    assert table["n"].tolist() == [1, 2, 1]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 50))
def test_scores_equal_scikit_learn(seed):
    probability, y = random_predictions(seed, 60)
    prior = np.tile([0.3, 0.4, 0.3], (60, 1))
    found = measure(probability, y, prior)
    chosen = probability.argmax(axis=1) - 1
    assert found.log_loss == pytest.approx(theirs.log_loss(y, probability, labels=[-1, 0, 1]))
    assert found.accuracy == pytest.approx(theirs.accuracy_score(y, chosen))
    assert found.balanced_accuracy == pytest.approx(theirs.balanced_accuracy_score(y, chosen))
    moved = y != 0
    direction = (probability[:, 2] - probability[:, 0])[moved]
    assert found.direction_auc == pytest.approx(theirs.roc_auc_score(y[moved] > 0, direction))
    assert found.range_auc == pytest.approx(theirs.roc_auc_score(y == 0, probability[:, 1]))
    np.testing.assert_array_equal(
        confusion_matrix(probability, y), theirs.confusion_matrix(y, chosen, labels=[-1, 0, 1])
    )


def test_the_prior_itself_has_no_skill_and_truth_has_all():
    _, y = random_predictions()
    prior = np.tile(np.bincount(y + 1) / len(y), (len(y), 1))
    nothing = measure(prior, y, prior)
    assert nothing.log_loss_skill == 0.0
    assert nothing.accuracy_above_majority == 0.0
    assert nothing.direction_auc == nothing.range_auc == 0.5
    everything = measure(np.eye(3)[y + 1], y, prior)
    assert everything.log_loss_skill == pytest.approx(1.0)
    assert everything.brier == everything.calibration_error == 0.0
    assert everything.direction_auc == everything.range_auc == 1.0


def test_a_probability_of_zero_costs_much_but_not_everything():
    assert 30 < log_loss(np.array([[1.0, 0.0, 0.0]]), np.array([1])) < 40


def test_what_is_not_defined_is_nan_and_becomes_none():
    probability, _ = random_predictions()
    only_up = np.ones(len(probability), dtype=np.int64)
    assert np.isnan(direction_auc(probability, only_up))
    assert np.isnan(range_auc(probability, only_up))
    found = measure(probability, only_up, probability).to_dict()
    assert found["direction_auc"] is None
    assert json.loads(json.dumps(found, allow_nan=False)) == found
