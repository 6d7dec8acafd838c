"""Folds from which nothing can be learnt are refused by their labels alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pytest

from onward.errors import LabelError, SplitError
from onward.labels import ThresholdLabeler
from onward.splits import CombinatorialPurgedKFold, PurgedKFold, WalkForward
from onward.training.assembly import make_trainer
from onward.training.learnable import require_room_for_labels
from onward.types import IntArray, Labels, Market, ProgressEvent, Spans
from tests.unit.training.small_runs import planted, small_plan, walk

MARKET = planted(400)


@dataclass(frozen=True)
class Weightless:
    """A labeler whose labels weigh nothing up to some row."""

    inner: ThresholdLabeler
    until: int
    kind: str = "classes"

    def spans(self, market: Market) -> Spans:
        return self.inner.spans(market)

    def fit(self, market: Market, rows: IntArray) -> Self:
        return replace(self, inner=self.inner.fit(market, rows))

    def label(self, market: Market) -> Labels:
        labels = self.inner.label(market)
        return replace(labels, weight=np.where(np.arange(len(labels)) < self.until, 0.0, 1.0))

    def to_json(self) -> dict[str, Any]:
        return self.inner.to_json()


def refused(until: int) -> LabelError:
    trainer = make_trainer(small_plan(validation__method="walk_forward"), MARKET)
    trainer.labeler = Weightless(trainer.labeler, until)  # type: ignore[arg-type, assignment]
    told: list[ProgressEvent] = []
    with pytest.raises(LabelError) as caught:
        trainer.train(MARKET, progress=told.append)
    assert told == []
    return caught.value


def test_weights_that_are_all_zero() -> None:
    assert refused(until=400).what == "every training row has the weight 0"


def test_weights_that_leave_one_row() -> None:
    first = make_trainer(small_plan(validation__method="walk_forward"), MARKET)
    learnt = first.splitter.folds(first.labeler.spans(MARKET))[0].train
    error = refused(until=len(learnt) - 1)
    assert "that weigh anything" in error.what
    assert f"{len(learnt) - 1} of {len(learnt)} rows weigh nothing" in str(error.got)


@pytest.mark.parametrize(
    ("splitter", "fits"),
    [
        (PurgedKFold(4), True),  # 100 labels, blocks of 25 bars
        (PurgedKFold(5), True),
        (PurgedKFold(6), False),
        (CombinatorialPurgedKFold(5, 2), True),
        (CombinatorialPurgedKFold(6, 2), False),
        (WalkForward(9), True),
    ],
)
def test_a_block_has_room_for_a_label(splitter: Any, fits: bool) -> None:
    spans = ThresholdLabeler(mode="fixed", threshold=0.01, horizon_bars=20).spans(walk(120))
    assert len(spans) == 100
    if fits:
        require_room_for_labels(splitter, spans)
    else:
        with pytest.raises(SplitError, match="longer than the blocks") as caught:
            require_room_for_labels(splitter, spans)
        assert caught.value.got == "labels of 0 days 20:00:00, a test block of 0 days 16:00:00"
