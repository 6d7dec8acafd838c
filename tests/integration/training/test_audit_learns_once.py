"""What is byte for byte the same is not learnt again, and what differs by one bit is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest

from onward.labels import ThresholdLabeler
from onward.protocols import Model
from onward.training.assembly import make_trainer
from onward.training.auditing import audit_trainer
from onward.training.dataset import label_spans, prepare
from onward.training.rows import TrainingRows
from onward.training.single_model import SingleModelTrainer
from onward.types import IntArray, Market
from tests.unit.training.small_runs import planted, small_plan

MARKET = planted(500)


class Stranger(SingleModelTrainer):
    """As honest as the one it comes from, but who knows."""


@dataclass(frozen=True)
class FitsOnAllRows(ThresholdLabeler):
    """Takes the quantile of all outcomes, whatever rows it is told to look at."""

    def fit(self, market: Market, rows: IntArray) -> Self:
        return super().fit(market, np.arange(len(self.spans(market))))


def counting(
    kind: type[SingleModelTrainer] = SingleModelTrainer, **overrides: Any
) -> tuple[SingleModelTrainer, list[int]]:
    """Return a trainer and the seeds of the models that it makes, one a fit."""
    honest = make_trainer(small_plan(**overrides), MARKET)
    assert isinstance(honest, SingleModelTrainer)
    made: list[int] = []

    def counted(seed: int) -> Model:
        made.append(seed)
        return honest.new_model(seed)

    trainer = kind(
        new_model=counted,
        pipeline=honest.pipeline,
        labeler=honest.labeler,
        splitter=honest.splitter,
        n_shifts=100,
    )
    return trainer, made


@pytest.mark.parametrize("given", [True, False])
def test_the_same_bytes_are_learnt_once_and_the_report_says_so(given: bool) -> None:
    trainer, made = counting(validation__method="walk_forward")
    training = trainer.train(MARKET) if given else None
    before = len(made)
    report = audit_trainer(trainer, MARKET, training=training)
    assert report.passed, str(report)
    n_folds = len(trainer.cut(MARKET)[1])
    assert len(made) - before == 1 + (0 if given else n_folds)  # determinism fits anew, always
    notes = {check.name: check.note for check in report.checks if check.note}
    assert notes["test_label_perturbation"].startswith("in 4 of 4 ")
    assert notes["perturbation"].endswith("not fitted again")


def test_a_trainer_of_the_users_own_learns_every_time() -> None:
    trainer, made = counting(Stranger, validation__method="walk_forward")
    training = trainer.train(MARKET)
    before = len(made)
    report = audit_trainer(trainer, MARKET, training=training)
    assert report.passed
    assert len(made) - before == 1 + 4 + 2
    assert "not fitted again" not in str(report)


def test_what_reaches_the_rows_is_learnt_and_found() -> None:
    trainer, made = counting()
    trainer.labeler = FitsOnAllRows(horizon_bars=6, mode="quantile")
    training = trainer.train(MARKET)
    before = len(made)
    report = audit_trainer(trainer, MARKET, training=training)
    assert "perturbation" in {finding.check for finding in report.leaks}
    assert len(made) - before > 1


def rows() -> TrainingRows:
    trainer, _ = counting()
    spans = label_spans(MARKET, trainer.labeler)
    dataset = prepare(MARKET, trainer.pipeline, spans)
    return trainer.fold_rows(dataset, trainer.labeler, trainer.splitter.folds(spans)[0])[1]


def test_rows_are_told_apart_by_any_bit() -> None:
    made = rows()
    assert made.same_as(rows())
    values = made.X.to_numpy(copy=True)
    values[3, 1] = np.nextafter(values[3, 1], np.float32(np.inf))
    X = pd.DataFrame(values, made.X.index, made.X.columns)
    weight = made.weight.copy()
    weight[0] = np.nextafter(weight[0], 2.0)
    assert made.weighing is not None
    others = {
        "a feature": replace(made, X=X),
        "a name": replace(made, X=made.X.rename(columns={made.X.columns[0]: "another"})),
        "an outcome": replace(made, y=np.where(np.arange(len(made)) == 5, -made.y - 1, made.y)),
        "a weight": replace(made, weight=weight),
        "the seed": replace(made, seed=made.seed + 1),
        "no weighing": replace(made, weighing=None),
        "own weights": replace(made, weighing=replace(made.weighing, own=weight)),
        "the scheme": replace(made, weighing=replace(made.weighing, scheme="uniqueness")),
        "the end of a label": replace(made, spans=replace(made.spans, end=made.spans.end + 1)),
    }
    assert [name for name, other in others.items() if made.same_as(other)] == []


def test_schemes_that_read_the_bars_are_bound_to_them() -> None:
    made, other = rows(), MARKET.last(499)
    assert made.weighing is not None
    assert made.same_as(replace(made, weighing=replace(made.weighing, market=other)))
    reading = replace(made, weighing=replace(made.weighing, scheme="return"))
    assert reading.weighing is not None
    assert reading.same_as(reading)
    assert not reading.same_as(replace(reading, weighing=replace(reading.weighing, market=other)))
