"""The audit sees the inner folds of a search, not the outer ones alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onward.training.assembly import make_trainer
from onward.training.auditing import audit_trainer
from onward.training.dataset import prepare
from onward.training.optimization import OptimizationCoordinator, bench
from onward.types import Fold, Spans
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


def test_labels_that_vary_are_not_judged_by_spans_that_are_not_theirs() -> None:
    space = {"labels.horizon_bars": [3, 12]}
    stacked = coordinator(
        optimization__space=space, ensemble__method="stacking", ensemble__members=["logistic", "prior"]
    )
    assert audit_trainer(stacked, MARKET).certificate().status == "passed"
