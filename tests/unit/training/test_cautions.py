"""What is lost without being wrong is said, once and in words."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from onward.labels import ThresholdLabeler
from onward.splits import PurgedKFold, WalkForward
from onward.training.assembly import make_trainer
from onward.training.cautions import purging_cautions
from onward.types import Market, Spans, from_ns, to_ns
from tests.unit.training.small_runs import small_plan, walk

LABELER = ThresholdLabeler(horizon_bars=6, window_bars=24)


def with_gap(n_bars: int = 900, *, at: int = 450, days: int = 6) -> Market:
    """A walk of which six days are missing in the middle."""
    market = walk(n_bars)
    times = to_ns(market.open_time).copy()
    times[at:] += pd.Timedelta(days=days).value
    index = pd.MultiIndex.from_arrays([["SYNTH/USD"] * n_bars, from_ns(times)], names=market.index.names)
    return Market(market.bars.set_axis(index), market.timeframe)


def test_a_gap_makes_the_default_embargo_eat_rows_and_that_is_told() -> None:
    market = with_gap()
    trainer = make_trainer(small_plan(), market)
    training = trainer.train(market)
    (sentence,) = training.warnings
    assert re.search(r"take \d\d% of the rows that fold \d could have learnt from", sentence)
    assert "usually lasts 6h, the longest 6d" in sentence
    assert "SYNTH/USD 2020-01-19" in sentence
    assert "set validation.embargo to 6h" in sentence


def test_the_advice_helps() -> None:
    market = with_gap()
    spans = LABELER.spans(market)
    careless, advised = PurgedKFold(3), PurgedKFold(3, embargo="6h")
    assert purging_cautions(spans, careless.folds(spans), careless)
    assert purging_cautions(spans, advised.folds(spans), advised) == ()


@pytest.mark.parametrize("splitter", [PurgedKFold(3), WalkForward(3), WalkForward(3, window=50)])
def test_ordinary_folds_are_not_worth_a_word(splitter: PurgedKFold | WalkForward) -> None:
    spans = LABELER.spans(walk())
    assert purging_cautions(spans, splitter.folds(spans), splitter) == ()


def test_long_labels_in_short_folds_are_told_without_talk_of_gaps() -> None:
    spans = ThresholdLabeler(horizon_bars=30, mode="fixed").spans(walk(300))
    splitter = PurgedKFold(4)
    (sentence,) = purging_cautions(spans, splitter.folds(spans), splitter)
    assert "Use fewer folds" in sentence
    assert "missing" not in sentence


def test_the_share_is_counted_exactly() -> None:
    hour = 3_600_000_000_000
    start = np.arange(60, dtype=np.int64) * hour
    spans = Spans(from_ns(start), start, start + 4 * hour)
    splitter = PurgedKFold(3, embargo=8)
    folds = splitter.folds(spans)
    assert [len(fold.train) for fold in folds] == [28, 24, 36]
    (sentence,) = purging_cautions(spans, folds, splitter)
    assert "take 40% of the rows that fold 1 could" in sentence
    assert "(more than 20% in 2 folds)" in sentence
    assert "shorter embargo" in sentence
