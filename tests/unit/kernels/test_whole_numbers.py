from __future__ import annotations

import numpy as np

from onward.kernels.whole_numbers import EXACT_ROWS, LARGEST_WHOLE, whole_numbers, whole_units


def test_sums_of_products_are_the_same_in_any_order():
    generator = np.random.default_rng(0)
    values = generator.standard_t(3, size=(2, EXACT_ROWS)).astype(np.float32)
    values[1, :] = np.sign(values[1])  # as large as it gets everywhere
    whole = whole_numbers(values, whole_units(values))
    assert np.abs(whole).max() == LARGEST_WHOLE
    exact = int((whole[0].astype(np.int64) * whole[1].astype(np.int64)).sum())
    for order in (np.arange(EXACT_ROWS), generator.permutation(EXACT_ROWS), np.argsort(whole[0] * whole[1])):
        assert np.add.accumulate(whole[0][order] * whole[1][order])[-1] == exact
        assert whole[0][order] @ whole[1][order] == exact
    assert whole[1] @ whole[1] == EXACT_ROWS * LARGEST_WHOLE**2 <= 2**53


def test_rounding_costs_a_millionth_of_the_largest_value():
    values = np.random.default_rng(1).normal(size=(3, 500))
    values[2] = 0.0
    unit = whole_units(values)
    assert unit[2] == 0.0
    error = np.abs(whole_numbers(values, unit) * unit - values)
    assert (error <= 0.5001 * np.abs(values).max(axis=1, keepdims=True) / LARGEST_WHOLE).all()
