"""Votes: equal, or by skill on rows that nobody learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from onward.ensembles import VotingModel, skill_weights, weighted_mean
from onward.errors import ModelError
from onward.testing.models import example_rows
from tests.unit.ensembles.ensemble_rows import overlapping_rows, probabilities

QUICK = {"lightgbm": {"n_rounds": 5}, "logistic": {"max_passes": 20}}


def test_equal_votes_are_the_mean() -> None:
    X, y = example_rows(200)
    vote = VotingModel(members=("lightgbm", "logistic"), parameters=QUICK, n_threads=1).fit(X, y)
    alone = [part.predict_proba(X) for part in vote.parts_]
    np.testing.assert_allclose(vote.predict_proba(X), np.mean(alone, axis=0), atol=1e-15)
    assert vote.shares().tolist() == [0.5, 0.5]


def test_skill_is_what_the_prior_does_not_know() -> None:
    y = np.tile([-1, 0, 1], 20)
    prior = np.full((60, 3), 1 / 3)
    right = 0.6 * np.eye(3)[y + 1] + 0.4 / 3
    better = 0.3 * np.eye(3)[y + 1] + 0.7 / 3
    wrong = 0.6 * np.eye(3)[-y + 1] + 0.4 / 3
    ones = np.ones(60)
    loss = [-np.log(p[0].max()) for p in (prior, better, right)]
    expected = np.array([loss[0] - loss[1], loss[0] - loss[2]])
    weights = skill_weights(np.stack([better, right, wrong]), prior, y, ones)
    np.testing.assert_allclose(weights, [*expected / expected.sum(), 0.0], atol=1e-12)
    assert skill_weights(np.stack([wrong, prior]), prior, y, ones).tolist() == [0.5, 0.5]
    assert skill_weights(np.stack([right, right])[:, :0], prior[:0], y[:0], ones[:0]).tolist() == [0.5, 0.5]
    only_flat = np.where(y == 0, 1.0, 0.0)
    assert skill_weights(np.stack([right, wrong]), prior, y, only_flat).tolist() == [0.5, 0.5]


def test_votes_on_a_fold_do_not_hang_on_its_outcomes() -> None:
    X, y, spans = overlapping_rows()
    vote = VotingModel(members=("lightgbm", "logistic"), parameters=QUICK, votes="score", n_threads=1)
    given = vote.prepare(X, y).data
    inner = vote._inner(type(given)(given.values, spans), y, None)
    said = vote.cross_fitted(inner, y, lambda rows: np.ones(len(rows)))
    for number, fold in enumerate(inner.folds):
        other = y.copy()
        other[fold.test] = -other[fold.test]
        again = vote.cross_fitted(inner, other, lambda rows: np.ones(len(rows)))
        np.testing.assert_array_equal(again[inner.fold == number], said[inner.fold == number])


def test_the_mean_of_a_row_ignores_its_batch() -> None:
    parts = np.stack([probabilities(50, seed=s) for s in range(7)])
    weights = np.random.default_rng(1).dirichlet(np.ones(7))
    whole = weighted_mean(parts, weights)
    np.testing.assert_array_equal(weighted_mean(parts[:, 3:4], weights), whole[3:4])
    np.testing.assert_allclose(whole, np.tensordot(weights, parts, 1), atol=1e-15)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"members": ()}, ["too few members", "ensemble.method to none"]),
        ({"members": ("lightgbm",)}, ["too few members", "2 different models"]),
        ({"members": "lightgbm"}, ["too few members"]),
        ({"members": ("lightgbm", "lightgbm")}, ["twice", "Name 'lightgbm' once"]),
        ({"members": ("lightgbm", "lightgmb")}, ["no model of this name", "Did you mean 'lightgbm'?"]),
        ({"votes": "loud"}, ["votes is unknown", "equal or score"]),
        ({"parameters": {"lightgbm": {"n_round": 3}}}, ["no parameter 'n_round'", "n_rounds"]),
        ({"parameters": {"lightgbm": {"seed": 3}}}, ["no parameter 'seed'"]),
    ],
)
def test_what_cannot_vote_is_refused(changes: dict[str, object], words: list[str]) -> None:
    X, y = example_rows(60)
    with pytest.raises(ModelError) as caught:
        VotingModel(**changes).fit(X, y)  # type: ignore[arg-type]
    for word in words:
        assert word in str(caught.value)
    assert caught.value.got
    assert caught.value.allowed


def test_spans_and_predictions_of_other_rows_are_refused() -> None:
    X, y, spans = overlapping_rows(120)
    vote = VotingModel(members=("lightgbm", "logistic"), parameters=QUICK, votes="score", n_threads=1)
    with pytest.raises(ModelError, match="one span a row"):
        vote.fit(X, y, spans=spans.take(np.arange(119)))
    given = vote.prepare(X, y).data
    inner = vote._inner(type(given)(given.values, spans), y, None)
    with pytest.raises(ModelError, match="2 members on 100 rows"):
        vote.fit(X[:100], y[:100], spans=spans.take(np.arange(100)), inner=inner)
