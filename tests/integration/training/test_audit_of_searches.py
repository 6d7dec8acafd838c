"""The audit sees the inner folds of a search, not the outer ones alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from onward.labels import ThresholdLabeler
from onward.training.assembly import make_trainer
from onward.training.auditing import audit_trainer
from onward.training.auditing_labels import audit_searched_labels, labels_asked
from onward.training.dataset import prepare
from onward.training.optimization import OptimizationCoordinator, bench
from onward.training.plan import TrainingPlan
from onward.training.trainer import BaseTrainer
from onward.types import Fold, Labels, Market, Spans
from tests.unit.training.small_runs import planted, small_plan

MARKET = planted(420)
SEARCH: dict[str, Any] = {
    "selection__null_importance": False,
    "selection__mutual_information": False,
    "optimization__trials": 2,
    "optimization__inner_splits": 3,
    "optimization__space": {"model.num_leaves": [2, 6]},
}


def coordinator(**values: Any) -> OptimizationCoordinator:
    return OptimizationCoordinator(small_plan(**SEARCH | values), MARKET, make_trainer=make_trainer)


class Unpurged:
    """Cuts folds as if labels were known at once."""

    def folds(self, spans: Spans) -> list[Fold]:
        parts = np.array_split(np.arange(len(spans), dtype=np.int64), 3)
        everything = np.arange(len(spans), dtype=np.int64)
        return [Fold(n, np.setdiff1d(everything, test), test) for n, test in enumerate(parts)]


def test_the_inner_folds_of_a_search_are_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = coordinator()
    spans = searched.labeler.spans(MARKET)
    fold = searched.splitter.folds(spans)[1]
    dataset = prepare(MARKET, searched.pipeline, spans)
    learning = searched.fit_fold(dataset, searched.labeler, fold).predictor.learning
    assert learning is not None
    assert len(learning.inner) == 3
    tested = np.sort(np.concatenate([inner.test for inner in learning.inner]))
    assert np.array_equal(tested, np.arange(len(fold.train)))
    assert audit_trainer(searched, MARKET).certificate().status == "passed"
    monkeypatch.setattr(bench, "inner_splitter", lambda *_: Unpurged())
    leaks = audit_trainer(searched, MARKET).leaks
    assert {finding.check for finding in leaks} == {"interval_overlap"}
    assert all(finding.subject.startswith("inner split") for finding in leaks)


@dataclass(frozen=True)
class Hasty(ThresholdLabeler):
    """Says that its outcomes are known after one bar: purging by its spans leaves what overlaps."""

    def spans(self, market: Market) -> Spans:
        true = super().spans(market)
        return Spans(true.index, true.start, true.start + market.timeframe_ns)

    def label(self, market: Market) -> Labels:
        return replace(super().label(market), spans=self.spans(market))


def make_hasty(plan: TrainingPlan, market: Market) -> BaseTrainer:
    """Make the trainer of a plan; labels of 12 bars are hasty."""
    trainer = make_trainer(plan, market)
    if plan.labels.horizon_bars == 12:
        labels = plan.labels
        trainer.labeler = Hasty(labels.horizon_bars, window_bars=labels.window_bars)
    return trainer


@pytest.mark.parametrize("trained", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_labels_that_leak_in_the_inner_folds_alone_are_found(trained: bool) -> None:
    """Outer folds are cut by the longest horizon, which purges the hasty labels as well."""
    values = SEARCH | {"optimization__space": {"labels.horizon_bars": [3, 12]}, "labels__horizon_bars": 3}
    searched = OptimizationCoordinator(small_plan(**values), MARKET, make_trainer=make_hasty)
    found = audit_trainer(searched, MARKET, training=searched.train(MARKET) if trained else None)
    assert [(leak.check, leak.subject) for leak in found.leaks] == [
        ("label_resolution", "labels.horizon_bars = 12")
    ]


def test_inner_folds_are_judged_by_the_labels_of_their_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    values = SEARCH | {"optimization__space": {"labels.horizon_bars": [3, 12]}}
    searched = OptimizationCoordinator(small_plan(**values), MARKET, make_trainer=make_trainer)
    monkeypatch.setattr(bench, "inner_splitter", lambda *_: Unpurged())
    (report,) = audit_searched_labels(searched, MARKET, None)
    assert {leak.check for leak in report.leaks} == {"interval_overlap"}
    subjects = {leak.subject.partition(",")[0] for leak in report.leaks}
    assert subjects == {"labels.horizon_bars = 3", "labels.horizon_bars = 12"}


def test_a_primary_signal_that_only_some_trials_use_is_audited() -> None:
    values = SEARCH | {
        "optimization__space": {"labels.method": ["threshold", "meta"]},
        "labels__signal": f"{__name__}:tomorrow",
    }
    values |= {"labels__method": "meta"}
    searched = OptimizationCoordinator(small_plan(**values), MARKET, make_trainer=make_trainer)
    (report,) = audit_searched_labels(searched, MARKET, None)
    assert {leak.check for leak in report.leaks} == {"primary_signal"}


def tomorrow(market: Market) -> np.ndarray:
    """A signal that knows the next close."""
    close = market.bars["close"].to_numpy()
    return np.sign(np.diff(close, append=close[-1]))


def test_of_many_labels_some_are_audited_and_the_report_says_how_many() -> None:
    space = {"labels.multiplier": {"low": 0.2, "high": 0.9}, "labels.horizon_bars": list(range(2, 9))}
    asked = labels_asked(coordinator(optimization__space=space), None)
    assert len(asked) == 14  # each choice with both ends of the range
    counted = {"labels.horizon_bars": list(range(2, 42))}
    searched = coordinator(optimization__space=counted)
    (report,) = audit_searched_labels(searched, MARKET, None)
    assert report.passed
    assert {check.note for check in report.checks} == {"24 of 40 label settings"}


@pytest.mark.slow
def test_labels_that_vary_are_not_judged_by_spans_that_are_not_theirs() -> None:
    space = {"labels.horizon_bars": [3, 12]}
    stacked = coordinator(
        optimization__space=space, ensemble__method="stacking", ensemble__members=["logistic", "prior"]
    )
    assert audit_trainer(stacked, MARKET).certificate().status == "passed"
