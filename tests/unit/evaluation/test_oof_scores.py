import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from onward.errors import ModelError
from onward.evaluation import Scores, judge
from onward.evaluation.metrics import measure
from onward.evaluation.oof import mutual_training
from onward.splits import PurgedKFold, WalkForward
from onward.types import Fold
from tests.unit.evaluation.scored_rows import scored


def test_frame_has_one_row_a_scored_bar_with_everything_known_about_it():
    oof = replace(scored(200), baselines={"momentum": scored(200, seed=1).probability})
    frame = oof.frame()
    assert frame.index.equals(oof.spans.index)
    assert frame[["down", "range", "up"]].to_numpy() == pytest.approx(oof.probability)
    assert {"decision_time", "outcome_time", "fold", "outcome", "prior_up", "momentum_down"} <= set(frame)
    assert str(frame["decision_time"].dt.tz) == "UTC"
    assert (frame["outcome_time"] > frame["decision_time"]).all()


def test_scores_pool_all_folds_and_keep_each_apart():
    oof = replace(scored(600), baselines={"rule": scored(600, seed=5).probability})
    scores = Scores.of(oof)
    assert scores.pooled == measure(oof.probability, oof.y, oof.prior)
    assert sum(m.n for m in scores.folds.values()) == scores.pooled.n == 600
    third = oof.take(oof.fold == 2)
    assert scores.folds[2] == measure(third.probability, third.y, third.prior)
    assert scores.mean_fold_direction_auc == pytest.approx(
        np.mean([m.direction_auc for m in scores.folds.values()])
    )
    assert scores.baselines["rule"].n == 600
    assert list(scores.frame().index) == ["pooled", *[f"fold {i}" for i in range(5)], "rule"]
    assert json.loads(json.dumps(scores.to_dict(), allow_nan=False)) == scores.to_dict()


def test_a_judgement_survives_pickling_and_json():
    judgement = judge(scored(400), n_shifts=50)
    again = pickle.loads(pickle.dumps(judgement))
    assert again.to_dict() == judgement.to_dict()
    json.dumps(judgement.to_dict(), allow_nan=False)
    oof = pickle.loads(pickle.dumps(scored(100, mutual=0.0)))
    assert oof.mutual == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o: {"y": o.y[:-1]}, "disagree in number"),
        (lambda o: {"y": o.y + 7}, "not classes"),
        (lambda o: {"probability": o.probability[:, :2]}, "wrong shape"),
        (lambda o: {"probability": o.probability * 2}, "do not sum to 1"),
        (lambda o: {"probability": np.full_like(o.probability, np.nan)}, "negative or unknown"),
        (lambda o: {"prior": -o.prior}, "priors hold negative"),
        (lambda o: {"baselines": {"b": o.prior[:3]}}, "baseline 'b'"),
        (lambda o: {"mutual": 1.5}, "mutual"),
        (lambda o: {"spans": o.spans.take(np.arange(0))}, "no row was scored"),
    ],
)
def test_predictions_that_cannot_be_scored_are_refused(change, message):
    oof = scored(60)
    with pytest.raises(ModelError, match=message):
        replace(oof, **change(oof))


def test_mutual_training_tells_k_fold_from_walk_forward():
    spans = scored(600).spans
    assert mutual_training(PurgedKFold(5).folds(spans)) > 0.9
    assert mutual_training(WalkForward(5).folds(spans)) == 0.0
    alone = Fold(0, np.arange(5, 10), np.arange(5))
    assert mutual_training([alone]) == 0.0
