"""What a stage keeps outside itself: the audit must not be fooled by what an earlier run left there."""

import functools

import numpy as np
import pandas as pd
import pytest

from onward.audit import audit_function, audit_stage
from onward.audit.memory import Memory
from onward.testing.markets import random_walk

MARKET = random_walk(900, seed=4)
SEEN: dict = {}
LEVEL = None
SHELF = np.zeros(1)
CURRENT: list = [None]


class Box:
    level = None


BOX = Box()
BOX.level = None


class Stage:
    scope = "symbol"
    lookback = 24
    level = None

    def __init__(self, value):
        self.value = value
        self.name = getattr(value, "__name__", "stage")

    def columns(self):
        return (f"{self.name}__x",)

    def compute(self, market):
        values = np.asarray(self.value(market), dtype=np.float64)
        return pd.DataFrame({f"{self.name}__x": values}, index=market.bars.index)


def remembers_every_price(market):
    for moment, close in market.bars["close"].items():
        SEEN.setdefault(moment, close)
    return [SEEN.get((s, t + market.timeframe), np.nan) / c for (s, t), c in market.bars["close"].items()]


def fits_a_global_once(market):
    global LEVEL  # noqa: PLW0603
    if LEVEL is None:
        LEVEL = market.bars["close"].mean()
    return market.bars["close"] / LEVEL


def fits_a_class_attribute_once(market):
    if Stage.level is None:
        Stage.level = market.bars["close"].mean()
    return market.bars["close"] / Stage.level


def fits_an_object_once(market):
    if BOX.level is None:
        BOX.level = market.bars["close"].max()
    return market.bars["close"] / BOX.level


def fits_an_array_once(market):
    if SHELF[0] == 0.0:
        SHELF[0] = market.bars["close"].max()
    return market.bars["close"] / SHELF[0]


def level_of(market, kept={}):  # noqa: B006
    return kept.setdefault("level", market.bars["close"].mean())


def fits_a_default_once(market):
    return market.bars["close"] / level_of(market)


@functools.lru_cache
def highest():
    return CURRENT[0].bars["close"].max()


def fits_a_cached_function_once(market):
    CURRENT[0] = market
    return market.bars["close"] / highest()


LEAKY = [
    remembers_every_price,
    fits_a_global_once,
    fits_a_class_attribute_once,
    fits_an_object_once,
    fits_an_array_once,
    fits_a_default_once,
    fits_a_cached_function_once,
]


@pytest.mark.parametrize("function", LEAKY, ids=lambda f: f.__name__)
def test_what_was_fitted_on_the_first_run_is_found(function):
    report = audit_stage(Stage(function), MARKET)
    assert not report.passed
    assert {f.check for f in report.findings} >= {"truncation"}


def test_a_closure_that_fits_once_is_found():
    level = None

    def closure(market):
        nonlocal level
        if level is None:
            level = market.bars["close"].mean()
        return market.bars["close"] / level

    assert not audit_function(closure, MARKET).passed


@functools.lru_cache
def twice(number):
    return 2.0 * number


def counts_its_calls(market):
    SEEN["calls"] = SEEN.get("calls", 0) + 1
    return twice(24) * market.bars["close"]


def test_memory_that_changes_no_value_is_no_leak():
    assert audit_stage(Stage(counts_its_calls), MARKET).passed


def test_everything_is_put_back_in_the_very_objects():
    SEEN.clear()
    SEEN["before"] = 1
    kept = SEEN
    memory = Memory.of(Stage(counts_its_calls))
    counts_its_calls(MARKET)
    assert "calls" in SEEN
    memory.restore()
    assert kept is SEEN
    assert kept == {"before": 1}
    SEEN.clear()


def test_what_the_stage_does_not_name_is_left_alone():
    memory = Memory.of(Stage(counts_its_calls))
    LEAKY.append("mine")
    memory.restore()
    assert LEAKY.pop() == "mine"


def test_libraries_whose_objects_a_stage_holds_are_left_alone():
    stage = Stage(remembers_every_price)
    stage.timeframe = pd.Timedelta("1h")
    stage.index = MARKET.bars.index
    memory = Memory.of(stage)
    homes = {getattr(owner, "__module__", "") for owner, _, _ in memory._bindings if isinstance(owner, type)}
    assert not {home for home in homes if home.startswith(("pandas", "numpy"))}
    memory.restore()
