"""Bags that know how labels overlap, and rows that are really outside them."""

from __future__ import annotations

import numpy as np
import pytest

from onward.ensembles import Bag, BaggedModel, out_of_bag
from onward.errors import ModelError
from onward.kernels.intervals import overlaps_any_reference
from onward.testing.models import example_rows
from tests.unit.ensembles.ensemble_rows import overlapping_rows, overlapping_spans

QUICK = {"lightgbm": {"n_rounds": 5}, "logistic": {"max_passes": 20}}


def bagged(**changes: object) -> BaggedModel:
    given = {"parameters": {"lightgbm": {"n_rounds": 5}}, "n_estimators": 4, "n_threads": 1}
    return BaggedModel(**{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("bootstrap", ["block", "sequential"])
def test_bags_are_of_the_size_asked_for_and_differ(bootstrap: str) -> None:
    _, y, spans = overlapping_rows()
    bags = bagged(bootstrap=bootstrap, sample_share=0.25).bags(spans, y)
    assert [bag.count.sum() for bag in bags] == [100.0] * 4
    assert all((np.diff(bag.rows) > 0).all() for bag in bags)
    assert len({tuple(bag.rows) for bag in bags}) == 4
    again = bagged(bootstrap=bootstrap, sample_share=0.25).bags(spans, y)
    assert [bag.rows.tolist() for bag in again] == [bag.rows.tolist() for bag in bags]


def test_no_row_outside_a_bag_shares_an_instant_with_it() -> None:
    spans = overlapping_spans(200, horizon=6)
    _, y, _ = overlapping_rows(200)
    for bag in bagged(sample_share=0.3).bags(spans, y):
        outside = out_of_bag(spans, bag)
        touches = overlaps_any_reference(spans.start, spans.end, spans.start[bag.rows], spans.end[bag.rows])
        np.testing.assert_array_equal(outside, ~touches)
        assert outside.any()
        not_drawn = np.setdiff1d(np.arange(200), bag.rows)
        assert outside.sum() < len(not_drawn)
    one = out_of_bag(spans, Bag(np.array([100]), np.ones(1)))
    assert np.flatnonzero(~one).tolist() == list(range(94, 107))


def test_a_row_that_is_drawn_twice_counts_twice() -> None:
    X, y, spans = overlapping_rows(150)
    weight = np.random.default_rng(0).uniform(0.5, 1.5, 150)
    model = bagged(members=("logistic",), parameters=QUICK, sample_share=1.0).fit(X, y, weight, spans=spans)
    bag = model.bags(spans, y)[0]
    assert bag.count.max() > 1
    alone = model.new_estimator(0).fit(X.iloc[bag.rows], y[bag.rows], weight[bag.rows] * bag.count)
    np.testing.assert_array_equal(alone.predict_proba(X), model.parts_[0].predict_proba(X))


def test_members_take_turns() -> None:
    X, y = example_rows(150)
    model = bagged(members=("lightgbm", "logistic"), parameters=QUICK, n_estimators=3).fit(X, y)
    assert [type(part).name for part in model.parts_] == ["lightgbm", "logistic", "lightgbm"]


def test_a_bag_of_one_class_is_drawn_again() -> None:
    spans = overlapping_spans(200)
    y = np.where(np.arange(200) < 150, -1, 1)  # two long runs: many blocks lie in one of them
    bags = bagged(sample_share=0.05, n_estimators=8).bags(spans, y)
    assert all(len(set(y[bag.rows])) == 2 for bag in bags)
    rare = np.full(200, -1)
    rare[0] = 1
    with pytest.raises(ModelError, match="one class only") as caught:
        bagged(sample_share=0.01, n_estimators=30).bags(spans, rare)
    assert "ensemble.sample_share" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"members": ()}, "too few members"),
        ({"members": ("lightgbm", "lightgbm")}, "twice"),
        ({"n_estimators": 0}, "number of estimators"),
        ({"n_estimators": 2.5}, "number of estimators"),
        ({"n_estimators": True}, "number of estimators"),
        ({"sample_share": 0.0}, "share of rows"),
        ({"sample_share": 1.5}, "share of rows"),
        ({"sample_share": float("nan")}, "share of rows"),
        ({"bootstrap": "bock"}, "no bootstrap"),
    ],
)
def test_what_cannot_be_bagged_is_refused(changes: dict[str, object], words: str) -> None:
    X, y = example_rows(60)
    with pytest.raises(ModelError, match=words) as caught:
        bagged(**changes).fit(X, y)
    assert caught.value.allowed
    assert caught.value.remedy
