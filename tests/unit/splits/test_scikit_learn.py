"""Splitters where scikit-learn takes a cv, and what happens when rows and spans do not match."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score

from onward.errors import SplitError
from onward.labels import ThresholdLabeler
from onward.splits import CombinatorialPurgedKFold, PurgedKFold, WalkForward
from onward.testing.markets import random_walk
from onward.types import Spans


@pytest.fixture(scope="module")
def labels():
    market = random_walk(300, symbols=("A", "B"), seed=5)
    return ThresholdLabeler(horizon_bars=8, mode="fixed", threshold=0.01).label(market)


@pytest.fixture(scope="module")
def X(labels):
    return pd.DataFrame(
        np.random.default_rng(0).normal(size=(len(labels), 3)), labels.spans.index, columns=list("abc")
    )


@pytest.mark.parametrize("cls", [PurgedKFold, WalkForward, CombinatorialPurgedKFold])
def test_cross_val_score(cls, labels, X):
    splitter = cls(spans=labels.spans)
    scores = cross_val_score(LogisticRegression(), X, labels.y, cv=splitter)
    assert len(scores) == splitter.get_n_splits()
    assert np.isfinite(scores).all()


def test_cross_val_predict_covers_every_row(labels, X):
    predicted = cross_val_predict(LogisticRegression(), X, labels.y, cv=PurgedKFold(4, spans=labels.spans))
    assert predicted.shape == labels.y.shape


class Recorder(LogisticRegression):
    """Remembers the rows of every fit."""

    seen = []  # noqa: RUF012

    def fit(self, X, y, sample_weight=None):
        self.seen.append(X.index)
        return super().fit(X, y, sample_weight)


def test_nested_search_never_trains_on_what_it_scores(labels, X):
    splitter = PurgedKFold(3, spans=labels.spans)
    Recorder.seen.clear()
    search = GridSearchCV(Recorder(), {"C": [0.1, 1.0]}, cv=splitter, refit=True)
    cross_val_score(search, X, labels.y, cv=PurgedKFold(4, spans=labels.spans))
    fits = iter(Recorder.seen)
    for outer in PurgedKFold(4).folds(labels.spans):
        inside = labels.spans.take(outer.train)
        inner = PurgedKFold(3).folds(inside)
        for _ in range(2):
            for fold in inner:
                assert next(fits).equals(inside.index[fold.train])
        assert next(fits).equals(inside.index)
    assert next(fits, None) is None


def test_arrays_are_matched_by_position(labels, X):
    splitter = PurgedKFold(4, spans=labels.spans)
    expected = [train.tolist() for train, _ in splitter.split(X)]
    for other in (X.to_numpy(), X.to_numpy().tolist(), X.reset_index(drop=True)):
        assert [train.tolist() for train, _ in splitter.split(other)] == expected


def test_series_and_frames_are_matched_by_index(labels, X):
    splitter = PurgedKFold(4, spans=labels.spans)
    for train, test in splitter.split(X["a"].iloc[::-3]):
        assert not np.isin(train, test).any()
        assert max(train.max(), test.max()) < len(X.iloc[::-3])


def test_a_splitter_without_spans_says_what_to_pass(X):
    with pytest.raises(SplitError, match="does not know when the labels end") as caught:
        next(PurgedKFold().split(X))
    assert "spans=labels.spans" in caught.value.remedy


def test_labels_are_not_spans(labels, X):
    with pytest.raises(SplitError, match="spans = Labels"):
        next(PurgedKFold(spans=labels).split(X))


def test_rows_that_have_no_span(labels, X):
    splitter = PurgedKFold(spans=labels.spans.take(np.arange(100)))
    with pytest.raises(SplitError, match=f"{len(X) - 100} of {len(X)} rows") as caught:
        next(splitter.split(X))
    assert "labels.spans.index" in caught.value.remedy


@pytest.mark.parametrize("change", [lambda x: x.droplevel(0), lambda x: x.iloc[3:9].reset_index()])
def test_rows_that_cannot_be_told_apart_are_not_guessed(labels, X, change):
    with pytest.raises(SplitError):
        next(PurgedKFold(spans=labels.spans).split(change(X)))


def test_times_without_a_zone_do_not_match():
    times = pd.date_range("2024-01-01", periods=20, freq="h", tz="UTC")
    spans = Spans.from_times(times[:-1], times[1:])
    frame = pd.DataFrame({"x": np.zeros(19)}, index=times[:-1].tz_localize(None))
    with pytest.raises(SplitError, match="rows of X have no span") as caught:
        next(PurgedKFold(spans=spans).split(frame))
    assert "UTC" in caught.value.remedy


def test_repeated_rows_are_refused(labels, X):
    twice = X.iloc[[0, 0, 1, 2, 3]]
    with pytest.raises(SplitError, match="index of X names a row more than once"):
        next(PurgedKFold(spans=labels.spans).split(twice))
    spans = labels.spans.take(np.array([0, 0, 1, 2]))
    with pytest.raises(SplitError, match="index of the spans names a row more than once"):
        next(PurgedKFold(spans=spans).split(X.iloc[:3]))


def test_arrays_of_another_length_are_refused(labels, X):
    with pytest.raises(SplitError, match=f"10 rows of X for {len(X)} spans") as caught:
        next(PurgedKFold(spans=labels.spans).split(X.to_numpy()[:10]))
    assert "nested" in caught.value.remedy
