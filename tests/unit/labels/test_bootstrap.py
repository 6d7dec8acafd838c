import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.errors import LabelError
from onward.kernels.bootstrap import sequential_draws
from onward.labels import (
    ThresholdLabeler,
    average_uniqueness,
    block_bootstrap,
    draw_probabilities,
    sequential_bootstrap,
)
from onward.testing.markets import random_walk
from onward.types import Spans

REFERENCES = Path(__file__).parents[2] / "fixtures" / "references"
PUBLISHED = json.loads((REFERENCES / "seq_bootstrap.json").read_text())


def spans_of(first, last, symbols=None):
    start, end = np.array(first, dtype=np.int64) * 60, np.array(last, dtype=np.int64) * 60
    times = pd.DatetimeIndex(start)
    index = times if symbols is None else pd.MultiIndex.from_arrays([symbols, times])
    return Spans(index, start, end)


@pytest.mark.parametrize("example", ["book_example_AFML_4_5_3", "generated"])
def test_chances_as_published(example):
    matrix = np.array(PUBLISHED[example]["ind_matrix_rows_are_bars"]).T
    held = [np.flatnonzero(row) for row in matrix]
    spans = spans_of([bars[0] for bars in held], [bars[-1] for bars in held])
    assert all(len(bars) == bars[-1] - bars[0] + 1 for bars in held)
    for step in PUBLISHED[example]["steps"]:
        np.testing.assert_allclose(draw_probabilities(spans, step["drawn"]), step["prob"], rtol=0, atol=1e-9)
    everything = average_uniqueness(spans)
    np.testing.assert_allclose(everything, PUBLISHED[example]["avg_uniqueness_all_drawn_once"], atol=1e-9)


def test_the_worked_example_of_the_book():
    spans = spans_of([0, 2, 4], [2, 3, 5])
    np.testing.assert_allclose(draw_probabilities(spans, [1]), [5 / 14, 3 / 14, 6 / 14], rtol=1e-12)
    np.testing.assert_allclose(draw_probabilities(spans, [1, 2]), [5 / 11, 3 / 11, 3 / 11], rtol=1e-12)


LABELS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 6), st.sampled_from("AB")), min_size=1, max_size=12
)


@settings(max_examples=40)
@given(LABELS, st.integers(0, 1_000))
def test_draws_follow_the_chances_one_by_one(labels, seed):
    first = [a for a, _, _ in labels]
    spans = spans_of(first, [a + length for a, length, _ in labels], [s for *_, s in labels])
    drawn = sequential_bootstrap(spans, 15, seed)
    uniform = np.random.default_rng(seed).random(15)
    keys = [(symbol, a) for a, _, symbol in labels]
    order = np.array(
        sorted(range(len(labels)), key=lambda row: keys[row])
    )  # stable, as the draws are laid out
    for draw in range(15):
        chance = draw_probabilities(spans, drawn[:draw])[order]
        edges = np.concatenate(([0.0], np.cumsum(chance)))
        place = int(np.flatnonzero(order == drawn[draw])[0])
        assert edges[place] - 1e-9 <= uniform[draw] <= edges[place + 1] + 1e-9


def test_instants_are_bars_where_the_market_is_given():
    market = random_walk(80)
    holed = market.replace(bars=market.bars.drop(index=market.index[20:50]))
    spans = ThresholdLabeler(horizon_bars=3, mode="fixed").spans(holed)
    chance = draw_probabilities(spans, [17], market=holed)
    unique = chance / chance[0]  # the first label shares nothing with the one drawn
    # Label 17 lies on bars 17, 18, 19 and, across the hole, 50; label 19 shares 19 and 50 of its four.
    np.testing.assert_allclose(unique[[17, 19, 20, 21]], [0.5, 0.75, 0.875, 1.0])
    by_clock = draw_probabilities(spans, [17])
    assert by_clock[20] / by_clock[0] == pytest.approx(1.0 - 0.5 / 4)
    assert by_clock[19] / by_clock[0] == pytest.approx(1.0 - 0.5 * 32 / 34)


def test_symbols_share_no_instant():
    spans = spans_of([0, 0], [3, 3], ["A", "B"])
    np.testing.assert_allclose(draw_probabilities(spans, [0]), [1 / 3, 2 / 3])


def test_samples_are_more_unique_than_plain_ones():
    """AFML 4.5.4: random labels of 1 to 5 bars on 100 bars; medians about 0.6 and 0.7."""
    generator = np.random.default_rng(0)
    plain, sequential = [], []
    for seed in range(300):
        first = generator.integers(0, 100, 10)
        spans = spans_of(first, first + generator.integers(1, 5, 10))
        plain.append(average_uniqueness(spans.take(generator.integers(0, 10, 10))).mean())
        sequential.append(average_uniqueness(spans.take(sequential_bootstrap(spans, seed=seed))).mean())
    assert np.median(plain) == pytest.approx(0.6, abs=0.05)
    assert np.median(sequential) == pytest.approx(0.7, abs=0.05)


