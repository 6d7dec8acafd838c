"""The certificate: honest trainers pass it, each way of cheating fails it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest

import onward as ow
from onward.errors import AuditError, DataError
from onward.features.cache import FeatureCache
from onward.features.pipeline import FeaturePipeline
from onward.labels import ThresholdLabeler
from onward.prediction.predictor import Predictor
from onward.protocols import Labeler
from onward.training.assembly import make_trainer
from onward.training.auditing import audit_trainer
from onward.training.dataset import Dataset
from onward.training.plan import TrainingPlan
from onward.training.single_model import SingleModelTrainer
from onward.training.trainer import FoldOutcome, TrainingRows
from onward.types import Fold, IntArray, Market, ProgressEvent
from tests.unit.training.small_runs import panel, planted, small_plan, walk

MARKET = planted(500)


def trainer_of(
    kind: type[SingleModelTrainer], market: Market = MARKET, **overrides: Any
) -> SingleModelTrainer:
    honest = make_trainer(small_plan(**overrides), market)
    assert isinstance(honest, SingleModelTrainer)
    return kind(
        new_model=honest.new_model,
        pipeline=honest.pipeline,
        labeler=honest.labeler,
        splitter=honest.splitter,
        n_shifts=100,
    )


@pytest.mark.parametrize("method", ["purged_kfold", "walk_forward"])
@pytest.mark.parametrize("mode", ["volatility", "quantile"])
def test_honest_trainers_pass(method: str, mode: str) -> None:
    plan = small_plan(validation__method=method, labels__mode=mode)
    report = ow.audit(plan, MARKET)
    assert report.findings == ()
    assert report.passed
    ran = {check.name for check in report.checks if check.status == "passed"}
    learning = {"interval_overlap", "determinism", "test_label_perturbation", "perturbation"}
    assert learning | {"truncation", "batch_equals_latest"} <= ran


def test_a_panel_that_compares_symbols_passes() -> None:
    families = ["returns", "funding", "custom_series", "cross_asset"]
    report = ow.audit(small_plan(features__manual__families=families), panel(400))
    assert report.passed, str(report)
    assert "availability" in {check.name for check in report.checks if check.status == "passed"}


@pytest.mark.slow
def test_the_whole_default_plan_passes_on_real_bars() -> None:
    report = ow.audit(TrainingPlan(training={"n_threads": 1}), ow.sample_market().last(4_000))
    assert report.passed, str(report)


class SelectsOnAllRows(SingleModelTrainer):
    """Chooses features by all labels, those of the test rows included."""

    def fit_fold(self, dataset: Dataset, labeler: Labeler, fold: Fold) -> FoldOutcome:
        labels = labeler.fit(dataset.market, fold.train).label(dataset.market)
        everything = np.arange(len(dataset))
        self._fitted = self.pipeline.fit(dataset.matrix(everything), labels.y, spans=dataset.spans, seed=1)
        return super().fit_fold(dataset, labeler, fold)

    def learn(self, rows: TrainingRows) -> Predictor:
        model = self.new_model(rows.seed).fit(self._fitted.transform(rows.X), rows.y)
        return Predictor(self.pipeline, self._fitted, model)


class TriesModelsOnTheTest(SingleModelTrainer):
    """Keeps of several models the one that does best on the test rows."""

    def fit_fold(self, dataset: Dataset, labeler: Labeler, fold: Fold) -> FoldOutcome:
        outcomes = []
        for seed in range(5):
            self.seed = 100 * seed
            outcomes.append(super().fit_fold(dataset, labeler, fold))
        return max(outcomes, key=lambda o: np.mean(o.probability.argmax(axis=1) - 1 == o.y))


class TrainsOnTheTest(SingleModelTrainer):
    """Forgets to take the test rows out."""

    def fit_fold(self, dataset: Dataset, labeler: Labeler, fold: Fold) -> FoldOutcome:
        return super().fit_fold(dataset, labeler, replace(fold, train=np.arange(len(dataset))))


class ScalesOnAllRows(SingleModelTrainer):
    """Standardises each feature with the mean and deviation of the whole history."""

    def fit_fold(self, dataset: Dataset, labeler: Labeler, fold: Fold) -> FoldOutcome:
        table = dataset.features
        scaled = ((table - table.mean()) / table.std()).fillna(0.0).astype(np.float32)
        return super().fit_fold(replace(dataset, features=scaled), labeler, fold)


class HasNoSeed(SingleModelTrainer):
    """Draws another seed every time."""

    def learn(self, rows: TrainingRows) -> Predictor:
        drawn = int(np.random.default_rng().integers(1_000_000))
        return super().learn(replace(rows, seed=drawn))


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (SelectsOnAllRows, "test_label_perturbation"),
        (TriesModelsOnTheTest, "test_label_perturbation"),
        (TrainsOnTheTest, "test_label_perturbation"),
        (ScalesOnAllRows, "perturbation"),
        (HasNoSeed, "determinism"),
    ],
)
def test_cheating_trainers_fail(kind: type[SingleModelTrainer], check: str) -> None:
    report = audit_trainer(trainer_of(kind), MARKET)
    assert not report.passed
    found = next(finding for finding in report.leaks if finding.check == check)
    assert found.subject.startswith("fold ")
    assert "SYNTH/USD" in found.row
    assert report.certificate().status == "failed"


@dataclass(frozen=True)
class FitsOnAllRows(ThresholdLabeler):
    """Takes the quantile of all outcomes, whatever rows it is told to look at."""

    def fit(self, market: Market, rows: IntArray) -> Self:
        return super().fit(market, np.arange(len(self.spans(market))))


def test_a_labeler_fitted_on_all_rows_fails() -> None:
    trainer = trainer_of(SingleModelTrainer)
    trainer.labeler = FitsOnAllRows(horizon_bars=6, mode="quantile")
    report = audit_trainer(trainer, MARKET)
    assert "perturbation" in {finding.check for finding in report.leaks}
    trainer.labeler = ThresholdLabeler(horizon_bars=6, mode="quantile")
    assert audit_trainer(trainer, MARKET).passed


class Tomorrow:
    """A stage that knows the next bar."""

    name, scope, lookback = "tomorrow", "symbol", 2

    def columns(self) -> tuple[str, ...]:
        return ("tomorrow__return",)

    def compute(self, market: Market) -> pd.DataFrame:
        close = np.log(market.bars["close"]).groupby(level=0, sort=False)
        return pd.DataFrame({"tomorrow__return": -close.diff(-1)}, index=market.bars.index)


def test_a_leaky_stage_of_the_users_own_fails_the_plan() -> None:
    trainer = trainer_of(SingleModelTrainer)
    trainer.pipeline = FeaturePipeline([*trainer.pipeline.causal, Tomorrow()], trainer.pipeline.fitted)
    report = audit_trainer(trainer, MARKET)
    assert {"truncation", "perturbation"} <= {f.check for f in report.leaks}
    assert "tomorrow__return" in {f.subject for f in report.leaks}
    assert not ow.audit(Tomorrow(), MARKET).passed


def test_a_training_spares_the_audit_one_and_gives_the_same_answer() -> None:
    trainer = trainer_of(SingleModelTrainer)
    training = trainer.train(MARKET)
    fresh, spared = audit_trainer(trainer, MARKET), audit_trainer(trainer, MARKET, training=training)
    assert fresh.findings == spared.findings == ()
    assert [c.name for c in fresh.checks] == [c.name for c in spared.checks]


def test_made_up_futures_stay_out_of_the_cache(tmp_path: Any) -> None:
    cache = FeatureCache(tmp_path)
    trainer = make_trainer(small_plan(), MARKET, cache=cache)
    training = trainer.train(MARKET)
    before = sorted(p for p in tmp_path.rglob("*") if p.is_file())
    assert before
    audit_trainer(trainer, MARKET, training=training)
    assert sorted(p for p in tmp_path.rglob("*") if p.is_file()) == before


def test_progress_of_an_audit_ends_full() -> None:
    seen: list[ProgressEvent] = []
    ow.audit(small_plan(), walk(300), progress=seen.append)
    assert {event.stage for event in seen} >= {"audit"}
    assert seen[-1].done == seen[-1].total


def test_functions_are_audited_and_other_things_refused() -> None:
    assert ow.audit(lambda df: df["close"].diff(), MARKET).passed
    assert not ow.audit(lambda df: df["close"].shift(-1), MARKET).passed
    for subject in (Tomorrow, "manual", 3, None):
        with pytest.raises(AuditError, match="cannot be audited"):
            ow.audit(subject, MARKET)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="not a market"):
        ow.audit(Tomorrow(), MARKET.bars)  # type: ignore[arg-type]


ONCE = """
import numpy as np
import pandas as pd

