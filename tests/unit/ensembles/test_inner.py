"""Out-of-fold predictions inside training rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.ensembles import FoldPrediction, derived_seed, predict_inner
from onward.ensembles.inner import InnerPredictions, consecutive_spans
from onward.errors import SplitError
from onward.splits import PurgedKFold, WalkForward
from onward.types import Fold
from tests.unit.ensembles.ensemble_rows import overlapping_spans

N = 60


def numbered(fold: Fold) -> FoldPrediction:
    """Predictions that carry the position of the row and the number of the fold."""
    said = np.zeros((2, len(fold.test), 3))
    said[0, :, 0], said[1, :, 0] = fold.test, fold.test + 1000
    return FoldPrediction(said, np.full(3, float(fold.number)), pd.DataFrame({"x": np.arange(N)}))


def made(splitter: PurgedKFold | WalkForward) -> InnerPredictions:
    return predict_inner(splitter.folds(overlapping_spans(N)), N, numbered)


def test_every_prediction_lands_on_its_row() -> None:
    found = made(PurgedKFold(4))
    assert found.rows.tolist() == list(range(N))
    np.testing.assert_array_equal(found.probability[0, :, 0], found.rows)
    np.testing.assert_array_equal(found.probability[1, :, 0], found.rows + 1000)
    np.testing.assert_array_equal(found.prior[:, 0], found.fold)
    for number, fold in enumerate(found.folds):
        np.testing.assert_array_equal(found.rows[found.fold == number], fold.test)


def test_rows_that_no_fold_tests_are_not_covered() -> None:
    found = made(WalkForward(3))
    assert 0 < len(found.rows) < N
    assert found.rows.min() > 0
    assert found.n_rows == N


def test_rows_that_do_not_count_leave_everywhere() -> None:
    counts = np.arange(N) % 3 != 0
    kept = made(PurgedKFold(4)).keep(counts)
    places = np.flatnonzero(counts)
    assert kept.n_rows == len(places)
    np.testing.assert_array_equal(kept.probability[0, :, 0], places[kept.rows])
    for fold, whole in zip(kept.folds, made(PurgedKFold(4)).folds, strict=True):
        np.testing.assert_array_equal(places[fold.train], whole.train[counts[whole.train]])
        np.testing.assert_array_equal(places[fold.test], whole.test[counts[whole.test]])
    assert all(table["x"].tolist() == places.tolist() for table in kept.tables)
    everything = made(PurgedKFold(4))
    assert everything.keep(np.ones(N, dtype=bool)) is everything


def test_a_fold_without_training_rows_is_refused() -> None:
    folds = PurgedKFold(3).folds(overlapping_spans(12, horizon=20))
    with pytest.raises(SplitError, match="too few training rows"):
        predict_inner(folds, 12, numbered)


def test_rows_without_spans_overlap_nowhere() -> None:
    (first, *_) = PurgedKFold(3).folds(consecutive_spans(9))
    assert len(first.train) + len(first.test) == 9


def test_seeds_of_parts_do_not_meet() -> None:
    paths = [(), (0,), (1,), (0, 0), (0, 1), (1, 0)]
    seeds = {derived_seed(seed, *path) for seed in (0, 1, 2) for path in paths}
    assert len(seeds) == 18
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert derived_seed(2**31 - 1, 5) == derived_seed(2**31 - 1, 5)
