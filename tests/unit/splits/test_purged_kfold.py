import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onward.errors import SplitError
from onward.splits import PurgedKFold
from onward.types import Spans

CASES = json.loads((Path(__file__).parents[2] / "fixtures" / "references" / "cv.json").read_text())[
    "purged_kfold"
]


def spans_of(ends, freq="h"):
    times = pd.date_range("2024-01-01", periods=max(ends) + 1, freq=freq, tz="UTC", unit="ns")
    return Spans.from_times(times[: len(ends)], times[list(ends)])


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['name']}-{c['k']}-{c['embargo_bars']}")
def test_folds_as_published(case):
    spans = spans_of(case["t1"])
    for embargo in (case["embargo_bars"], f"{case['embargo_bars']}h"):
        splitter = PurgedKFold(case["k"], spans=spans, embargo=embargo)
        folds = list(splitter.split(np.zeros((case["n"], 2))))
        assert [[int(test[0]), int(test[-1])] for _, test in folds] == case["test"]
        assert [train.tolist() for train, _ in folds] == case["train_strict"]


def test_the_length_of_a_bar_does_not_matter():
    ends = [min(i + 3, 29) for i in range(30)]
    for freq in ("min", "D"):
        folds = PurgedKFold(4, embargo=2).folds(spans_of(ends, freq))
        expected = PurgedKFold(4, embargo=2).folds(spans_of(ends))
        assert [f.train.tolist() for f in folds] == [f.train.tolist() for f in expected]


def test_every_row_is_tested_once():
    folds = PurgedKFold(7).folds(spans_of([min(i + 3, 59) for i in range(60)]))
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(60))


def test_two_equal_splitters_are_equal():
    spans = spans_of(range(10))
    assert PurgedKFold(3, spans=spans) == PurgedKFold(3)
    assert PurgedKFold(3) != PurgedKFold(4)
    assert repr(PurgedKFold(3, spans=spans, embargo="1h")) == "PurgedKFold(embargo='1h', n_splits=3)"


@pytest.mark.parametrize("n_splits", [1, 0, -2, 2.0, "5", None, True])
def test_counts_of_folds_that_make_no_sense(n_splits):
    with pytest.raises(SplitError, match="n_splits is not a usable count"):
        PurgedKFold(n_splits)


@pytest.mark.parametrize(
    "embargo", [-1, "-3h", "soon", "", 1.5, True, pd.NaT, np.timedelta64("NaT"), [3], pd.Timedelta("-1h")]
)
def test_embargoes_that_make_no_sense(embargo):
    with pytest.raises(SplitError, match="embargo is not a length along the timeline") as caught:
        PurgedKFold(embargo=embargo)
    assert "36h" in caught.value.allowed


def test_more_folds_than_decision_times():
    with pytest.raises(SplitError, match="4 decision times for 5 blocks"):
        PurgedKFold(5).folds(spans_of(range(4)))
    assert len(PurgedKFold(4).folds(spans_of(range(4)))) == 4


def test_spans_that_are_damaged():
    good = spans_of(range(8))
    with pytest.raises(SplitError, match="nothing to split"):
        PurgedKFold(2).folds(good.take(np.zeros(8, dtype=bool)))
    with pytest.raises(SplitError, match="ends before it starts"):
        PurgedKFold(2).folds(Spans(good.index, good.start, good.end - 1))
    with pytest.raises(SplitError, match="differ in length"):
        PurgedKFold(2).folds(Spans(good.index, good.start, good.end[:-1]))
