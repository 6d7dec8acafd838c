"""A look at once, then less and less often; from the beginning where something changed."""

from __future__ import annotations

import pytest

from onward.jobs.local.gaps import Gaps


def looks(gaps: Gaps, begin: int, end: int) -> list[int]:
    return [second for second in range(begin, end) if gaps.take(float(second))]


def test_gaps_double_up_to_the_longest() -> None:
    assert looks(Gaps(1.0, 5.0), 0, 30) == [0, 1, 3, 7, 12, 17, 22, 27]


def test_whoever_waits_knows_how_long() -> None:
    gaps = Gaps(1.0, 8.0)
    assert gaps.left(0.0) == 0.0
    assert looks(gaps, 0, 2) == [0, 1]
    assert gaps.left(1.25) == pytest.approx(1.75)
    assert gaps.left(50.0) == 0.0


def test_a_change_begins_the_gaps_anew() -> None:
    gaps = Gaps(1.0, 8.0)
    looks(gaps, 0, 10)
    gaps.soon(10.0)
    assert looks(gaps, 10, 20) == [11, 13, 17]


def test_something_else_to_look_for_is_looked_for_at_once() -> None:
    gaps = Gaps(1.0, 8.0)
    looks(gaps, 0, 10)
    gaps.restart()
    assert looks(gaps, 10, 14) == [10, 11, 13]
