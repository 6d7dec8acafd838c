"""The bundled bars as a stored series: once, and never over what somebody else stored."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import onward as ow
from onward.data.repositories import DataStore
from onward.data.sample import store_sample
from onward.naming.sample import SAMPLE_DATA_HASH, SAMPLE_SYMBOL, SAMPLE_TIMEFRAME, is_sample


def test_a_model_of_the_sample_is_known_by_the_hash_of_its_bars() -> None:
    market = ow.sample_market()
    assert market.content_hash == SAMPLE_DATA_HASH
    assert is_sample(market.symbols, "1h", market.content_hash)
    assert not is_sample(market.symbols, "1h", market.last(500).content_hash)
    assert not is_sample((*market.symbols, "ETH/USD"), "1h", market.content_hash)


def test_the_sample_is_stored_once_as_it_is(tmp_path: Path) -> None:
    store = DataStore(tmp_path)
    assert store_sample(store)
    assert not store_sample(store)
    stored = store.market([SAMPLE_SYMBOL], timeframe=SAMPLE_TIMEFRAME)
    assert stored.content_hash == SAMPLE_DATA_HASH


@pytest.mark.parametrize("timeframe", ["1h", "4h"])
def test_bars_of_somebody_else_stay_as_they_are(tmp_path: Path, timeframe: str) -> None:
    store = DataStore(tmp_path)
    opened = pd.date_range("2024-01-01", periods=3, freq=timeframe, tz="UTC")
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0)
    store.candles(timeframe).upsert(SAMPLE_SYMBOL, pd.DataFrame({"timestamp": opened, **prices}))
    assert store_sample(store) == (timeframe != SAMPLE_TIMEFRAME)
    assert store.candles(timeframe).coverage(SAMPLE_SYMBOL).rows == 3
