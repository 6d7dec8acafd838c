"""Bad worlds, bad pipelines, and the pieces of the pipeline audit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from onward.audit import PipelineRun, PipelineWorld, audit_pipeline
from onward.audit.noise import area_under_curve
from onward.audit.redraw import REDRAWS, redraw_features, redraw_labels
from onward.audit.world import as_splits
from onward.errors import AuditError
from onward.types import Fold, Spans

N = 400
GENERATOR = np.random.default_rng(0)
OUTCOME = GENERATOR.normal(size=N)
SPANS = Spans(pd.RangeIndex(N), np.arange(N), np.arange(N) + 5)
FOLDS = tuple((np.arange(start - 6), np.arange(start, start + 100)) for start in (100, 200, 300))
WORLD = PipelineWorld(GENERATOR.normal(size=(N, 3)), (OUTCOME > 0).astype(int), OUTCOME, SPANS, FOLDS)


def honest(world):
    made = np.full(len(world), np.nan)
    for train, test in world.folds:
        slope = np.array([np.corrcoef(world.X[train, i], world.y[train])[0, 1] for i in range(3)])
        made[test] = (world.X[test] * slope).sum(axis=1)
    return made


def test_an_honest_pipeline_passes_and_says_how_far_it_is():
    events = []
    report = audit_pipeline(honest, WORLD, progress=events.append)
    assert report.passed
    assert events[-1].done == events[-1].total
    assert {c.name: c.status for c in report.checks}["noise"] == "not_run"


def test_a_pipeline_without_seed_is_not_judged_further():
    report = audit_pipeline(lambda world: np.random.default_rng().random(len(world)), WORLD)
    assert [f.check for f in report.leaks] == ["determinism"]
    assert sum("every run" in c.note for c in report.checks) == 3


def test_data_frames_of_features_are_taken():
    framed = PipelineWorld(pd.DataFrame(WORLD.X), WORLD.y, OUTCOME, SPANS, FOLDS)

    def scaled(world):
        X = (world.X - world.X.mean()) / world.X.std()
        return honest(PipelineWorld(X.to_numpy(), world.y, world.outcome, world.spans, world.folds))

    assert {f.check for f in audit_pipeline(scaled, framed).leaks} == {"other_test_rows"}


@pytest.mark.parametrize("style", REDRAWS)
def test_redrawn_labels_fit_their_outcomes_and_leave_the_others(style):
    rows = np.arange(100, 200)
    redrawn = redraw_labels(WORLD, rows, style, OUTCOME)
    assert np.array_equal(redrawn.y, (redrawn.outcome > 0).astype(int))
    others = np.setdiff1d(np.arange(N), rows)
    assert np.array_equal(redrawn.outcome[others], OUTCOME[others])
    assert (redrawn.outcome[rows] != OUTCOME[rows]).mean() > 0.8
    correlation = np.corrcoef(redrawn.outcome[rows], OUTCOME[rows])[0, 1]
    if style in ("against", "along"):
        assert correlation * (-1 if style == "against" else 1) > 0.9


def test_redrawn_features_leave_the_others():
    rows = np.arange(50)
    redrawn = redraw_features(WORLD, rows)
    assert np.array_equal(redrawn.X[50:], WORLD.X[50:])
    assert not (redrawn.X[:50] == WORLD.X[:50]).any()


def test_area_under_the_curve_equals_the_library():
    score = np.round(GENERATOR.normal(size=N), 1)
    assert area_under_curve(score, OUTCOME > 0) == pytest.approx(roc_auc_score(OUTCOME > 0, score))
    assert np.isnan(area_under_curve(score, np.ones(N, dtype=bool)))


def test_splits_come_in_many_shapes():
    train, test = FOLDS[0]
    mask = np.isin(np.arange(N), test)
    for split in (Fold(0, train, test), (train, test), (list(train), mask)):
        ((a, b),) = as_splits([split], N)
        assert np.array_equal(a, train)
        assert np.array_equal(b, test)
    pairs = as_splits([(train, KFold(3))], N)
    assert len(pairs) == 3
    assert np.array_equal(np.sort(np.concatenate([b for _, b in pairs])), train)


@pytest.mark.parametrize(
    ("pipeline", "complaint"),
    [
        (lambda world: np.zeros(3), "one prediction a row"),
        (lambda world: np.full(len(world), np.nan), "predicted no row"),
        (lambda world: 1 / 0, "ZeroDivisionError"),
        (lambda world: PipelineRun(honest(world), used=[(np.array([0]), np.array([N]))]), "outside"),
    ],
)
def test_pipelines_that_cannot_be_audited_are_refused(pipeline, complaint):
    with pytest.raises(AuditError, match=complaint):
        audit_pipeline(pipeline, WORLD)


def test_impossible_requests_are_refused():
    with pytest.raises(AuditError, match="draws"):
        audit_pipeline(honest, WORLD, draws=0)
    with pytest.raises(AuditError, match="Did you mean duplicates"):
        audit_pipeline(honest, WORLD, checks=["duplicate"])
    with pytest.raises(AuditError, match="different lengths"):
        PipelineWorld(WORLD.X[:5], WORLD.y, OUTCOME, SPANS, FOLDS)
    with pytest.raises(AuditError, match="no folds"):
        PipelineWorld(WORLD.X, WORLD.y, OUTCOME, SPANS, ())
