"""Each kernel against a plain reference: NumPy, SciPy, or the definition written out slowly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks_cwt

from onward.kernels.tsfresh.autoregression import (
    autoregression,
    degenerate_autoregression,
    degenerate_dickey_fuller,
    dickey_fuller,
    mackinnon_p_value,
)
from onward.kernels.tsfresh.complexity import permutation_entropies, phrases
from onward.kernels.tsfresh.digits import digit_bounds, first_digit
from onward.kernels.tsfresh.entropy import histogram_entropy
from onward.kernels.tsfresh.least_squares import back_substitute, is_sound, pseudo_fit, triangularise
from onward.kernels.tsfresh.order import largest_magnitudes_mean
from onward.kernels.tsfresh.templates import sample_entropy
from onward.kernels.tsfresh.wavelet_peaks import count_ridges, ricker, transform
from onward.kernels.tsfresh.wavelets import mexican_hat_steps, mexican_hat_weights

BOUNDS, DIGITS = digit_bounds()


@settings(max_examples=300, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_first_digits_are_those_of_the_shortest_decimal_form(value):
    assert first_digit(value, BOUNDS, DIGITS) == int(np.format_float_scientific(abs(value))[0])


@pytest.mark.parametrize("value", [0.3, 0.1, 1e23, 5e-324, 1.7976931348623157e308, 0.0])
def test_first_digits_where_division_would_err(value):
    assert first_digit(value, BOUNDS, DIGITS) == int(np.format_float_scientific(value)[0])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(-20, 20), min_size=1, max_size=50), st.integers(1, 30), st.floats(1e-3, 1e3))
def test_histogram_entropy_cuts_as_numpy_does(values, bins, unit):
    x = np.array(values) * unit
    shares = np.histogram(x, bins=bins)[0] / len(x)
    shares = shares[shares > 0]
    assert histogram_entropy(x, bins) == pytest.approx(-np.sum(shares * np.log(shares)), abs=1e-12)


def test_a_range_too_narrow_for_its_bins_has_no_entropy():
    x = np.array([1.0, np.nextafter(1.0, 2.0)])
    with pytest.raises(ValueError, match="Too many bins"):
        np.histogram(x, bins=10)
    assert np.isnan(histogram_entropy(x, 10))


def slow_phrases(symbols):
    known, start, size = set(), 0, 1
    while start + size <= len(symbols):
        word = tuple(symbols[start : start + size])
        if word in known:
            size += 1
        else:
            known.add(word)
            start, size = start + size, 1
    return len(known)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_phrases_are_those_of_a_plain_parser(symbols):
    room = len(symbols) + 1
    tree = [np.empty(room, dtype=np.int64) for _ in range(3)]
    assert phrases(np.array(symbols, dtype=np.int64), *tree) == slow_phrases(symbols)


def slow_permutation_entropy(x, step, dimension):
    groups = [x[i : i + dimension] for i in range(0, len(x) - dimension + 1, step)]
    orders = [tuple(np.argsort(np.argsort(group))) for group in groups]
    shares = np.array([orders.count(order) for order in set(orders)]) / len(orders)
    return -np.sum(shares * np.log(shares))


@pytest.mark.parametrize(("dimension", "step"), [(3, 1), (5, 2), (7, 1)])
def test_permutation_entropy_is_that_of_the_orderings(dimension, step):
    generator = np.random.default_rng(4)
    windows = np.concatenate([generator.normal(size=(3, 40)), generator.integers(0, 9, (3, 40))])
    tied = np.arange(6) >= 3
    found = permutation_entropies(windows, tied, step, dimension)
    np.testing.assert_allclose(found, [slow_permutation_entropy(w, step, dimension) for w in windows])
    always_sorted = permutation_entropies(windows, np.ones(6, dtype=bool), step, dimension)
    np.testing.assert_allclose(found, always_sorted, rtol=1e-12)
    assert np.isnan(permutation_entropies(np.zeros((1, dimension - 1)), tied[:1], step, dimension))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30), st.integers(1, 40))
def test_largest_magnitudes_are_found_at_both_ends(values, count):
    x = np.array(values)
    count = min(count, len(x))
    expected = np.mean(np.sort(np.abs(x))[-count:])
    assert largest_magnitudes_mean(np.sort(x), count, np.empty(len(x))) == expected


def slow_sample_entropy(x, tolerance):
    def matches(length):
        parts = np.stack([x[i : len(x) - length + 1 + i] for i in range(length)], axis=1)
        gaps = np.abs(parts[:, None] - parts[None]).max(axis=2)
        return (gaps <= tolerance).sum() - len(parts)

    return -np.log(matches(3) / matches(2))


def test_sample_entropy_counts_every_pair():
    x = np.random.default_rng(5).normal(size=60)
    assert sample_entropy(x, 0.5) == pytest.approx(slow_sample_entropy(x, 0.5), rel=1e-12)


@pytest.mark.parametrize("level", [1.0, 1e-9, 6e4])
def test_triangles_solve_least_squares(level):
    generator = np.random.default_rng(6)
    a, b = level + generator.normal(size=(30, 4)), generator.normal(size=30)
    table = np.column_stack([a, b])
    triangularise(table, 30, 4, 1)
    assert is_sound(table, 30, 4)
    solution = np.empty(4)
    back_substitute(table, 4, 4, solution)
    expected, residual, *_ = np.linalg.lstsq(a, b)
    np.testing.assert_allclose(solution, expected, rtol=1e-7, atol=1e-12)
    assert np.sum(table[4:, 4] ** 2) == pytest.approx(residual[0], rel=1e-9)


@pytest.mark.parametrize("shape", [(30, 4), (4, 4), (3, 6)])
def test_deficient_systems_get_the_solution_of_least_norm(shape):
    generator = np.random.default_rng(7)
    a = generator.normal(size=shape)
    a[:, 2] = 2.0 * a[:, 0]
    b = generator.normal(size=shape[0])
    table = np.column_stack([a, b])
    triangularise(table, *shape, 1)
    assert not is_sound(table, *shape)
    expected, _, rank, _ = np.linalg.lstsq(a, b, 1e-12)
    fit = pseudo_fit(a, b)
    assert fit.rank == rank < shape[1]
    np.testing.assert_allclose(fit.coefficients, expected, rtol=1e-9, atol=1e-12)
    assert fit.residual == pytest.approx(np.sum((a @ expected - b) ** 2), rel=1e-9, abs=1e-20)


def test_the_direct_and_the_degenerate_ways_agree_where_both_go():
    x = np.random.default_rng(9).normal(size=48)
    table, result, solution = np.empty((48, 14)), np.empty(3), np.empty(14)
    for penalty in (2.0, 0.0, -1.0):
        assert dickey_fuller(x, 8, penalty, table, result)
        np.testing.assert_allclose(result, degenerate_dickey_fuller(x, 8, penalty), rtol=1e-9)
    assert autoregression(x, 5, table, solution) == 1
    np.testing.assert_allclose(solution[:6], degenerate_autoregression(x, 5), rtol=1e-9)


def test_p_values_of_the_unit_root_test():
    # Critical values of MacKinnon (2010) for the test with a constant, large samples.
    for statistic, level in [(-3.43, 0.01), (-2.86, 0.05), (-2.57, 0.10)]:
        assert mackinnon_p_value(statistic) == pytest.approx(level, rel=0.05)
    assert mackinnon_p_value(3.0) == 1.0
    assert mackinnon_p_value(-20.0) == 0.0
    assert math.isnan(mackinnon_p_value(np.nan))


@pytest.mark.parametrize("widths", [1, 3, 5])
def test_wavelet_peaks_are_scipys(widths):
    generator = np.random.default_rng(8)
    for length in (4, 20, 48, 90):
        x = np.cumsum(generator.normal(size=length))
        sizes = np.array([min(10 * w, length) for w in range(1, widths + 1)], dtype=np.int64)
        wavelets = np.zeros((widths, sizes.max()))
        for row, size in enumerate(sizes):
            wavelets[row, :size] = ricker(size, row + 1)[::-1]
        table = np.empty((widths, length))
        transform(x, wavelets, sizes, widths, table)
        expected = find_peaks_cwt(x, np.arange(1, widths + 1), wavelet=lambda n, a: ricker(int(n), float(a)))
        assert count_ridges(table, widths, np.empty(length)) == len(expected)


def test_wavelet_weights_are_a_band_pass():
    steps = mexican_hat_steps(2.0)
    weights = np.stack([mexican_hat_weights(steps, k, 64) for k in range(64)])
    assert weights.shape == (64, 64)
    assert abs(weights[32].sum()) < 1e-3  # a constant has no Mexican-hat content
    np.testing.assert_array_equal(weights[30][:-1], weights[31][1:])  # one filter, shifted
