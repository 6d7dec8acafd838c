"""Pruning, records, pooling and open questions: the decisions inside a search, one by one."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.errors import LabelError
from onward.evaluation import OutOfFold
from onward.evaluation.metrics import direction_auc, range_auc
from onward.labels import ThresholdLabeler
from onward.testing.markets import random_walk
from onward.training.optimization.pooling import judge_apart, ranked_inside_folds
from onward.training.optimization.pruning import LEAST_FINISHED, LEAST_RIVALS, is_hopeless
from onward.training.optimization.questions import OpenQuestion, answered, require_inside
from onward.training.optimization.records import packed_sides, unpacked_sides
from onward.types import Spans, from_ns

WALK = random_walk(80, seed=1)
RIVALS = [(0.1,), (0.2, 0.4), (0.3, 0.1), (0.4, 0.6)]


def test_below_the_median_of_those_that_came_as_far_a_trial_is_stopped() -> None:
    assert is_hopeless("median", [0.2], RIVALS)
    assert not is_hopeless("median", [0.25], RIVALS)
    assert not is_hopeless("median", [0.0, 0.0], RIVALS)  # three others came to the second fold
    assert is_hopeless("median", [0.9, -0.9], [*RIVALS, (0.0, 0.2)])
    assert not is_hopeless("none", [-9.0], RIVALS)


def test_halving_lets_one_in_three_go_on() -> None:
    rivals = [(score,) for score in (0.1, 0.2, 0.3, 0.4, 0.5)]
    assert is_hopeless("halving", [0.35], rivals)
    assert not is_hopeless("halving", [0.45], rivals)


def test_racing_stops_what_is_behind_the_best_over_the_same_folds() -> None:
    finished = [(0.1, 0.1), (0.5, 0.1), (0.3, 0.4), (0.2, 0.2)] * 2
    assert len(finished) == LEAST_FINISHED
    assert is_hopeless("racing", [0.29], finished)
    assert not is_hopeless("racing", [0.3], finished)
    assert not is_hopeless("racing", [0.2], finished[:-1])


def test_scores_that_are_not_defined_stop_nothing() -> None:
    assert not is_hopeless("median", [math.nan], RIVALS)
    assert not is_hopeless("median", [-1.0], [(math.nan,)] * 9 + RIVALS[: LEAST_RIVALS - 1])
    assert not is_hopeless("median", [], RIVALS)


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0, math.nan]), min_size=1, max_size=300))
def test_sides_survive_their_packing(values: list[float]) -> None:
    side = np.array(values)
    assert np.array_equal(unpacked_sides(packed_sides(side)), side, equal_nan=True)


def questions(n: int = 600, seed: int = 0) -> OutOfFold:
    """Folds without any skill inside, whose range class is more or less frequent; each knows how much."""
    generator = np.random.default_rng(seed)
    fold = np.repeat(np.arange(5), n // 5)
    frequent = np.array([0.7, 0.2, 0.5, 0.3, 0.6])[fold]
    y = np.where(generator.random(n) < frequent, 0, generator.choice([-1, 1], n)).astype(np.int64)
    level = np.clip(frequent + generator.normal(0, 0.02, n), 0.01, 0.98)
    tilt = generator.uniform(0.4, 0.6, n)
    probability = np.column_stack([(1 - level) * tilt, level, (1 - level) * (1 - tilt)])
    prior = np.column_stack([(1 - frequent) / 2, frequent, (1 - frequent) / 2])
    start = 1_577_836_800_000_000_000 + 3_600_000_000_000 * np.arange(n, dtype=np.int64)
    index = pd.MultiIndex.from_product([["X/USD"], from_ns(start)], names=("symbol", "open_time"))
    spans = Spans(index, start, start + 6 * 3_600_000_000_000)
    return OutOfFold(spans, fold, y, probability, prior, {"momentum": probability}, 1.0)


def test_folds_that_know_only_their_question_have_no_skill_when_pooled() -> None:
    oof = questions()
    terms = {"lookback": 0, "n_shifts": 200, "seed": 0, "looked_at": 1}
    fooled = judge_apart(oof, mixed=False, **terms)
    judged = judge_apart(oof, mixed=True, **terms)
    assert fooled.scores.pooled.range_auc > 0.6
    assert judged.scores.pooled.range_auc == pytest.approx(0.5, abs=0.06)
    assert fooled.bands.range.p < 0.1  # the verdict itself gives no credit for what is drift here
    assert judged.verdict.range.corrected_p > fooled.bands.range.p
    assert judged.scores.pooled.range_auc == pytest.approx(judged.bands.range.observed)
    assert judged.scores.baselines["momentum"].range_auc == judged.scores.pooled.range_auc
    assert judged.scores.pooled.log_loss == fooled.scores.pooled.log_loss


def test_skill_inside_folds_is_what_it_was() -> None:
    generator = np.random.default_rng(1)
    y = generator.integers(-1, 2, 200)
    raw = generator.random((200, 3)) + 0.4 * np.eye(3)[y + 1]
    probability = raw / raw.sum(axis=1, keepdims=True)
    fold = np.repeat([3, 8], 100)
    ranked = ranked_inside_folds(probability, fold)
    assert ranked.min() > 0.0
    assert ranked.sum(axis=1) == pytest.approx(1.0)
    for number in (3, 8):
        rows = fold == number
        assert direction_auc(ranked[rows], y[rows]) == pytest.approx(
            direction_auc(probability[rows], y[rows])
        )
        assert range_auc(ranked[rows], y[rows]) == pytest.approx(range_auc(probability[rows], y[rows]))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30))
def test_spans_of_an_open_question_hold_those_of_every_horizon(horizon: int, longest: int) -> None:
    market = WALK
    horizon = min(horizon, longest)
    outer = OpenQuestion(longest).spans(market)
    inner = ThresholdLabeler(mode="fixed", horizon_bars=horizon).spans(market)
    place = inner.index.get_indexer(outer.index)
    assert (place >= 0).all()
    assert (inner.end[place] <= outer.end).all()
    assert (inner.start[place] == outer.start).all()


def test_labels_beyond_the_longest_horizon_are_refused() -> None:
    market = random_walk(60, seed=1)
    limit = np.full(len(market), np.iinfo(np.int64).max)
    short = OpenQuestion(4).spans(market)
    limit[market.index.get_indexer(short.index)] = short.end
    longer = ThresholdLabeler(mode="fixed", horizon_bars=5).spans(market)
    rows = market.index.get_indexer(longer.index)
    with pytest.raises(LabelError, match=r"later than labels\.horizon_bars"):
        require_inside(longer, rows, limit, np.ones(len(market), dtype=bool))
    require_inside(longer, rows, limit, np.zeros(len(market), dtype=bool))


def test_a_wrapped_question_is_answered_inside_its_wrapper() -> None:
    from onward.audit.training import RedrawnLabeler

    market, chosen = random_walk(80, seed=1), ThresholdLabeler(mode="fixed", horizon_bars=3)
    question = OpenQuestion(6)
    assert answered(question, chosen) is chosen
    assert answered(chosen, ThresholdLabeler()) is chosen
    redrawn = RedrawnLabeler(question, market, np.arange(10, 20), style="rise")
    inside = answered(redrawn, chosen)
    assert isinstance(inside, RedrawnLabeler)
    assert inside.inner is chosen
    assert (inside.label(market).y[10:20] != chosen.label(market).y[10:20]).any()
    assert np.array_equal(inside.label(market).y[30:], chosen.label(market).y[30:])
