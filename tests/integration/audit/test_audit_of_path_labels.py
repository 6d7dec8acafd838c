"""Labels whose rows depend on the path: barriers and events are audited too, no check is skipped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest

from onward.audit import FrozenLabeler, PipelineRun, RedrawnLabeler, audit_training
from onward.audit.perturbation import perturb_future
from onward.errors import AuditError
from onward.labels import (
    CATALOG,
    CusumSampledLabeler,
    MetaLabeler,
    ThresholdLabeler,
    TrendScanningLabeler,
    TripleBarrierLabeler,
)
from onward.protocols import Labeler
from onward.splits import CATALOG as SPLITTERS
from onward.splits import CombinatorialPurgedKFold, PurgedKFold, WalkForward
from onward.testing import markets
from onward.types import Fold, IntArray, Labels, Market, Spans
from tests.fixtures.references.leaks_pipelines import model

pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")

MARKET = markets.random_walk(1_500, seed=4)
BARRIERS = TripleBarrierLabeler(horizon_bars=24, window_bars=48, price="high_low", tie="drop", profit=0.7)
SPARSE = CusumSampledLabeler(ThresholdLabeler(horizon_bars=12, window_bars=48), 1.5, window_bars=48)
LABELERS: dict[str, Labeler] = {
    "barriers": BARRIERS,
    "events": SPARSE,
    "events of fixed size": CusumSampledLabeler(
        ThresholdLabeler(12, "quantile"), cusum_mode="fixed", cusum_threshold=0.01
    ),
    "barriers on events": CusumSampledLabeler(BARRIERS, 1.5, window_bars=48),
    "trends": TrendScanningLabeler(horizon_bars=16, shortest_bars=4),
    "meta": MetaLabeler(signal="breakout", horizon_bars=12, window_bars=48),
}


def trainer(folds: list[Fold], *, scaled: bool = False, fit_on_all: bool = False) -> Any:
    """A small trainer with a switch for each leak; it cuts no folds of its own."""

    def fit_predict(market: Market, labeler: Any, only: Any = None) -> PipelineRun:
        spans = labeler.spans(market)
        log = np.log(market.bars["close"])
        table = np.column_stack([log.diff(w) for w in (1, 6, 24)] + [log - log.rolling(48).mean()])
        X = table[market.index.get_indexer(spans.index)]
        if scaled:
            X = (X - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)
        made = np.full((len(spans), 3), np.nan)
        for fold in folds:
            if only is not None and fold.number not in only:
                continue
            learnt = np.arange(len(spans)) if fit_on_all else fold.train
            labels = labeler.fit(market, learnt).label(market)
            learner = model(class_weight="balanced" if fit_on_all else None)
            rows = learnt if fit_on_all else fold.train
            fitted = learner.fit(X[rows], labels.y[rows], sample_weight=labels.weight[rows])
            made[np.ix_(fold.test, fitted.classes_ + 1)] = fitted.predict_proba(X[fold.test])
        return PipelineRun(made)

    return fit_predict


def runs(report: Any) -> dict[str, int]:
    return {check.name: check.runs for check in report.checks}


@pytest.mark.parametrize("splitter", sorted(SPLITTERS))
@pytest.mark.parametrize("name", LABELERS)
def test_an_honest_trainer_passes_and_nothing_is_skipped(name: str, splitter: str) -> None:
    labeler = LABELERS[name]
    folds = SPLITTERS[splitter](4).folds(labeler.spans(MARKET))
    report = audit_training(trainer(folds), MARKET, labeler, folds, draws=2)
    assert report.findings == ()
    assert [check.note for check in report.checks] == [""] * len(report.checks)
    assert runs(report)["perturbation"] == 2
    assert runs(report)["label_resolution"] == 4


@pytest.mark.parametrize("name", LABELERS)
def test_a_scaler_of_all_rows_is_found_by_another_future(name: str) -> None:
    labeler = LABELERS[name]
    folds = PurgedKFold(4).folds(labeler.spans(MARKET))
    report = audit_training(trainer(folds, scaled=True), MARKET, labeler, folds, draws=0)
    assert {finding.check for finding in report.leaks} == {"perturbation"}


@pytest.mark.parametrize("name", LABELERS)
def test_training_on_the_test_rows_is_found_by_redrawn_labels(name: str) -> None:
    labeler = LABELERS[name]
    folds = WalkForward(4).folds(labeler.spans(MARKET))
    report = audit_training(trainer(folds, fit_on_all=True), MARKET, labeler, folds, draws=1, futures=())
    assert {finding.check for finding in report.leaks} == {"test_label_perturbation"}


def test_every_labeler_of_the_catalogue_keeps_its_rows_in_another_future() -> None:
    for name in CATALOG:
        labeler = CATALOG[name]()
        spans = labeler.spans(MARKET)
        moment = int(np.quantile(spans.end, 0.6, method="lower"))
        other = perturb_future(MARKET, moment, "rise")
        frozen = FrozenLabeler(labeler, MARKET, moment).fit(other, np.arange(len(spans) // 2))
        labels, true = frozen.label(other), labeler.fit(MARKET, np.arange(len(spans) // 2)).label(MARKET)
        assert labels.spans.index.equals(spans.index)
        ended = spans.end <= moment
        assert np.array_equal(labels.y[ended], true.y[ended]), name
        assert np.array_equal(labels.weight[ended], true.weight[ended]), name
        assert np.mean(labels.y[~ended] != true.y[~ended]) > 0.2, name


def test_chosen_rows_that_the_redrawn_path_does_not_label_still_change() -> None:
    spans = SPARSE.spans(MARKET)
    rows = np.arange(len(spans) // 2, 3 * len(spans) // 4)
    redrawn = RedrawnLabeler(SPARSE, MARKET, rows, style="scramble")
    before = SPARSE.label(MARKET)
    after = redrawn.fit(MARKET, np.arange(len(spans))).label(MARKET)
    others = np.setdiff1d(np.arange(len(spans)), rows)
    assert after.spans.index.equals(spans.index)
    assert np.array_equal(before.y[others], after.y[others])
    assert np.mean(before.y[rows] != after.y[rows]) > 0.5


@dataclass(frozen=True)
class EndsTooEarly(ThresholdLabeler):
    """Says that it needs one bar, looks twelve ahead: purging by its spans purges nothing."""

    def _short(self, spans: Spans) -> Spans:
        return Spans(spans.index, spans.start, spans.start + 3_600_000_000_000)

    def spans(self, market: Market) -> Spans:
        return self._short(super().spans(market))

    def label(self, market: Market) -> Labels:
        labels = super().label(market)
        return replace(labels, spans=self._short(labels.spans))


@dataclass(frozen=True)
class ChosenAfterwards:
    """Keeps the rows after which the price moved far: an event that nobody knew at the time."""

    inner_labels: ThresholdLabeler
    bars: int = 40
    kind: str = "classes"

    def _rows(self, market: Market, spans: Spans) -> IntArray:
        later = np.log(market.bars["close"]).diff(self.bars).shift(-self.bars).to_numpy()
        return np.flatnonzero(np.abs(later[market.index.get_indexer(spans.index)]) > 0.02)

    def spans(self, market: Market) -> Spans:
        spans = self.inner_labels.spans(market)
        return spans.take(self._rows(market, spans))

    def fit(self, market: Market, rows: IntArray) -> Self:
        return self

    def label(self, market: Market) -> Labels:
        labels = self.inner_labels.label(market)
        rows = self._rows(market, labels.spans)
        return Labels(labels.y[rows], labels.spans.take(rows), np.ones(len(rows)))

    def to_json(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("labeler", "says"),
    [
        (EndsTooEarly(12, "fixed", threshold=0.004), "labels changed; this one, which ends 2020-"),
        (ChosenAfterwards(ThresholdLabeler(12, "fixed", threshold=0.004)), "appeared when everything"),
    ],
    ids=["span ends too early", "rows chosen by what followed"],
)
def test_a_labeler_that_does_not_keep_to_its_spans_is_found(labeler: Any, says: str) -> None:
    folds = WalkForward(3).folds(labeler.spans(MARKET))
    report = audit_training(trainer(folds), MARKET, labeler, folds, draws=0, futures=())
    (finding,) = report.leaks
    assert (finding.check, finding.subject) == ("label_resolution", "labels")
    assert finding.row.startswith("SYNTH/USD 2020-")
    assert says in finding.detail


@dataclass(frozen=True)
class Weighed(ThresholdLabeler):
    """Weights of mean 1 over all rows, as the seam promises: another future rescales those of the past."""

    def label(self, market: Market) -> Labels:
        labels = super().label(market)
        close = market.bars["close"].to_numpy()[market.index.get_indexer(labels.spans.index)]
        return replace(labels, weight=close / close.mean())


def test_weights_of_mean_one_are_no_leak() -> None:
    labeler = Weighed(12, "fixed", threshold=0.004)
    folds = PurgedKFold(4).folds(labeler.spans(MARKET))
    report = audit_training(trainer(folds), MARKET, labeler, folds, draws=1, futures=("rise", "mirror"))
    assert report.findings == ()


def test_a_future_that_cannot_be_tried_is_said() -> None:
    labeler = LABELERS["trends"]
    folds = PurgedKFold(5).folds(labeler.spans(MARKET))[:3]
    report = audit_training(trainer(folds), MARKET, labeler, folds, draws=1)
    (finding,) = report.findings
    assert (finding.check, finding.severity) == ("perturbation", "warning")
    assert "no other future could be tried" in finding.detail
    assert report.passed


def test_rows_tested_twice_are_judged_fold_by_fold() -> None:
    folds = CombinatorialPurgedKFold(4).folds(SPARSE.spans(MARKET))
    together = trainer(folds)

    def all_at_once(market: Market, labeler: Any) -> PipelineRun:
        return together(market, labeler)

    with pytest.raises(AuditError, match="parameter 'only'"):
        audit_training(all_at_once, MARKET, SPARSE, folds)


def test_features_reach_the_trainer_from_the_other_future() -> None:
    """The rows are frozen, the bars are not: what a trainer sees of the future is the other one."""
    labeler = LABELERS["barriers"]
    folds = PurgedKFold(4).folds(labeler.spans(MARKET))
    honest, closes = trainer(folds), []

    def watched(market: Market, given: Any, only: Any = None) -> PipelineRun:
        closes.append(pd.Series(market.bars["close"].to_numpy()))
        assert len(given.spans(market)) == len(labeler.spans(MARKET))
        return honest(market, given, only)

    audit_training(watched, MARKET, labeler, folds, draws=0, futures=("rise", "fall"))
    true, *_, rise, fall = closes
    assert (rise != true).any()
    assert (fall != rise).any()
