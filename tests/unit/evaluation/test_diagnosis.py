"""Drift over folds, thinning and plain values: small tables whose sums are known."""

import json

import numpy as np
import pandas as pd
import pytest

from onward.evaluation.diagnosis import Diagnosis
from onward.evaluation.drift_summary import drift_summary
from onward.evaluation.learning import LearningRecord, MemberRecord
from onward.evaluation.metrics import measure
from onward.evaluation.report.drift import drift_view
from onward.evaluation.report.ensemble import ensemble_view
from onward.evaluation.thinning import thinned, thinning

DRIFT = pd.DataFrame(
    {
        "fold": [0, 0, 1],
        "column": ["calm", "moved", "moved"],
        "psi": [0.1, 0.4, 0.8],
        "psi_expected": [0.1, 0.2, 0.2],
        "ks": [0.1, 0.3, 0.5],
        "ks_q": [0.9, 0.2, 0.01],
        "median_shift": [0.1, -2.0, 1.0],
    }
)


def test_drift_of_folds_adds_up_the_most_drifted_first():
    found = drift_summary(DRIFT).set_index("column")
    assert list(found.index) == ["moved", "calm"]
    assert found.loc["moved", ["folds", "drifted"]].tolist() == [2, 1]
    assert found.loc["moved", "ks_q"] == 0.01
    assert found.loc["moved", "psi_ratio"] == pytest.approx(3.0)
    assert found.loc["moved", "median_shift"] == -2.0
    assert drift_summary(pd.DataFrame()).empty


def test_the_drift_section_says_what_moved_and_where():
    view = drift_view(Diagnosis(pd.DataFrame(), drift=DRIFT))
    assert view.summary == ("Of 2 columns, 1 drifted beyond what their own rhythm explains, in some fold.",)
    assert [cell.text for cell in view.folds.rows[0]] == ["moved", "0.40", "0.80"]
    assert [cell.tone for cell in view.folds.rows[0]] == ["", "", "bad"]
    assert view.folds.rows[1][2].text == ""
    assert view.adversarial is None
    assert drift_view(Diagnosis(pd.DataFrame())) is None
    assert drift_view(None) is None


def test_plain_values_know_no_nan():
    found = Diagnosis(pd.DataFrame({"fold": [0], "column": ["a"], "importance": [np.nan]}), drift=DRIFT)
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["gain"] == [{"fold": 0, "column": "a", "importance": None}]
    assert told["drift"]["columns"][0]["column"] == "moved"
    assert told["information"] is None


def test_thinning_keeps_the_symbols_of_a_moment_together():
    start = np.array([5, 1, 3, 1, 3, 5, 7, 7])
    assert thinning(start, 8) == 1
    assert thinning(start, 4) == 2
    assert thinned(start, 2).tolist() == [0, 1, 3, 5]
    assert thinned(start, 1).tolist() == list(range(8))


Y = np.tile([-1, 0, 1], 10)
PRIOR = np.full((30, 3), 1 / 3)


def metrics(share):
    return measure(share * np.eye(3)[Y + 1] + (1 - share) / 3, Y, PRIOR)


@pytest.mark.parametrize(("whole", "words"), [(0.7, "Combining adds"), (0.4, "Combining adds nothing: good")])
def test_members_stand_beside_the_whole_on_the_same_rows(whole, words):
    record = LearningRecord(
        "stacking",
        40,
        n_scored=30,
        scored_on="inner folds",
        members=(MemberRecord("poor", 0.2, metrics(0.1)), MemberRecord("good", 0.8, metrics(0.5))),
        combined=metrics(whole),
    )
    assert record.best_member.name == "good"
    told = json.loads(json.dumps(record.to_dict(), allow_nan=False))
    assert told["best_member"] == "good"
    assert told["advantage"] == pytest.approx(metrics(whole).log_loss_skill - metrics(0.5).log_loss_skill)
    view = ensemble_view(record)
    assert words in view.summary[-1]
    assert "30 of 40 training rows" in view.summary[1]
    assert [row[0].text for row in view.members.rows] == ["poor", "good", "Meta-model over all"]
    assert view.members.rows[2][-1].text == ""


def test_an_ensemble_that_was_not_scored_says_so():
    record = LearningRecord("voting", 40, members=(MemberRecord("a", 0.5), MemberRecord("b", 0.5)))
    view = ensemble_view(record)
    assert "not scored" in view.summary[-1]
    assert record.advantage is None
    assert ensemble_view(LearningRecord("single", 40)) is None
    assert ensemble_view(None) is None
