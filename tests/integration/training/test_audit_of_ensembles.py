"""Ensembles and calibration under the leak audit: ours pass, each way of cheating is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import onward as ow
from onward.prediction.predictor import Predictor
from onward.protocols import Labeler
from onward.training.assembly import make_trainer
from onward.training.auditing import audit_trainer
from onward.training.dataset import Dataset
from onward.training.ensemble_trainer import EnsembleTrainer
from onward.training.trainer import FoldOutcome, TrainingRows
from onward.types import Fold, IntArray, Spans
from tests.unit.training.small_runs import planted, small_plan

MARKET = planted(420)
TWO = {"ensemble__members": ["lightgbm", "logistic"], "ensemble__parameters__logistic__max_passes": 10}
STACK = {"ensemble__method": "stacking", "training__inner_folds": 3, **TWO}
PLANS: dict[str, dict[str, Any]] = {
    "stacking": {**STACK, "ensemble__passthrough": True, "labels__weights": "uniqueness"},
    "bagging": {"ensemble__method": "bagging", "ensemble__n_estimators": 3, "labels__mode": "quantile"},
    "voting": {**TWO, "ensemble__method": "voting", "ensemble__votes": "score", "labels__weights": "return"},
    "calibrated": {"training__calibration": "temperature", "labels__time_decay": 0.5},
}


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("stacking", "purged_kfold"),
        ("bagging", "walk_forward"),
        ("voting", "purged_kfold"),
        ("calibrated", "purged_kfold"),
    ],
)
def test_honest_ensembles_pass(name: str, method: str) -> None:
    report = ow.audit(small_plan(**PLANS[name], validation__method=method), MARKET)
    assert report.findings == ()
    ran = {check.name for check in report.checks if check.status == "passed"}
    assert {"interval_overlap", "determinism", "test_label_perturbation", "perturbation"} <= ran


@pytest.mark.slow
@pytest.mark.parametrize("method", ["purged_kfold", "walk_forward"])
@pytest.mark.parametrize("calibration", ["none", "sigmoid", "temperature"])
@pytest.mark.parametrize("name", list(PLANS))
def test_every_combination_passes(name: str, calibration: str, method: str) -> None:
    plan = {**PLANS[name], "training__calibration": calibration, "validation__method": method}
    assert ow.audit(small_plan(**plan), planted(1_500)).passed


@dataclass(frozen=True)
class Unpurged:
    """Plain k-fold: neighbours of a test row, whose outcomes overlap its own, are trained on."""

    n_splits: int = 3
    shuffled: bool = False

    def test_blocks(self, spans: Spans) -> Iterator[Sequence[IntArray]]:
        rows = np.arange(len(spans), dtype=np.int64)
        if self.shuffled:
            rows = np.random.default_rng(0).permutation(rows)
        for block in np.array_split(rows, self.n_splits):
            yield (np.sort(block),)

    def folds(self, spans: Spans) -> list[Fold]:
        everything = np.arange(len(spans), dtype=np.int64)
        return [
            Fold(number, np.setdiff1d(everything, block), block)
            for number, (block,) in enumerate(self.test_blocks(spans))
        ]


@pytest.mark.parametrize(
    ("plan", "shuffled", "trained"),
    [(STACK, False, True), (PLANS["calibrated"], True, False)],
    ids=["stacking", "calibration on shuffled rows"],
)
def test_unpurged_inner_folds_are_found(plan: dict[str, Any], shuffled: bool, trained: bool) -> None:
    trainer = make_trainer(small_plan(**plan), MARKET)
    trainer.inner = Unpurged(shuffled=shuffled)
    report = audit_trainer(trainer, MARKET, training=trainer.train(MARKET) if trained else None)
    assert not report.passed
    found = {(finding.check, finding.subject.split()[0]) for finding in report.leaks}
    assert found == {("interval_overlap", "inner")}


class CombinesOnTheTest(EnsembleTrainer):
    """Lets the combination see the outer test rows."""

    def fit_fold(self, dataset: Dataset, labeler: Labeler, fold: Fold) -> FoldOutcome:
        self._labels = labeler.fit(dataset.market, fold.train).label(dataset.market).y
        self._dataset, self._fold = dataset, fold
        return super().fit_fold(dataset, labeler, fold)

    def learn(self, rows: TrainingRows) -> Predictor:
        honest = super().learn(rows)
        if not hasattr(self, "_fold"):
            return honest
        test = self._fold.test
        said = honest.from_matrix(self._dataset.matrix(test))
        if np.mean(said.argmax(axis=1) - 1 == self._labels[test]) > 0.4:
            return honest
        return super().learn(replace(rows, seed=rows.seed + 1))


def test_a_combination_that_sees_the_test_fails() -> None:
    honest = make_trainer(small_plan(**PLANS["voting"]), MARKET)
    assert isinstance(honest, EnsembleTrainer)
    trainer = CombinesOnTheTest(
        new_model=honest.new_model,
        pipeline=honest.pipeline,
        labeler=honest.labeler,
        splitter=honest.splitter,
        inner=honest.inner,
        n_shifts=100,
    )
    report = audit_trainer(trainer, MARKET)
    assert "test_label_perturbation" in {finding.check for finding in report.leaks}
