from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import binom

from onward.kernels.fracdiff import fractional_difference, fractional_weights, threshold_width
from onward.kernels.reference.fracdiff import fractional_difference_reference, fractional_weights_reference

REFERENCE: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "fixtures/references/fracdiff.json").read_text()
)


def walk(n: int, seed: int = 0) -> np.ndarray:
    return 5.0 + np.cumsum(np.random.default_rng(seed).normal(0.0, 0.01, n))


@pytest.mark.parametrize("case", REFERENCE["weights"], ids=lambda case: str(case["d"]))
def test_weights_equal_the_published_ones(case: dict[str, Any]) -> None:
    found = fractional_weights(case["d"], len(case["weights"]))
    np.testing.assert_allclose(found, case["weights"], rtol=0, atol=REFERENCE["tolerance"])


@pytest.mark.parametrize("order", [0.05, 0.4, 1.0, 1.7, 2.0])
def test_weights_are_signed_binomial_coefficients(order: float) -> None:
    k = np.arange(60)
    weights = fractional_weights(order, 60)
    np.testing.assert_allclose(weights, (-1.0) ** k * binom(order, k), rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(weights, fractional_weights_reference(order, 60), rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize("case", REFERENCE["ffd_lengths"], ids=lambda case: f"{case['d']} {case['tau']}")
def test_widths_equal_the_published_ones(case: dict[str, Any]) -> None:
    width = threshold_width(case["d"], case["tau"], 5_000)
    weights = fractional_weights(case["d"], width)
    assert width == case["n_weights"]
    assert weights[-1] == pytest.approx(case["last"], rel=1e-9)
    assert weights.sum() == pytest.approx(case["sum"], abs=1e-9)


def test_a_width_beyond_the_longest_is_told() -> None:
    assert threshold_width(0.4, 1e-5, 1_458) == 1_458
    assert threshold_width(0.4, 1e-5, 1_457) == 1_458
    assert threshold_width(0.1, 1e-9, 100) == 101


@pytest.mark.parametrize("case", REFERENCE["series"], ids=lambda case: f"{case['d']} {case['tau']}")
def test_series_equal_the_published_ones(case: dict[str, Any]) -> None:
    weights = fractional_weights(case["d"], case["n_weights"])
    found = fractional_difference(np.log(np.array(REFERENCE["close"])), weights)
    expected = np.array(case["values"], dtype=np.float64)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


@given(
    st.integers(0, 90),
    st.integers(1, 30),
    st.floats(0.01, 2.0),
    st.lists(st.integers(0, 89), max_size=3),
)
def test_equals_the_definition(n: int, width: int, order: float, holes: list[int]) -> None:
    values = walk(n)
    values[[hole for hole in holes if hole < n]] = np.nan
    weights = fractional_weights(order, width)
    found = fractional_difference(values, weights)
    expected = fractional_difference_reference(values, weights)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_order_one_is_the_change_and_two_the_change_of_the_change() -> None:
    values = walk(50)
    np.testing.assert_allclose(fractional_difference(values, fractional_weights(1.0, 2))[1:], np.diff(values))
    second = fractional_difference(values, fractional_weights(2.0, 3))[2:]
    np.testing.assert_allclose(second, np.diff(values, 2), atol=1e-14)


def test_a_row_has_the_same_bits_wherever_its_window_stands() -> None:
    values = walk(5_003)
    weights = fractional_weights(0.4, 282)
    whole = fractional_difference(values, weights)
    for row in (281, 282, 2_047, 2_329, 2_330, 4_111, 5_002):
        assert fractional_difference(values[row - 281 : row + 1].copy(), weights)[-1] == whole[row]
    assert np.isnan(whole[:281]).all()
    assert not np.isnan(whole[281:]).any()
