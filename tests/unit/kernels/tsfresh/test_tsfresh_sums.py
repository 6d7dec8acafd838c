"""The building blocks round as NumPy rounds: thresholds of flat windows hang on the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.kernels.tsfresh.chunk import Chunk
from onward.kernels.tsfresh.order import quantile_of
from onward.kernels.tsfresh.sums import mean_of, pairwise_sum, variance_of


@pytest.mark.parametrize("kind", ["normal", "flat", "wide"])
def test_sums_means_and_variances_are_numpys_to_the_last_bit(kind):
    generator = np.random.default_rng(3)
    for count in [*range(1, 40), 127, 128, 129, 136, 255, 256, 257, 1000, 4099]:
        x = {
            "normal": generator.normal(size=count),
            "flat": np.full(count, 0.1),
            "wide": generator.normal(size=count) * 10.0 ** generator.integers(-9, 9, count),
        }[kind]
        assert pairwise_sum(x, count) == x.sum()
        assert mean_of(x, count) == x.mean()
        assert variance_of(x, count, np.empty(count)) == x.var()
        assert pairwise_sum(x[count // 3 :], count - count // 3) == x[count // 3 :].sum()


def test_nothing_has_no_mean():
    assert np.isnan(mean_of(np.empty(0), 0))
    assert np.isnan(variance_of(np.empty(0), 0, np.empty(1)))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60),
    st.one_of(st.floats(0.0, 1.0), st.sampled_from([0.1, 0.2, 0.3, 0.7, 1 / 3])),
)
def test_quantiles_are_numpys_to_the_last_bit(values, q):
    ordered = np.sort(np.array(values))
    assert quantile_of(ordered, q) == np.quantile(ordered, q)


def test_scale_is_numpys():
    windows = np.random.default_rng(1).normal(5.0, 2.0, (7, 48))
    mean, variance, deviation, low, high = Chunk(windows).scale.T
    assert np.array_equal(mean, windows.mean(axis=1))
    assert np.array_equal(variance, windows.var(axis=1))
    assert np.array_equal(deviation, windows.std(axis=1))
    assert np.array_equal(low, windows.min(axis=1))
    assert np.array_equal(high, windows.max(axis=1))


@pytest.mark.parametrize("length", [1, 2, 47, 48, 256, 257, 700])
def test_density_is_scipys_welch(length):
    from scipy.signal import welch

    windows = np.random.default_rng(2).normal(size=(3, length))
    expected = np.stack([welch(w, nperseg=min(length, 256))[1] for w in windows])
    np.testing.assert_allclose(Chunk(windows).density, expected, rtol=1e-10, atol=1e-15)
