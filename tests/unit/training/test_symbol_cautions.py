"""Symbols that do not belong together are named."""

from __future__ import annotations

import pandas as pd
import pytest

from onward.labels.threshold import ThresholdLabeler
from onward.testing.markets import random_walk
from onward.training.cautions import symbol_cautions
from onward.types import Market


def moved(name: str, n_bars: int, days: int) -> pd.DataFrame:
    bars = random_walk(n_bars, seed=days).bars
    opened = bars.index.get_level_values(1) + pd.Timedelta(days=days)
    return bars.set_axis(pd.MultiIndex.from_product([[name], opened], names=bars.index.names))


def panel(*parts: pd.DataFrame) -> Market:
    return random_walk(10, seed=0).replace(bars=pd.concat(parts))


@pytest.mark.parametrize(
    ("days", "said"),
    [(0, False), (10, False), (400, True)],
    ids=["same time", "partly the same", "another era"],
)
def test_symbols_of_other_times_are_named(days: int, said: bool) -> None:
    market = panel(moved("AAA", 600, 0), moved("BBB", 600, days))
    found = symbol_cautions(market, ThresholdLabeler(window_bars=24).spans(market))
    assert len(found) == said
    if said:
        assert "AAA (" in found[0]
        assert "BBB (" in found[0]
        assert "data.symbols" in found[0]


def test_a_short_symbol_is_named() -> None:
    market = panel(moved("AAA", 600, 0), moved("BBB", 30, 2))
    (found,) = symbol_cautions(market, ThresholdLabeler(window_bars=48).spans(market))
    assert found.startswith("BBB has too little history")
