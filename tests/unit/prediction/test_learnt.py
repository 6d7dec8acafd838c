"""Which of a market's bars a model was trained on, by what its manifest tells."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from onward.prediction.learnt import LearntBars, learnt_cautions
from onward.registry import BundleFacts, FeatureSchema, Manifest
from onward.testing.markets import random_walk
from onward.types import Market
from tests.unit.training.small_runs import panel

HOUR = pd.Timedelta(hours=1)


def manifest_of(market: Market, **changes: Any) -> Manifest:
    opens = market.open_time
    facts = {
        "name": "m",
        "created_at": pd.Timestamp("2026-01-01", tz="UTC"),
        "model": "lightgbm",
        "timeframe": "1h",
        "symbols": market.symbols,
        "plan": {"labels": {"horizon_bars": 6}, "validation": {"window": "expanding", "window_bars": None}},
        "plan_hash": "p",
        "data": {"first_open": opens.min().isoformat(), "last_open": opens.max().isoformat()},
        "data_hash": "d",
        "label_family": "l",
        "code_version": "1",
        "libraries": {},
        "features": FeatureSchema(columns=("a",), lookback_bars=1),
    }
    return Manifest.seal(BundleFacts(**{**facts, **changes}), ())


def learnt(market: Market, **changes: Any) -> LearntBars:
    found = LearntBars.of(manifest_of(market, **changes))
    assert found is not None
    return found


def test_bars_with_an_outcome_were_learnt_from_and_newer_ones_were_not() -> None:
    market = random_walk(100)
    known = learnt(market)
    assert known.among(market) == 94
    assert known.among(market, market.open_time[90]) == 4
    assert known.among(market, market.open_time[94]) == 0
    assert known.newest_among(market) == 0
    assert known.newest_among(market.known_at(market.decision_time[93])) == 1
    assert known.newest_among(market.known_at(market.decision_time[94])) == 0


def test_later_bars_and_other_symbols_were_not() -> None:
    market, two = random_walk(100), panel()
    later = market.replace(bars=market.bars.set_axis(market.bars.index.set_levels(
        market.bars.index.levels[1] + 200 * HOUR, level=1)))  # fmt: skip
    assert learnt(market).among(later) == 0
    assert learnt(market, symbols=("OTHER/USD",)).among(market) == 0
    one = two.symbols[0]
    assert learnt(two, symbols=(one,)).among(two) == len(two.select([one])) - 6
    assert learnt(two).newest_among(two.known_at(two.decision_time.max() - 6 * HOUR)) == len(two.symbols)


@pytest.mark.parametrize(("window", "bars"), [("rolling", 30), (30, None), ("30h", None)])
def test_a_rolling_window_leaves_out_the_oldest(window: Any, bars: int | None) -> None:
    market = random_walk(100)
    plan = {"labels": {"horizon_bars": 6}, "validation": {"window": window, "window_bars": bars}}
    assert learnt(market, plan=plan).among(market) in (30, 31)
    assert learnt(market, plan=plan).among(market, market.open_time[80]) == 14


@pytest.mark.parametrize("data", [{}, {"first_open": "2020-01-01", "last_open": None}, {"first_open": 3}])
def test_what_a_manifest_does_not_tell_is_not_said(data: dict[str, Any]) -> None:
    assert LearntBars.of(manifest_of(random_walk(10), data=data)) is None


def test_it_is_said_in_one_sentence_or_not_at_all() -> None:
    end = "among those the model was trained on: judge it by its out-of-fold scores"
    assert learnt_cautions(0) == []
    assert learnt_cautions(1) == [f"1 of these bars is {end}"]
    assert learnt_cautions(12_345) == [f"12,345 of these bars are {end}"]
