import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.kernels.forward.barriers import (
    BOTH,
    LOWER,
    NOT_KNOWN,
    UPPER,
    VERTICAL,
    first_touch,
    first_touch_reference,
)

PRICE = st.one_of(st.integers(90, 110).map(float), st.just(np.nan))
LEVEL = st.one_of(st.integers(92, 108).map(float), st.sampled_from([np.nan, np.inf, -np.inf]))


@st.composite
def paths(draw):
    n = draw(st.integers(0, 14))
    columns = [draw(st.lists(PRICE, min_size=n, max_size=n)) for _ in range(4)]
    levels = [draw(st.lists(LEVEL, min_size=n, max_size=n)) for _ in range(2)]
    return [np.array(values, dtype=np.float64) for values in (*columns, *levels)]


@given(paths(), st.integers(1, 8))
def test_touches_equal_taking_each_path_by_itself(path, horizon):
    fast, slow = first_touch(*path, horizon), first_touch_reference(*path, horizon)
    np.testing.assert_array_equal(fast[0], slow[0])
    np.testing.assert_array_equal(fast[1], slow[1])


def touch(open_, high, low, close, upper=102.0, lower=98.0, horizon=1):
    columns = [np.array([100.0, value]) for value in (open_, high, low, close)]
    barrier, bar = first_touch(*columns, np.array([upper, np.nan]), np.array([lower, np.nan]), horizon)
    return barrier[0], bar[0]


@pytest.mark.parametrize(
    ("bar", "expected"),
    [
        ((100.0, 102.5, 99.0, 101.0), UPPER),
        ((100.0, 101.0, 97.5, 99.0), LOWER),
        ((100.0, 103.0, 97.0, 102.5), BOTH),
        ((104.0, 105.0, 97.0, 97.5), UPPER),
        ((95.0, 103.0, 94.0, 98.5), LOWER),
        ((100.0, 102.0, 98.0, 100.0), VERTICAL),
        ((np.nan, np.nan, np.nan, 100.0), VERTICAL),
        ((np.nan, np.nan, np.nan, np.nan), NOT_KNOWN),
    ],
)
def test_the_open_comes_first_and_levels_must_be_passed(bar, expected):
    assert touch(*bar) == (expected, 1 if expected != NOT_KNOWN else -1)


def test_the_end_of_the_data_is_no_vertical_barrier():
    assert touch(100.0, 101.0, 99.0, 100.0, horizon=2) == (NOT_KNOWN, -1)
    assert touch(100.0, 103.0, 99.0, 100.0, horizon=2) == (UPPER, 1)
