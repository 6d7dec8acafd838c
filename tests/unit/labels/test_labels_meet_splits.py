"""Spans of uneven length, on some rows only, through the splitters and a real training."""

import numpy as np
import pytest

from onward.labels import (
    CATALOG,
    CusumSampledLabeler,
    MetaLabeler,
    ThresholdLabeler,
    TripleBarrierLabeler,
    sample_weights,
)
from onward.splits import PurgedKFold, WalkForward
from onward.testing.markets import random_walk
from onward.training.assembly import make_model, make_pipeline
from onward.training.single_model import SingleModelTrainer
from tests.unit.training.small_runs import planted, small_plan

SPLITTERS = [PurgedKFold(4), WalkForward(4)]


@pytest.mark.parametrize("splitter", SPLITTERS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("name", sorted(CATALOG))
def test_no_training_label_shares_an_instant_with_a_test_label(name, splitter):
    panel = random_walk(500, symbols=("A", "B"), seed=6)
    for labeler in (CATALOG[name](), CusumSampledLabeler(CATALOG[name](), window_bars=30)):
        spans = labeler.spans(panel)
        for fold in splitter.folds(spans):
            train, test = spans.take(fold.train), spans.take(fold.test)
            assert len(train) > 0
            assert len(test) > 0
            shares = (train.start[:, None] <= test.end) & (test.start <= train.end[:, None])
            assert not shares.any()
            weight = sample_weights(train, panel, "uniqueness", oldest=0.5)
            assert weight.mean() == pytest.approx(1.0)


@pytest.mark.parametrize(
    "labeler",
    [
        TripleBarrierLabeler(horizon_bars=8, window_bars=24),
        MetaLabeler(horizon_bars=8, window_bars=24, signal_bars=6),
        CusumSampledLabeler(ThresholdLabeler(6, "quantile"), cusum_threshold=1.0, window_bars=24),
    ],
    ids=lambda labeler: labeler.name,
)
def test_a_training_sees_labelled_rows_only(labeler):
    plan, market = small_plan(), planted()
    trainer = SingleModelTrainer(
        new_model=make_model(plan),
        pipeline=make_pipeline(plan, market),
        labeler=labeler,
        splitter=PurgedKFold(3),
        seed=0,
        n_shifts=100,
    )
    training = trainer.train(market)
    labelled = labeler.spans(market)
    assert training.dataset.spans.index.equals(labelled.index)
    assert len(labelled) < len(market)
    scored = np.sort(np.concatenate([outcome.fold.test for outcome in training.folds]))
    assert scored.tolist() == list(range(len(labelled)))
    assert len(training.oof.probability) == len(labelled)
    assert training.labeler_state["labeler"] == labeler.name