def test_draws_follow_the_seed_and_ignore_the_order_of_rows_with_distinct_starts():
    spans = ThresholdLabeler(horizon_bars=5, mode="fixed").spans(random_walk(300))
    one = sequential_bootstrap(spans, seed=3)
    assert one.tolist() == sequential_bootstrap(spans, seed=3).tolist()
    assert one.tolist() != sequential_bootstrap(spans, seed=4).tolist()
    assert one.dtype == np.int64
    order = np.random.default_rng(0).permutation(len(spans))
    shuffled = sequential_bootstrap(spans.take(order), seed=3)
    assert order[shuffled].tolist() == one.tolist()
    assert len(sequential_bootstrap(spans, 17)) == 17


def test_a_fine_clock_costs_no_memory():
    start = np.array([0, 1, 10**15], dtype=np.int64)
    spans = Spans(pd.DatetimeIndex(start), start, start + np.array([10**14, 5, 7]))
    chance = draw_probabilities(spans, [0])
    np.testing.assert_allclose(chance * 2.0, [0.5, 0.5, 1.0])


def test_what_was_kept_up_to_date_stays_exact():
    """After thousands of draws the tree still draws as the definition would."""
    spans = ThresholdLabeler(horizon_bars=24, mode="fixed").spans(random_walk(1_000))
    drawn = sequential_bootstrap(spans, 5_000, seed=1)
    uniform = np.random.default_rng(1).random(5_000)
    chance = np.concatenate(([0.0], np.cumsum(draw_probabilities(spans, drawn[:-1]))))
    assert chance[drawn[-1]] - 1e-9 <= uniform[-1] <= chance[drawn[-1] + 1] + 1e-9


def test_the_largest_random_number_draws_the_last_label():
    first = last = np.arange(3, dtype=np.int64)
    drawn = sequential_draws(first, last, last, np.ones(3), np.array([np.nextafter(1.0, 0.0), 0.0]))
    assert drawn.tolist() == [2, 0]


def test_blocks_keep_neighbours_and_moments_together():
    panel = random_walk(200, symbols=("A", "B"))
    spans = ThresholdLabeler(horizon_bars=9, mode="fixed").spans(panel)
    drawn = block_bootstrap(spans, 400, seed=5)
    assert len(drawn) == 400
    moments = spans.start[drawn].reshape(-1, 20)  # 10 labels share an instant, times 2 symbols
    assert (moments[:, ::2] == moments[:, 1::2]).all()
    step = np.diff(moments[:, ::2], axis=1) // panel.timeframe_ns
    assert set(step.ravel().tolist()) <= {1, -190}
    assert drawn.tolist() == block_bootstrap(spans, 400, seed=5).tolist()
    assert drawn.tolist() != block_bootstrap(spans, 400, seed=6).tolist()


def test_every_label_is_as_likely_in_blocks():
    spans = spans_of(range(30), range(3, 33))
    counts = np.bincount(block_bootstrap(spans, 30_000, seed=0, block=4), minlength=30)
    assert counts.min() > 800
    assert counts.max() < 1_200


def test_blocks_longer_than_the_data_are_all_of_it():
    spans = spans_of([0, 1, 2], [9, 9, 9])
    assert sorted(block_bootstrap(spans, block=50).tolist()) == [0, 1, 2]


def test_what_cannot_be_drawn_from_is_refused():
    empty = Spans(pd.DatetimeIndex([]), np.empty(0, np.int64), np.empty(0, np.int64))
    for draw in (sequential_bootstrap, block_bootstrap, draw_probabilities):
        with pytest.raises(LabelError, match="no labels to draw from"):
            draw(empty)
        with pytest.raises(LabelError, match="ends before it starts"):
            draw(spans_of([3], [1]))
    with pytest.raises(LabelError, match="size"):
        sequential_bootstrap(spans_of([1], [2]), 0)
    with pytest.raises(LabelError, match="block"):
        block_bootstrap(spans_of([1], [2]), block=0)
    with pytest.raises(LabelError, match="positions 5 to 5"):
        draw_probabilities(spans_of([1], [2]), [5])
    with pytest.raises(LabelError, match="symbol that the market does not have"):
        sequential_bootstrap(spans_of([1], [2], ["B"]), market=random_walk(5))
    with pytest.raises(LabelError, match="covers no bar"):
        sequential_bootstrap(spans_of([1], [2], ["SYNTH/USD"]), market=random_walk(5))
