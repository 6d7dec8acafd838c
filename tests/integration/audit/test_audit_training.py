"""A trainer is audited end to end: honest ones pass, each leak is found through the labeler or the future."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from onward.audit import PipelineRun, RedrawnLabeler, audit_training
from onward.errors import AuditError
from onward.labels import ThresholdLabeler
from onward.splits import PurgedKFold, WalkForward
from onward.testing import markets
from tests.fixtures.references.leaks_pipelines import model

HOUR = 3_600_000_000_000
MARKET = markets.random_walk(1_200, seed=4)
QUANTILE = ThresholdLabeler(horizon_bars=12, mode="quantile")

pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")


def features(market):
    log = np.log(market.bars["close"])
    columns = [log.diff(w) for w in (1, 6, 24)] + [log - log.rolling(48).mean()]
    return np.column_stack(columns)


def trainer(folds, *, scaled=False, fit_on_all=False, best_of=1, inner=()):
    """A small trainer with a switch for each leak."""

    def fit_predict(market, labeler, only=None):
        spans = labeler.spans(market)
        rows = market.index.get_indexer(spans.index)
        X = features(market)[rows]
        if scaled:
            X = (X - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)
        made = np.full((len(spans), 3), np.nan)
        for fold in folds:
            if only is not None and fold.number not in only:
                continue
            learnt = np.arange(len(spans)) if fit_on_all else fold.train
            y = labeler.fit(market, learnt).label(market).y
            tried = []
            for seed in range(best_of):
                fitted = model(random_state=seed, feature_fraction=0.5).fit(X[fold.train], y[fold.train])
                p = np.zeros((len(fold.test), 3))
                p[:, fitted.classes_ + 1] = fitted.predict_proba(X[fold.test])
                tried.append(p)
            made[fold.test] = max(tried, key=lambda p: np.mean(p.argmax(axis=1) - 1 == y[fold.test]))
        return PipelineRun(made, inner=inner)

    return fit_predict


@pytest.mark.parametrize("splitter", [PurgedKFold, WalkForward])
@pytest.mark.parametrize("mode", ["quantile", "volatility", "fixed", "adaptive"])
def test_an_honest_trainer_passes(splitter, mode):
    labeler = ThresholdLabeler(horizon_bars=12, mode=mode)
    folds = splitter(4).folds(labeler.spans(MARKET))
    seen = []
    report = audit_training(trainer(folds), MARKET, labeler, folds, draws=4, progress=seen.append)
    assert report.findings == ()
    assert report.passed
    assert {c.name for c in report.checks if c.status == "passed"} == {
        "determinism",
        "interval_overlap",
        "label_resolution",
        "test_label_perturbation",
        "perturbation",
    }
    assert seen[-1].done == seen[-1].total


@pytest.mark.parametrize(
    ("leak", "check"),
    [
        ({"fit_on_all": True}, "test_label_perturbation"),
        ({"best_of": 6}, "test_label_perturbation"),
        ({"scaled": True}, "perturbation"),
    ],
)
def test_a_leaking_trainer_is_found(leak, check):
    folds = PurgedKFold(4).folds(QUANTILE.spans(MARKET))
    report = audit_training(trainer(folds, **leak), MARKET, QUANTILE, folds)
    assert check in {finding.check for finding in report.leaks}
    finding = next(f for f in report.leaks if f.check == check)
    assert finding.subject.startswith("fold ")
    assert finding.row.startswith("SYNTH/USD 2020-")
    assert "first " in finding.detail


def test_overlap_of_outer_and_inner_splits_is_found():
    spans = QUANTILE.spans(MARKET)
    folds = PurgedKFold(4).folds(spans)
    careless = [dataclasses.replace(f, train=np.setdiff1d(np.arange(len(spans)), f.test)) for f in folds]
    report = audit_training(trainer(careless), MARKET, QUANTILE, careless, draws=1, futures=())
    assert "interval_overlap" in {f.check for f in report.leaks}
    train = folds[0].train
    inner = [(train[:-100], train[-100:])]
    report = audit_training(trainer(folds, inner=inner), MARKET, QUANTILE, folds, draws=1, futures=())
    assert [f.subject for f in report.leaks] == ["inner split 0"]


def test_an_earlier_training_saves_one():
    folds = PurgedKFold(4).folds(QUANTILE.spans(MARKET))
    calls = []
    fit_predict = trainer(folds)

    def counted(market, labeler, only=None):
        calls.append(only)
        return fit_predict(market, labeler, only)

    base = fit_predict(MARKET, QUANTILE)
    report = audit_training(counted, MARKET, QUANTILE, folds, base=base, draws=2, futures=("fall",))
    assert report.passed
    assert [len(only) for only in calls] == [1, 1, 1, 1]


def test_a_trainer_without_seed_cannot_be_judged():
    folds = PurgedKFold(3).folds(QUANTILE.spans(MARKET))

    def loose(market, labeler):
        return np.random.default_rng().random(len(labeler.spans(market)))

    report = audit_training(loose, MARKET, QUANTILE, folds)
    assert [f.check for f in report.leaks] == ["determinism"]
    assert {c.name for c in report.checks if c.status == "not_run"} == {
        "test_label_perturbation",
        "perturbation",
    }


@pytest.mark.parametrize("mode", ["quantile", "volatility"])
def test_redrawn_rows_change_and_no_other(mode):
    labeler = ThresholdLabeler(horizon_bars=12, mode=mode)
    spans = labeler.spans(MARKET)
    rows = np.arange(300, 500)
    others = np.setdiff1d(np.arange(len(spans)), rows)
    redrawn = RedrawnLabeler(labeler, MARKET, rows, style="mirror")
    honest, tested = labeler.fit(MARKET, others), redrawn.fit(MARKET, others)
    before, after = honest.label(MARKET), tested.label(MARKET)
    assert np.array_equal(before.y[others], after.y[others])
    assert np.mean(before.y[rows] != after.y[rows]) > 0.3
    assert np.array_equal(after.spans.end, spans.end)
    if mode == "quantile":
        assert tested.fitted_threshold == honest.fitted_threshold
        whole = np.arange(len(spans))
        stretched = RedrawnLabeler(labeler, MARKET, rows, style="rise")
        assert stretched.fit(MARKET, whole).fitted_threshold != labeler.fit(MARKET, whole).fitted_threshold


def test_redrawn_rows_are_found_again_on_a_part_of_the_market():
    rows = np.arange(300, 500)
    redrawn = RedrawnLabeler(QUANTILE, MARKET, rows).fit(MARKET, np.arange(100))
    chosen = QUANTILE.spans(MARKET).index[rows]
    part = MARKET.between(MARKET.open_time[200], None)
    labels, own = redrawn.label(part), redrawn.inner.label(part)
    assert set(labels.spans.index[labels.y != own.y]) <= set(chosen)
    assert (labels.y != own.y).any()


@pytest.mark.parametrize("rows", [np.array([], dtype=np.int64), np.array([10**6])])
def test_rows_outside_the_spans_are_refused(rows):
    with pytest.raises(AuditError, match="positions"):
        RedrawnLabeler(QUANTILE, MARKET, rows)


def test_unknown_redraw_and_missing_folds_are_refused():
    with pytest.raises(AuditError, match="mirror"):
        RedrawnLabeler(QUANTILE, MARKET, np.arange(5), style="upside_down")
    with pytest.raises(AuditError, match="folds"):
        audit_training(trainer([]), MARKET, QUANTILE, [])
    folds = PurgedKFold(3).folds(QUANTILE.spans(MARKET))
    with pytest.raises(AuditError, match="one prediction a row"):
        audit_training(lambda market, labeler: np.zeros(3), MARKET, QUANTILE, folds)
    with pytest.raises(AuditError, match="rise, fall, scramble, mirror"):
        audit_training(trainer(folds), MARKET, QUANTILE, folds, futures=("remove",))


def test_data_frames_of_predictions_are_taken():
    folds = WalkForward(3).folds(QUANTILE.spans(MARKET))
    fit_predict = trainer(folds)

    def framed(market, labeler):
        return pd.DataFrame(fit_predict(market, labeler).predictions, columns=["down", "range", "up"])

    assert audit_training(framed, MARKET, QUANTILE, folds, draws=1, futures=("rise",)).passed
