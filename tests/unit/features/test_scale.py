from __future__ import annotations

import numpy as np
import talib

from onward.features.manual.scale import (
    log_change,
    log_ratio,
    ratio,
    relative_gap,
    true_range,
    typical_price,
)
from tests.unit.features.manual_bars import walk

NAN = np.nan


def test_a_ratio_without_a_value_is_not_known():
    found = ratio(np.array([1.0, 0.0, 1e300, NAN, 0.0]), np.array([0.0, 0.0, 1e-300, 1.0, 2.0]))
    np.testing.assert_array_equal(found, [NAN, NAN, NAN, NAN, 0.0])
    np.testing.assert_array_equal(relative_gap(np.array([3.0]), np.array([2.0])), [0.5])


def test_a_logarithm_needs_positive_values():
    found = log_ratio(np.array([1.0, -1.0, -1.0, 0.0, 1.0, np.e]), np.array([0.0, -1.0, 1.0, 1.0, NAN, 1.0]))
    np.testing.assert_array_equal(found, [NAN, NAN, NAN, NAN, NAN, 1.0])
    np.testing.assert_allclose(log_change(np.array([1.0, 2.0, 4.0]), 2), [NAN, NAN, np.log(4.0)])


def test_ranges_and_typical_price_equal_talib():
    bars = walk(50)
    prices = (bars.high, bars.low, bars.close)
    np.testing.assert_allclose(true_range(*prices), talib.TRANGE(*prices), rtol=1e-12)
    np.testing.assert_allclose(typical_price(*prices), talib.TYPPRICE(*prices), rtol=1e-12)
