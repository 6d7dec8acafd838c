"""A training by schedule: what is judged and what is kept learn from windows of the same length."""

from __future__ import annotations

import numpy as np

from onward.training.assembly import make_trainer
from tests.unit.training.small_runs import panel, small_plan, walk

SCHEDULE = {"validation__method": "walk_forward", "validation__window": "10d", "validation__step": "4d"}


def test_every_fit_learns_from_ten_days_the_kept_one_from_the_newest() -> None:
    market = walk(600)
    trainer = make_trainer(small_plan(**SCHEDULE), market)
    learnt, learn = [], trainer.learn

    def noting(rows):
        learnt.append(rows)
        return learn(rows)

    trainer.learn = noting  # type: ignore[method-assign]
    training = trainer.train(market)
    assert [len(rows) for rows in learnt] == [240] * (len(training.folds) + 1)
    assert np.array_equal(learnt[-1].spans.start, training.dataset.spans.start[-240:])
    for rows, outcome in zip(learnt, training.folds, strict=False):
        assert rows.spans.end.max() < training.dataset.spans.start[outcome.fold.test].min()


def test_an_expanding_window_keeps_all_rows_for_the_final_fit() -> None:
    market = walk(400)
    trainer = make_trainer(small_plan(**SCHEDULE | {"validation__window": "expanding"}), market)
    learnt, learn = [], trainer.learn
    trainer.learn = lambda rows: (learnt.append(len(rows)), learn(rows))[1]  # type: ignore[method-assign]
    training = trainer.train(market)
    assert learnt[-1] == len(training.dataset)
    assert learnt == sorted(learnt)


def test_symbols_are_retrained_at_the_same_moments() -> None:
    market = panel(500)
    training = make_trainer(small_plan(**SCHEDULE), market).train(market)
    start, index = training.dataset.spans.start, training.dataset.spans.index
    for outcome in training.folds:
        test = outcome.fold.test
        assert set(index[test].get_level_values(0)) == set(market.symbols)
        apart = [start[test[index[test].get_level_values(0) == s]].min() for s in market.symbols]
        assert len(set(apart)) == 1
