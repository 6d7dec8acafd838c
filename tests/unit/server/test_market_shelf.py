"""Markets that are kept: the same as new ones at every moment, and gone as soon as files change."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd

from onward.data.availability import make_series
from onward.server.serving.market_shelf import Asked, MarketShelf
from onward.testing.markets import random_walk
from onward.types import Market

PART = Asked(("BTC/USD",), "1h", ())


def with_funding(n_bars: int = 60) -> Market:
    market = random_walk(n_bars, seed=1)
    stamps = market.open_time[::8]
    rows = pd.DataFrame({"timestamp": stamps, "funding_rate": np.linspace(-1e-4, 1e-4, len(stamps))})
    return market.replace(series={"funding": make_series("funding", rows, bar=market.timeframe)})


def test_it_is_built_once_for_a_state_and_anew_for_another() -> None:
    shelf, built = MarketShelf(), []

    def build() -> Market:
        built.append(random_walk(50, seed=len(built)))
        return built[-1]

    at = pd.Timestamp("2100-01-01", tz="UTC")
    one = shelf.known_at(PART, ("a",), at, build)
    assert shelf.known_at(PART, ("a",), at, build) is one
    two = shelf.known_at(PART, ("b",), at, build)
    assert len(built) == 2
    assert two is built[1]
    assert len(shelf) == 1


def test_what_is_known_is_that_of_the_market_itself_at_every_moment() -> None:
    market, shelf = with_funding(), MarketShelf()
    edges = [*market.open_time, *market.decision_time, *market.series["funding"].frame["available_at"]]
    step = pd.Timedelta(1, unit="ns")
    moments = sorted({moment + k * step for moment in edges for k in (-1, 0, 1)})
    order = np.random.default_rng(0).permutation(len(moments))
    for moment in [*moments, *(moments[i] for i in order)]:  # forwards, and to and fro
        got = shelf.known_at(PART, "files", moment, lambda: market)
        want = market.known_at(moment)
        assert got is not None
        pd.testing.assert_frame_equal(got.bars, want.bars)
        pd.testing.assert_frame_equal(got.series["funding"].frame, want.series["funding"].frame)


def test_that_nothing_is_there_is_remembered_until_something_is() -> None:
    shelf, at, looked = MarketShelf(), pd.Timestamp("2100-01-01", tz="UTC"), []

    def nothing() -> None:
        looked.append(1)

    assert shelf.known_at(PART, (), at, nothing) is None
    assert shelf.known_at(PART, (), at, nothing) is None
    assert len(looked) == 1
    assert shelf.known_at(PART, ("new",), at, lambda: random_walk(50, seed=0)) is not None


def test_it_is_bounded_by_markets_and_by_bars() -> None:
    at = pd.Timestamp("2100-01-01", tz="UTC")
    shelf = MarketShelf(capacity=3, most_bars=250)
    for number in range(6):
        part = Asked((f"S{number}",), "1h", ())
        assert shelf.known_at(part, (), at, lambda: random_walk(100, seed=0)) is not None
    assert len(shelf) == 2
    large = shelf.known_at(PART, (), at, lambda: random_walk(300, seed=0))
    assert large is not None
    assert len(large) == 300
    assert len(shelf) == 0, "too large to be kept, not to be answered"


def test_threads_get_the_state_that_they_named() -> None:
    shelf, wrong = MarketShelf(), []
    markets = {state: random_walk(40 + state, seed=state) for state in range(4)}
    at = pd.Timestamp("2100-01-01", tz="UTC")

    def ask(first: int) -> None:
        for number in range(200):
            state = (first + number) % 4
            got = shelf.known_at(PART, state, at, lambda state=state: markets[state])  # type: ignore[misc]
            if got is not markets[state]:
                wrong.append(state)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_same_cut_of_a_market_is_the_same_value() -> None:
    market = with_funding()
    assert market.last(20) is market.last(20)
    assert len(market.last(30)) == 30
    assert len(market.last(20)) == 20
    assert market.last(60) is market