SCALE = {}


class Once:
    name = "once"
    scope = "symbol"
    lookback = 2

    def columns(self):
        return ("once__x",)

    def compute(self, market):
        step = market.bars["close"].groupby(level=0).pct_change()
        if not SCALE:
            SCALE["deviation"] = float(step.std())
        return pd.DataFrame({"once__x": step / SCALE["deviation"]})

    def spec(self):
        return {"stage": "once"}
"""


def test_a_scaler_that_training_fitted_once_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fits_once.py").write_text(ONCE)
    monkeypatch.chdir(tmp_path)
    plan = small_plan(features__stages=["fits_once:Once", "manual"])
    result = ow.train(MARKET, plan, home=tmp_path / "home")
    assert result.certificate.status == "failed"
    assert {finding.subject for finding in result.certificate.findings} >= {"once__x"}


def knows_the_next_bar(market: Market) -> pd.Series:
    log = np.log(market.bars["close"])
    return np.sign(log.groupby(level=0).shift(-1) - log).fillna(0.0)


def test_a_primary_signal_that_looks_ahead_fails_the_certificate() -> None:
    honest = make_trainer(small_plan(labels__method="meta", labels__horizon_bars=12), MARKET)
    assert isinstance(honest, SingleModelTrainer)
    honest.labeler = replace(honest.labeler, signal=knows_the_next_bar)  # type: ignore[type-var]
    report = audit_trainer(honest, MARKET)
    assert {leak.check for leak in report.leaks} == {"primary_signal"}
    assert report.certificate().status == "failed"
