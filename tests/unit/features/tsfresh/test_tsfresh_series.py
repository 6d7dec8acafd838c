"""Series of bars and side values: definitions, order in time, and names that do not exist."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.errors import SeriesError, StageError
from onward.features.tsfresh.series import CATALOG, resolve_series, series_values
from onward.testing.markets import HOUR, START, random_walk
from onward.types import Market, SideSeries, from_ns


def funded(market: Market, *, column: str = "funding_rate", name: str = "funding") -> Market:
    """Return the market with a value a day that is known six hours late."""
    stamps = START + 24 * HOUR * np.arange(len(market) // 24, dtype=np.int64)
    frame = pd.DataFrame(
        {
            "symbol": "",
            "timestamp": from_ns(stamps),
            "available_at": from_ns(stamps + 6 * HOUR),
            column: np.arange(len(stamps), dtype=float),
        }
    )
    return market.replace(series={**market.series, name: SideSeries(name, frame)})


def values(market, *names):
    there = [value for series in market.series.values() for value in series.values]  # noqa: PD011
    return series_values(market, resolve_series(names, there))


def test_series_are_what_they_say():
    market = random_walk(50, seed=3)
    bars = {name: market.bars[name].to_numpy() for name in market.bars}
    found = values(market, *CATALOG)
    expected = {
        "close_logret": np.diff(np.log(bars["close"]), prepend=np.nan),
        "gap_logret": np.log(bars["open"] / np.roll(bars["close"], 1)),
        "body": np.log(bars["close"] / bars["open"]),
        "range": (bars["high"] - bars["low"]) / bars["close"],
        "range_log": np.log(bars["high"] / bars["low"]),
        "volume": bars["volume"],
        "volume_log": np.log(bars["volume"]),
        "volume_logchange": np.diff(np.log(bars["volume"]), prepend=np.nan),
        "dollar_volume": bars["close"] * bars["volume"],
        **{name: bars[name] for name in ("open", "high", "low", "close")},
    }
    expected["gap_logret"][0] = np.nan
    assert set(expected) == set(CATALOG)
    for name, series in expected.items():
        np.testing.assert_allclose(found[name], series, rtol=1e-12, err_msg=name)
        assert np.isnan(found[name][: CATALOG[name].lookback - 1]).all()
        assert np.isfinite(found[name][CATALOG[name].lookback - 1 :]).all()


def test_changes_do_not_reach_into_another_symbol():
    panel = random_walk(20, symbols=("A/USD", "B/USD"))
    found = values(panel, "close_logret", "gap_logret", "volume_logchange")
    for series in found.values():
        assert np.flatnonzero(np.isnan(series)).tolist() == [0, 20]


def test_bars_without_trades_have_no_logarithm():
    market = random_walk(10)
    bars = market.bars.copy()
    bars.iloc[4, bars.columns.get_loc("volume")] = 0.0
    found = values(market.replace(bars=bars), "volume", "volume_log", "volume_logchange")
    assert found["volume"][4] == 0.0
    assert np.flatnonzero(~np.isfinite(found["volume_log"])).tolist() == [4]
    # What is not finite is not known: the kernels turn the window into NaN.
    assert np.flatnonzero(~np.isfinite(found["volume_logchange"])).tolist() == [0, 4, 5]


def test_side_values_count_from_their_availability():
    market = funded(random_walk(72))
    found = values(market, "funding_rate", "funding_rate_change")
    # The value of day 0 is known at 06:00: the bar that opens at 05:00 is decided then.
    assert np.isnan(found["funding_rate"][:5]).all()
    assert found["funding_rate"][5:29].tolist() == [0.0] * 24
    assert found["funding_rate"][29] == 1.0
    assert np.flatnonzero(found["funding_rate_change"] == 1.0).tolist() == [29, 53]


def test_a_side_value_that_a_later_market_lacks_is_unknown():
    sources = resolve_series(["funding_rate"], ["funding_rate"])
    assert np.isnan(series_values(random_walk(9), sources)["funding_rate"]).all()


def test_a_name_of_the_bars_wins_and_an_own_change_too():
    names = ["volume", "mood", "mood_change"]
    market = funded(funded(random_walk(48), column="volume", name="x"), column="mood_change", name="y")
    found = values(funded(market, column="mood", name="z"), *names)
    assert np.array_equal(found["volume"], market.bars["volume"].to_numpy())
    assert found["mood_change"][40] == 1.0  # the value column, not the change of mood


def test_two_series_may_not_carry_one_value():
    market = funded(funded(random_walk(48)), name="elsewhere")
    with pytest.raises(SeriesError, match="'funding' and 'elsewhere'"):
        values(market, "funding_rate")
    values(market, "close_logret")  # nobody asked for it


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["close_logrets"], "Did you mean 'close_logret'"),
        (["funding"], "Did you mean 'funding_rate'"),
        (["open_interest"], "of side series: funding_rate"),
        (["close", "close"], "one twice"),
        ([], "no series"),
        ([7], "is not there"),
    ],
)
def test_names_that_do_not_exist_are_answered(names, words):
    with pytest.raises(StageError, match=words):
        resolve_series(names, ["funding_rate"])


def test_without_side_series_the_error_says_so():
    with pytest.raises(StageError, match="no side series"):
        resolve_series(["funding_rate"], [])
