"""Sizes are reckoned before anything starts."""

import pytest

from onward.errors import StageError
from onward.features.autofeat.estimate import estimate, fitting_size, generated_columns


def test_candidates_are_counted_step_by_step():
    # 3 inputs, 2 transformations of which one takes effect
    assert generated_columns(3, 1, 2) == 3 + 3
    assert generated_columns(3, 2, 2) == 6 + 15  # products of all pairs of 6
    pairs = 4 * 15  # a step follows: product, sum and both differences
    assert generated_columns(3, 3, 2) == 6 + pairs + pairs
    assert generated_columns(3, 4, 2) == 6 + 2 * pairs + 6 * 2 * pairs
    last = 4 * 6 * 2 * pairs + (2 * pairs) * (2 * pairs - 1) // 2
    assert generated_columns(3, 5, 2) == 6 + 2 * pairs + last


def test_the_default_size_of_a_fold():
    size = estimate(12, 2_000, 2, 7, max_candidates=200)
    assert size.generated == 3_570
    assert 480e6 < size.peak_bytes < 600e6  # 0.48 GB were measured


def test_inputs_are_given_up_before_rows():
    roomy = fitting_size(12, 2_000, 2, 7, max_bytes=2e9, max_generated=20_000)
    assert (roomy.inputs, roomy.rows) == (12, 2_000)
    tight = fitting_size(12, 2_000, 2, 7, max_bytes=0.5e9, max_generated=20_000)
    assert 3 <= tight.inputs < 12
    assert tight.rows == 2_000
    assert tight.peak_bytes <= 0.5e9
    tighter = fitting_size(12, 20_000, 2, 7, max_bytes=0.42e9, max_generated=20_000)
    assert tighter.inputs == 3
    assert 200 <= tighter.rows < 20_000
    few = fitting_size(12, 2_000, 2, 7, max_bytes=2e9, max_generated=1_000)
    assert few.generated <= 1_000


def test_inputs_never_exceed_what_there_is():
    assert fitting_size(1, 100, 2, 7, max_bytes=2e9, max_generated=20_000).inputs == 1


def test_what_never_fits_is_refused():
    with pytest.raises(
        StageError, match=r"does not fit into the memory.*allowed: max_gb = 0\.3.*Raise autofeat"
    ):
        fitting_size(12, 2_000, 2, 7, max_bytes=0.3e9, max_generated=20_000)
    with pytest.raises(StageError, match="does not fit"):
        fitting_size(12, 2_000, 5, 7, max_bytes=2e9, max_generated=20_000)
