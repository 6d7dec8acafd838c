"""What is remembered belongs to one market, is not grown without end, and cannot be written to."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from onward.labels.horizon import outcomes
from onward.labels.remembering import MOST, remembered
from onward.testing.markets import random_walk
from onward.types import FloatArray, Market


def counted() -> tuple[list[int], Callable[[Market, int], FloatArray]]:
    calls: list[int] = []

    @remembered
    def closes(market: Market, shift: int) -> FloatArray:
        calls.append(shift)
        return market.bars["close"].to_numpy(np.float64) + shift

    return calls, closes


def test_the_same_question_is_answered_once() -> None:
    calls, closes = counted()
    market = random_walk(50, seed=0)
    assert closes(market, 1) is closes(market, 1)
    assert closes(market, 2)[0] == closes(market, 1)[0] + 1
    assert calls == [1, 2]


def test_the_oldest_answers_go() -> None:
    calls, closes = counted()
    market = random_walk(50, seed=0)
    for shift in (*range(MOST + 1), 0):
        closes(market, shift)
    assert calls == [*range(MOST + 1), 0]


def test_other_bars_are_another_market() -> None:
    market = random_walk(50, seed=0)
    before = outcomes(market, 3)
    bars = market.bars.copy()
    close = bars["close"].to_numpy(copy=True)
    close[40] *= 2.0
    bars["close"] = close
    after = outcomes(replace(market, bars=bars), 3)
    assert np.flatnonzero(~np.isclose(before, after, equal_nan=True)).tolist() == [37, 40]
    assert outcomes(market, 3) is before


def test_nobody_writes_into_what_others_are_given() -> None:
    with pytest.raises(ValueError, match="read-only"):
        outcomes(random_walk(50, seed=0), 3)[0] = 1.0


def test_a_market_is_not_kept_alive() -> None:
    market = random_walk(50, seed=0)
    outcomes(market, 3)
    gone = weakref.ref(market)
    del market
    gc.collect()
    assert gone() is None
