import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import roc_auc_score

from onward.kernels.statistics import (
    _shifted_areas_reference,
    area_under_curve,
    centred_ranks,
    draw_shifts,
    least_shift,
    longest_span,
    midranks,
    shifted_areas,
)

SCORES = st.floats(-5, 5, allow_nan=False, width=16)  # few distinct values: ties are the point


@settings(deadline=None)
@given(arrays(np.float64, st.integers(0, 40), elements=SCORES))
def test_midranks_share_the_mean_of_tied_ranks(values):
    np.testing.assert_array_equal(midranks(values), rankdata(values))


@settings(deadline=None)
@given(st.data(), st.integers(2, 60))
def test_area_equals_scikit_learn(data, n):
    score = data.draw(arrays(np.float64, n, elements=SCORES))
    positive = data.draw(arrays(np.bool_, n))
    positive[:2] = [True, False]
    assert area_under_curve(score, positive) == pytest.approx(roc_auc_score(positive, score), abs=1e-12)


@pytest.mark.parametrize("positive", [True, False])
def test_area_of_one_group_only_is_not_defined(positive):
    assert np.isnan(area_under_curve(np.arange(4.0), np.full(4, positive)))


def test_area_of_unknown_scores_is_not_known():
    assert np.isnan(area_under_curve(np.array([0.1, np.nan, 0.3]), np.array([False, True, True])))


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(1, 3), st.integers(2, 25))
def test_shifted_areas_equal_counted_pairs(data, n_series, n_steps):
    """Panels with missing rows, ties, shifts beyond the circle: all equal brute force."""
    outcome = data.draw(arrays(np.int8, (n_series, n_steps), elements=st.integers(-1, 1)))
    present = data.draw(arrays(np.bool_, (n_series, n_steps)))
    present[0, 0] = True
    series, step = np.nonzero(present)
    score = data.draw(arrays(np.float64, len(step), elements=SCORES))
    outcome[~present] = 0
    shifts = np.arange(0, 2 * n_steps, dtype=np.int64)
    expected = _shifted_areas_reference(score, outcome, series, step, shifts)
    np.testing.assert_allclose(shifted_areas(score, outcome, series, step, shifts), expected, atol=1e-12)


def test_shift_zero_is_the_plain_area():
    generator = np.random.default_rng(3)
    score, y = generator.normal(size=300), generator.integers(-1, 2, 300).astype(np.int8)
    rows = np.arange(300)
    area = shifted_areas(score, y[None], np.zeros(300, np.int64), rows, np.array([0]))[0]
    assert area == pytest.approx(area_under_curve(score[y != 0], y[y != 0] > 0), abs=1e-12)


def test_centred_ranks_give_spearman_and_leave_unknown_rows_out():
    generator = np.random.default_rng(0)
    left, right = np.round(generator.normal(size=(2, 200)), 1)
    product = float(centred_ranks(left) @ centred_ranks(right))
    assert product == pytest.approx(spearmanr(left, right).statistic, abs=1e-6)
    holes = left.copy()
    holes[::7] = np.nan
    known = ~np.isnan(holes)
    np.testing.assert_allclose(centred_ranks(holes)[known], centred_ranks(left[known]), atol=1e-7)
    assert not centred_ranks(holes)[~known].any()


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0, 2.0], [np.nan, np.nan], [np.nan, 5.0]])
def test_centred_ranks_of_a_column_that_does_not_vary_are_zero(values):
    assert not centred_ranks(np.array(values, dtype=np.float32)).any()


def test_least_shift_counts_the_densest_stretch():
    hours = np.array([0, 1, 2, 3, 50, 51, 100], dtype=np.int64)
    assert least_shift(hours, 3) == 3
    assert least_shift(hours, 1) == 1
    assert least_shift(hours, 1_000) == len(hours)
    assert least_shift(hours[:0], 3) == 0


@settings(deadline=None)
@given(st.integers(1, 500), st.integers(0, 60), st.integers(1, 80), st.integers(0, 5))
def test_shifts_are_distinct_and_far_enough_both_ways(n_steps, least, n_shifts, seed):
    shifts = draw_shifts(n_steps, least, n_shifts, seed)
    admissible = max(0, n_steps - 2 * max(least, 1) + 1)
    assert len(shifts) == min(n_shifts, admissible)
    assert (np.diff(shifts) > 0).all()
    assert all(least <= s <= n_steps - least for s in shifts)
    np.testing.assert_array_equal(shifts, draw_shifts(n_steps, least, n_shifts, seed))


def test_a_span_that_crosses_a_gap_is_no_longer_in_steps():
    times = np.concatenate((np.arange(10), 1_000 + np.arange(10)))
    end = np.minimum(np.arange(20) + 3, 19)
    assert longest_span(times, times, times[end]) == 3
    assert longest_span(times, times[:0], times[:0]) == 0
    assert longest_span(times, times[:1], np.array([10_000])) == len(times)
