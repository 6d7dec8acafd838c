"""What is told of how a fit learnt."""

from __future__ import annotations

import json

import numpy as np
import pytest

from onward.cli.verdict import print_learning
from onward.evaluation.learning import CalibrationRecord, LearningRecord, MemberRecord
from onward.evaluation.metrics import measure

Y = np.tile([-1, 0, 1], 10)
PRIOR = np.full((30, 3), 1 / 3)
METRICS = measure(0.5 * np.eye(3)[Y + 1] + 0.5 / 3, Y, PRIOR)

STACK = LearningRecord(
    "stacking",
    40,
    n_scored=30,
    scored_on="inner folds",
    members=(MemberRecord("lightgbm", 0.7, METRICS), MemberRecord("prior", 0.3)),
    combined=METRICS,
    calibration=CalibrationRecord("sigmoid", 30, 4.2, METRICS),
)


def test_members_and_ensemble_stand_in_one_table() -> None:
    frame = STACK.frame()
    assert list(frame.index) == ["lightgbm", "prior", "stacking"]
    assert frame["share"].tolist() == [0.7, 0.3, 1.0]
    assert frame.loc["lightgbm", "n"] == 30
    assert np.isnan(frame.loc["prior", "direction_auc"])
    assert LearningRecord("single", 40).frame().empty


def test_a_record_is_plain_json() -> None:
    value = json.loads(json.dumps(STACK.to_dict(), allow_nan=False))
    assert [member["name"] for member in value["members"]] == ["lightgbm", "prior"]
    assert value["members"][1]["scores"] is None
    assert value["calibration"]["effective_n"] == 4.2
    assert LearningRecord("single", 40).to_dict()["calibration"] is None


def test_a_person_reads_what_was_scored_and_that_it_proves_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_learning(STACK)
    shown = " ".join(capsys.readouterr())
    for words in (
        "stacking",
        "30 of 40 training rows (inner folds)",
        "no evidence of skill",
        "0.70",
        "1.000",
    ):
        assert words in shown
    assert "calibrated (sigmoid) on 30 out-of-fold predictions, about 4 independent outcomes" in shown
    print_learning(LearningRecord("voting", 40, members=(MemberRecord("prior", 1.0),)))
    shown = " ".join(capsys.readouterr())
    assert "not scored" in shown
    assert "nan" not in shown
