"""Walk-forward by calendar: when it starts, what each retrain learns from, what it refuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.errors import SplitError
from onward.splits import RetrainingSchedule, WalkForward, final_rows
from onward.types import Fold, Spans

HOUR = 3_600_000_000_000


def spans_of(n, horizon=0, keep=None):
    times = pd.date_range("2024-01-01", periods=n + horizon, freq="h", tz="UTC", unit="ns")
    spans = Spans.from_times(times[:n], times[horizon:])
    return spans if keep is None else spans.take(np.array(keep, dtype=np.int64))


def test_the_first_retrain_waits_until_its_window_is_full():
    folds = WalkForward(step="2d", window="10d").folds(spans_of(24 * 20, horizon=6))
    assert len(folds[0].train) == 240
    # The last of 240 labels ends at the opening of row 245; the row after that is the first scored.
    assert (folds[0].train[0], folds[0].train[-1], folds[0].test[0]) == (0, 239, 246)
    assert {len(fold.train) for fold in folds} == {240}
    assert [len(fold.test) for fold in folds] == [48, 48, 48, 48, 42]


def test_bars_and_time_agree_where_nothing_is_missing():
    spans = spans_of(400, horizon=3)
    by_bars = WalkForward(step=24, window=100).folds(spans)
    by_time = WalkForward(step="24h", window="100h").folds(spans)
    for one, other in zip(by_bars, by_time, strict=True):
        assert one.train.tolist() == other.train.tolist()
        assert one.test.tolist() == other.test.tolist()


def test_an_expanding_window_starts_after_a_step_and_never_forgets():
    folds = WalkForward(step="1d").folds(spans_of(100, horizon=2))
    assert folds[0].test[0] == 24
    assert [fold.train[0] for fold in folds] == [0, 0, 0, 0]
    assert [fold.train[-1] for fold in folds] == [21, 45, 69, 93]


def test_the_schedule_waits_for_the_training_rows_that_it_needs():
    spans = spans_of(100, horizon=2)
    first = WalkForward(step=10, min_train_rows=37).folds(spans)[0]
    assert (len(first.train), first.test[0]) == (37, 39)
    with pytest.raises(SplitError, match="never scored takes all") as caught:
        WalkForward(step=10, min_train_rows=200).folds(spans)
    assert "min_train_rows=200" in str(caught.value)


def test_a_retrain_with_too_few_rows_is_refused():
    with pytest.raises(SplitError, match="fold 0 too few training rows") as caught:
        WalkForward(step=10, initial=20, min_train_rows=30).folds(spans_of(100))
    assert caught.value.got == "20 of min_train_rows=30"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 8), st.integers(0, 4), st.integers(1, 40), st.integers(0, 1000))
def test_a_retrain_knows_every_outcome_that_it_learns_from(horizon, embargo, step, seed):
    generator = np.random.default_rng(seed)
    whole = spans_of(220, horizon)
    ends = whole.end + generator.integers(0, 5, len(whole)) * HOUR
    spans = Spans(whole.index, whole.start, ends).take(np.sort(generator.choice(220, 200, replace=False)))
    splitter = WalkForward(step=step, window=60, embargo=embargo, min_train_rows=10)
    folds = splitter.folds(spans)
    schedule = RetrainingSchedule.of(spans, folds)
    assert (schedule.known_at + embargo * HOUR < schedule.scored_from).all()
    assert (schedule.n_train == 60).all()
    assert (schedule.scored_from[1:] > schedule.scored_until[:-1]).all()
    assert schedule.n_unscored + schedule.n_test.sum() == len(spans)


def test_a_schedule_in_words_and_tables():
    spans = spans_of(24 * 20, horizon=6)
    schedule = RetrainingSchedule.of(spans, WalkForward(step="2d", window="10d").folds(spans))
    assert len(schedule) == 5
    assert schedule.first_scored == pd.Timestamp("2024-01-11 06:00", tz="UTC")
    assert schedule.sentence == (
        "5 retrains, each on 240 rows, the last on 2024-01-19 06:00 UTC. The first scored decision is of "
        "2024-01-11 06:00 UTC; the 246 rows before it are never scored."
    )
    frame = schedule.frame()
    assert frame.index.tolist() == [0, 1, 2, 3, 4]
    assert frame["trained_from"].iloc[1] == pd.Timestamp("2024-01-03", tz="UTC")
    assert (frame["known_at"] < frame["scored_from"]).all()
    value = schedule.to_dict()
    assert value["n_retrains"] == 5
    assert value["first_scored"] == "2024-01-11T06:00:00+00:00"
    assert value["retrains"][4] == {
        "fold": 4,
        "trained_from": "2024-01-09T00:00:00+00:00",
        "trained_until": "2024-01-18T23:00:00+00:00",
        "known_at": "2024-01-19T05:00:00+00:00",
        "scored_from": "2024-01-19T06:00:00+00:00",
        "scored_until": "2024-01-20T23:00:00+00:00",
        "n_train": 240,
        "n_test": 42,
    }


def test_one_retrain_and_growing_windows_are_told_apart():
    spans = spans_of(60)
    one = RetrainingSchedule.of(spans, WalkForward(step=30, initial=30).folds(spans))
    assert one.sentence.startswith("1 retrain, on 30 rows. The first")
    growing = RetrainingSchedule.of(spans, WalkForward(step=15).folds(spans))
    assert growing.sentence.startswith("3 retrains, each on 15 to 45 rows, ")


@pytest.mark.parametrize("folds", [[], [Fold(0, np.zeros(0, dtype=np.int64), np.arange(3))]])
def test_folds_that_learn_nothing_have_no_schedule(folds):
    with pytest.raises(SplitError, match="learn something"):
        RetrainingSchedule.of(spans_of(10), folds)


@pytest.mark.parametrize(
    ("splitter", "words"),
    [
        (WalkForward(step="30d", initial="2d"), "step is longer than the data"),
        (WalkForward(step=101, initial=2), "step is longer than the data"),
        (WalkForward(step="30d"), "step is longer than the data"),
        (WalkForward(step=60, initial=100), "never scored takes all the data"),
        (WalkForward(step="1d", window="90d"), "never scored takes all the data"),
        (WalkForward(step="1d", window="6h"), "no longer than a label lasts"),
        (WalkForward(step=10, window=6), "no longer than a label lasts"),
    ],
    ids=repr,
)
def test_schedules_that_cannot_be(splitter, words):
    with pytest.raises(SplitError, match=words) as caught:
        splitter.folds(spans_of(100, horizon=6))
    assert caught.value.got
    assert caught.value.allowed
    assert caught.value.remedy


@pytest.mark.parametrize("step", [1, "1h"])
def test_more_retrains_than_anybody_waits_for_are_refused(step):
    with pytest.raises(SplitError, match="too many retrains") as caught:
        WalkForward(step=step, initial=10).folds(spans_of(10_100, horizon=6))
    assert "10,000" in str(caught.value.allowed)


@pytest.mark.parametrize("value", [-1, 2.5, True, "many"])
def test_min_train_rows_is_a_count(value):
    with pytest.raises(SplitError, match="min_train_rows"):
        WalkForward(step=10, min_train_rows=value)


def test_a_hole_stretches_few_labels_and_forbids_no_window():
    """Labels count bars: those before a hole of a month last a month, and a window of a week is fine."""
    whole = spans_of(24 * 90, horizon=0)
    rows = np.r_[0 : 24 * 30, 24 * 60 : 24 * 90]
    end = whole.end[np.append(rows[6:], np.full(6, rows[-1]))]
    spans = Spans(whole.index[rows], whole.start[rows], end)
    assert spans.longest > 30 * 24 * HOUR
    folds = WalkForward(step="7d", window="7d").folds(spans)
    assert min(len(fold.train) for fold in folds) > 0


def test_the_fit_that_is_kept_learns_from_as_much_as_those_that_were_judged():
    spans = spans_of(400, horizon=3)
    splitter = WalkForward(step=24, window="100h")
    assert final_rows(spans, splitter.training_window).tolist() == list(range(300, 400))
    assert final_rows(spans, WalkForward(step=24, window=50).training_window).tolist() == list(
        range(350, 400)
    )
    assert final_rows(spans).tolist() == list(range(400))
    panel = spans.take(np.tile(np.arange(400), 2))
    assert final_rows(panel, splitter.training_window).tolist() == [*range(300, 400), *range(700, 800)]
