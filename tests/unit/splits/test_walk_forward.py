import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from onward.errors import SplitError
from onward.splits import WalkForward
from onward.splits.extent import told_length
from onward.types import Spans

REFERENCES = Path(__file__).parents[2] / "fixtures" / "references"
CASES = json.loads((REFERENCES / "cv.json").read_text())["walk_forward"]
SKFOLIO = json.loads((REFERENCES / "cpcv_skfolio.json").read_text())["walk_forward"]


def spans_of(n, horizon=0, keep=None):
    times = pd.date_range("2024-01-01", periods=n + horizon, freq="h", tz="UTC", unit="ns")
    spans = Spans.from_times(times[:n], times[horizon:])
    return spans if keep is None else spans.take(np.array(keep, dtype=np.int64))


@pytest.mark.parametrize("as_horizon", [True, False], ids=["gap as label horizon", "gap as embargo"])
@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_folds_as_published(case, as_horizon):
    horizon, embargo = (case["gap"], 0) if as_horizon else (0, case["gap"])
    splitter = WalkForward(
        step=case["step"], initial=case["initial"], embargo=embargo, window=case["rolling_window"]
    )
    folds = splitter.folds(spans_of(case["n"], horizon))
    assert [[fold.test[0], fold.test[-1]] for fold in folds] == [s["test"] for s in case["splits"]]
    for fold, split in zip(folds, case["splits"], strict=True):
        assert fold.train.tolist() == list(range(split["train"][0], split["train"][1] + 1))


@pytest.mark.parametrize("case", SKFOLIO, ids=range(len(SKFOLIO)))
def test_rolling_folds_equal_skfolio(case):
    purged = case["purged_size"]
    splitter = WalkForward(
        step=case["test_size"], initial=case["train_size"] + purged, window=case["train_size"]
    )
    folds = splitter.folds(spans_of(case["n"], purged))
    assert len(folds) >= len(case["splits"])  # skfolio drops the shorter last block
    for fold, split in zip(folds, case["splits"], strict=False):
        assert fold.test.tolist() == split["test"]
        assert fold.train.tolist() == split["train"]


def test_the_first_block_is_never_scored():
    folds = WalkForward(4).folds(spans_of(50))
    assert [(fold.test[0], fold.test[-1]) for fold in folds] == [(10, 19), (20, 29), (30, 39), (40, 49)]
    assert WalkForward(4, initial=42).folds(spans_of(50))[0].test.tolist() == [42, 43]


def test_lengths_in_time_follow_the_clock_across_gaps():
    spans = spans_of(100, keep=[*range(10), *range(35, 60)])
    folds = WalkForward(step="10h", initial="10h").folds(spans)
    hours = [(fold.test[0], fold.test[-1]) for fold in folds]
    assert hours == [(10, 19), (20, 29), (30, 34)]  # positions: the clock starts again at hour 35
    rolling = WalkForward(step="10h", initial="10h", window="5h").folds(spans)
    assert rolling[1].train.tolist() == [15, 16, 17, 18, 19]


def test_windows_in_bars_count_decision_times_across_gaps():
    spans = spans_of(100, keep=[*range(10), *range(50, 60)])
    fold = WalkForward(step=5, initial=12, window=4).folds(spans)[0]
    assert fold.train.tolist() == [8, 9, 10, 11]


def test_the_number_of_folds_follows_from_the_step():
    spans = spans_of(53)
    assert WalkForward(step=10, initial=20, spans=spans).get_n_splits() == 4
    assert WalkForward(step=10, initial=20, spans=spans).get_n_splits(np.zeros(53)) == 4
    assert WalkForward().get_n_splits() == 5
    assert WalkForward(embargo=None) == WalkForward()
    with pytest.raises(SplitError, match="does not know when the labels end"):
        WalkForward(step=10).get_n_splits()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"n_splits": 0}, "n_splits"),
        ({"n_splits": 2.5}, "n_splits"),
        ({"n_splits": 3, "step": 5}, "not both"),
        ({"step": 0}, "step"),
        ({"step": "0h"}, "step"),
        ({"initial": "yesterday"}, "initial"),
        ({"window": -1}, "window"),
        ({"window": True}, "window"),
        ({"embargo": "-1h"}, "embargo"),
    ],
)
def test_arguments_that_make_no_sense(arguments, what):
    with pytest.raises(SplitError, match=what) as caught:
        WalkForward(**arguments)
    assert caught.value.allowed
    assert caught.value.remedy


@pytest.mark.parametrize(
    "splitter",
    [
        WalkForward(10),
        WalkForward(3, initial=8),
        WalkForward(step=10),
        WalkForward(step=2, initial=10),
        WalkForward(step=2, initial="10h"),
    ],
)
def test_too_few_decision_times(splitter):
    with pytest.raises(SplitError, match="decision times"):
        splitter.folds(spans_of(10))


@pytest.mark.parametrize("step", ["5m", "59min", pd.Timedelta(1)])
def test_a_step_shorter_than_a_bar_is_refused(step):
    with pytest.raises(SplitError, match=r"shorter than one bar.*bars of 1 h") as caught:
        WalkForward(step=step, initial=10).folds(spans_of(50))
    assert caught.value.remedy
    assert len(WalkForward(step="1h", initial=10).folds(spans_of(50))) == 40


@pytest.mark.parametrize(
    ("seconds", "words"), [(1e-9, "1 s"), (5_400, "1 h 30 min"), (345_600, "4 d"), (104_461, "1 d 5 h")]
)
def test_lengths_of_time_are_told_in_words(seconds, words):
    assert told_length(int(seconds * 1_000_000_000)) == words
