"""Kept folds: what comes back is what was kept, for every kind of learner, or it is made anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.features.pipeline import FeaturePipeline
from onward.training.assembly import make_trainer
from onward.training.checkpoints import FoldFiles, NothingKept
from onward.training.diagnosing import diagnose
from onward.training.outcomes import FoldOutcome, Training
from onward.training.plan import TrainingPlan
from onward.training.reporting import importance_table, selection_table
from onward.types import Fold, ProgressEvent
from tests.unit.training.small_runs import planted, small_plan

MARKET = planted(420)
# What is looked at after the scores is compared for one kind of learner.
QUIET: dict[str, Any] = {
    "evaluation__importance": False,
    "evaluation__drift": False,
    "evaluation__adversarial": False,
    "training__inner_folds": 3,
}
PLANS = {
    "single": small_plan(),
    "calibrated": small_plan(training__calibration="temperature", **QUIET),
    "stacking": small_plan(ensemble__method="stacking", ensemble__members=["lightgbm", "logistic"], **QUIET),
    "scaled": small_plan(model__name="logistic", features__stages=["manual", "alpha158"], **QUIET),
    "combinatorial": small_plan(
        validation__method="combinatorial", validation__n_groups=4, validation__n_test_groups=2, **QUIET
    ),
}


class Noted(FoldFiles):
    """Counts what was found, and tells scores."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.found: list[int] = []
        self.kept: list[int] = []

    def load(self, fold: Fold, pipeline: FeaturePipeline) -> FoldOutcome | None:
        outcome = super().load(fold, pipeline)
        if outcome is not None:
            self.found.append(fold.number)
        return outcome

    def keep(self, outcome: FoldOutcome) -> None:
        self.kept.append(outcome.fold.number)
        super().keep(outcome)

    def figures(self, outcome: FoldOutcome) -> Mapping[str, float]:
        return {"mean": float(outcome.probability.mean())}


def trained(plan: TrainingPlan, directory: Path) -> tuple[Training, Noted, list[ProgressEvent]]:
    keeper, events = Noted(directory), []
    trainer = make_trainer(plan, MARKET).keeping(keeper)
    return trainer.train(MARKET, progress=events.append), keeper, events


def seen(training: Training, plan: TrainingPlan) -> dict[str, Any]:
    return {
        "scores": training.judgement.scores.to_dict(),
        "verdict": training.judgement.verdict.to_dict(),
        "diagnosis": diagnose(training, plan.evaluation).to_dict(),
        "learning": [outcome.predictor.learning for outcome in training.folds],
    }


@pytest.mark.parametrize("name", list(PLANS))
def test_a_training_from_kept_folds_equals_the_first(name: str, tmp_path: Path) -> None:
    plan = PLANS[name]
    first, keeper, _ = trained(plan, tmp_path)
    n_folds = len(first.folds)
    assert (keeper.found, keeper.kept) == ([], list(range(n_folds)))
    second, keeper, events = trained(plan, tmp_path)
    assert (keeper.found, keeper.kept) == (list(range(n_folds)), [])
    assert seen(first, plan) == seen(second, plan)
    pd.testing.assert_frame_equal(first.oof.frame(), second.oof.frame(), check_exact=True)
    pd.testing.assert_frame_equal(selection_table(first), selection_table(second), check_exact=True)
    pd.testing.assert_frame_equal(importance_table(first), importance_table(second), check_exact=True)
    for one, other in zip(first.folds, second.folds, strict=True):
        before, after = one.predictor.learning, other.predictor.learning
        pairs = zip(() if before is None else before.inner, () if after is None else after.inner, strict=True)
        for kept, back in pairs:
            assert kept.number == back.number
            np.testing.assert_array_equal(kept.train, back.train)
            np.testing.assert_array_equal(kept.test, back.test)
    told = [event for event in events if event.stage == "fold" and len(event.values)]
    assert [event.done for event in told] == list(range(1, n_folds + 1))
    assert all(event.message.endswith("was finished by an earlier attempt") for event in told)


def test_half_the_folds_are_enough(tmp_path: Path) -> None:
    plan = PLANS["single"]
    whole, _, _ = trained(plan, tmp_path / "whole")
    trained(plan, tmp_path / "half")
    for path in sorted((tmp_path / "half" / "fold-1").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    again, keeper, _ = trained(plan, tmp_path / "half")
    assert (keeper.found, keeper.kept) == ([0, 2], [1])
    assert seen(again, plan) == seen(whole, plan)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Training]:
    directory = tmp_path_factory.mktemp("kept")
    training, _, _ = trained(PLANS["single"], directory)
    return directory, training


@pytest.mark.parametrize("file", ["outcome.npz", "learnt.json", "model/model.txt", "digests.json"])
@pytest.mark.parametrize("damage", ["gone", "cut", "nonsense", "one byte"])
def test_what_is_damaged_counts_as_not_there(
    file: str,
    damage: str,
    kept: tuple[Path, Training],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    directory, training = kept
    outcome = training.folds[0]
    pipeline = outcome.predictor.pipeline
    shutil.copytree(directory, tmp_path / "copy")
    assert FoldFiles(tmp_path / "copy").load(outcome.fold, pipeline) is not None
    target = tmp_path / "copy" / "fold-0" / file
    content = bytearray(target.read_bytes())
    if damage == "gone":
        target.unlink()
    elif damage == "one byte":
        content[len(content) // 2] ^= 1
        target.write_bytes(content)
    else:
        target.write_bytes(content[: len(content) // 2] if damage == "cut" else b"nonsense")
    assert FoldFiles(tmp_path / "copy").load(outcome.fold, pipeline) is None
    assert "fold 0 cannot be used" in caplog.text


def test_a_fold_of_other_rows_does_not_count(kept: tuple[Path, Training]) -> None:
    directory, training = kept
    outcome = training.folds[0]
    other = Fold(outcome.fold.number, outcome.fold.train[1:], outcome.fold.test)
    assert FoldFiles(directory).load(other, outcome.predictor.pipeline) is None


def test_a_disk_that_refuses_costs_the_checkpoint_not_the_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "file"
    place.write_text("no directory")
    training, keeper, _ = trained(PLANS["single"], place)
    assert len(training.folds) == 3
    assert keeper.kept == [0, 1, 2]
    assert "cannot be kept" in caplog.text


def test_nothing_is_pickled(tmp_path: Path) -> None:
    trained(PLANS["stacking"], tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert path.suffix != ".pkl"
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as stored:
                assert all(stored[name].dtype.kind in "fi" for name in stored.files)
        if path.suffix == ".json":
            json.loads(path.read_text("utf-8"))


def test_scores_are_told_only_by_a_keeper_that_has_them_counted() -> None:
    trainer, events = make_trainer(PLANS["single"], MARKET), []
    assert isinstance(trainer.keeper, NothingKept)
    trainer.train(MARKET, progress=events.append)
    assert not any(len(event.values) for event in events)
