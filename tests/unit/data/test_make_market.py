from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.data.bars import ohlc_violations
from onward.data.market import make_market
from onward.errors import DataError, NotEnoughDataError, SeriesError, TimeframeError
from onward.testing.markets import random_walk
from onward.types import INDEX_NAMES, OHLCV

HOUR = pd.Timedelta(1, unit="h")


@pytest.fixture
def bars() -> pd.DataFrame:
    market = random_walk(48, seed=1)
    return market.bars.droplevel("symbol").rename_axis("timestamp")


def _same(market, bars, symbol="UNNAMED"):
    assert market.symbols == (symbol,)
    np.testing.assert_array_equal(market.bars.to_numpy(), bars[list(OHLCV)].to_numpy())
    assert list(market.open_time) == list(bars.index)


def test_a_frame_with_a_time_index(bars):
    market = make_market(bars, timeframe="1h", symbol="BTC/USD")
    _same(market, bars, "BTC/USD")
    assert market.bars.index.names == list(INDEX_NAMES)
    assert str(market.open_time.dtype) == "datetime64[ns, UTC]"
    assert list(market.bars.dtypes.unique()) == [np.float64]


@pytest.mark.parametrize("name", ["timestamp", "date", "open_time", "Open Time", "Date", "time", "unix"])
def test_a_frame_with_a_time_column_in_any_case(bars, name):
    frame = bars.rename(columns=str.title).rename_axis(name).reset_index()
    _same(make_market(frame, timeframe="1h"), bars)


def test_naive_times_are_utc(bars):
    _same(make_market(bars.tz_localize(None), timeframe="1h"), bars)


def test_times_of_one_zone_are_converted(bars):
    _same(make_market(bars.tz_convert("Asia/Tokyo"), timeframe="1h"), bars)


def test_a_long_frame_becomes_a_panel_whatever_the_order_of_its_symbols(bars):
    one, two = bars.assign(symbol="B"), (bars[5:] * 2).assign(symbol="A")
    market = make_market(pd.concat([one, two]), timeframe="1h")
    assert market.symbols == ("A", "B")
    assert market.rows == {"A": slice(0, 43), "B": slice(43, 91)}
    assert market.bars.index.is_monotonic_increasing
    interleaved = pd.concat([one, two]).sort_index(kind="stable")
    pd.testing.assert_frame_equal(make_market(interleaved, timeframe="1h").bars, market.bars)


def test_venue_and_coin_make_the_symbol(bars):
    frame = pd.concat([bars.assign(venue=v, coin="BTC") for v in ("bybit", "binance")]).reset_index()
    assert make_market(frame, timeframe="1h").symbols == ("binance:BTC", "bybit:BTC")


def test_a_market_made_from_a_markets_bars_is_the_same_market():
    market = random_walk(30, symbols=("A", "B"))
    again = make_market(market.bars, timeframe=market.timeframe)
    assert again.content_hash == market.content_hash


def test_a_symbol_selects_or_renames(bars):
    panel = pd.concat([bars.assign(symbol=s) for s in ("BTC/USDT", "ETH/USDT")])
    assert make_market(panel, timeframe="1h", symbol="ETH/USDT").symbols == ("ETH/USDT",)
    assert make_market(bars.assign(symbol="BTCUSD"), timeframe="1h", symbol="BTC/USD").symbols == ("BTC/USD",)
    with pytest.raises(DataError, match="did you mean 'ETH/USDT'"):
        make_market(panel, timeframe="1h", symbol="ETH/USD")


def test_the_input_is_not_touched(bars):
    before = bars.copy()
    make_market(bars, timeframe="1h", ohlc="widen")
    pd.testing.assert_frame_equal(bars, before)


def test_gaps_stay_gaps(bars):
    _same(make_market(bars.drop(bars.index[[7, 8, 20]]), timeframe="1h"), bars.drop(bars.index[[7, 8, 20]]))


def test_jitter_up_to_a_second_is_floored_and_more_is_an_error(bars):
    late = bars.copy()
    late.index = late.index + pd.to_timedelta(np.tile([0.0, 0.017, 1.0], 16), unit="s")
    _same(make_market(late, timeframe="1h"), bars)
    late.index = bars.index + pd.to_timedelta(np.tile([0.0, 1.5], 24), unit="s")
    with pytest.raises(TimeframeError, match="does not match the spacing"):
        make_market(late, timeframe="1h")


@pytest.mark.parametrize("early", [0.017, 0.06, 0.5, 1e-9])
def test_bars_that_are_all_early_are_refused_and_not_moved(bars, early):
    shifted = bars.copy()
    shifted.index = shifted.index - pd.Timedelta(early, unit="s")
    with pytest.raises(DataError, match="up to 1 s late"):
        make_market(shifted, timeframe="1h")
    shifted.index = bars.index + pd.Timedelta(5, unit="s")  # a grid of its own, in whole seconds
    _same(make_market(shifted, timeframe="1h"), shifted)


def test_the_bar_that_is_still_open_is_left_out(bars):
    last = bars.index[-1]
    assert len(make_market(bars, timeframe="1h", now=last + HOUR)) == 48
    assert len(make_market(bars, timeframe="1h", now=last + HOUR - pd.Timedelta(1, unit="ns"))) == 47
    assert make_market(bars, timeframe="1h", now=last).open_time[-1] == bars.index[-2]
    with pytest.raises(DataError, match="open in the future"):
        make_market(bars, timeframe="1h", now=last - HOUR)
    with pytest.raises(NotEnoughDataError, match="no closed bar"):
        make_market(bars[:1], timeframe="1h", now=bars.index[0])


def test_unknown_volume_stays_nan(bars):
    bars.iloc[3, 4] = np.nan
    assert np.isnan(make_market(bars, timeframe="1h").bars["volume"].iloc[3])


def test_side_series_given_as_frames_follow_their_rule(bars):
    funding = pd.DataFrame({"timestamp": bars.index[::8], "funding_rate": 1e-4})
    market = make_market(bars, timeframe="1h", series={"funding": funding})
    assert market.series["funding"].frame["available_at"].iloc[1] == bars.index[8]
    with pytest.raises(SeriesError, match="available_at"):
        make_market(bars, timeframe="1h", series={"tweets": funding})


def _swap(frame):
    order = np.arange(len(frame))
    order[[4, 5]] = [5, 4]
    return frame.iloc[order]


def _set(column, value):
    def change(frame):
        frame = frame.copy()
        frame.iloc[5, frame.columns.get_loc(column)] = value
        return frame

    return change


def _violate(frame):
    frame = frame.copy()
    frame.iloc[5, 1] = frame.iloc[5, [0, 3]].max() * 0.99
    return frame


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda f: f.drop(columns="volume"), DataError, "lack the column volume"),
        (lambda f: f.drop(columns=["open", "high"]), DataError, "lack the columns open, high"),
        (lambda f: f.reset_index(drop=True), DataError, "carry no open times"),
        (lambda f: f.assign(Close=f["close"]), DataError, "occurs twice"),
        (lambda f: f.assign(close="n/a"), DataError, "not a number"),
        (_swap, DataError, "not in order of time"),
        (lambda f: f[::-1], DataError, "sort_index"),
        (lambda f: pd.concat([f, f[-1:]]), DataError, "occur twice"),
        (_set("close", -1.0), DataError, "greater than zero"),
        (_set("low", 0.0), DataError, "low = 0"),
        (_set("open", np.nan), DataError, "a missing bar is a gap"),
        (_set("high", np.inf), DataError, "finite"),
        (_set("volume", -1.0), DataError, "not negative"),
        (_set("volume", np.inf), DataError, "Volume must be finite"),
        (lambda f: f.assign(volume=np.nan), DataError, "NaN throughout"),
        (_violate, DataError, "does not contain"),
        (lambda f: f.assign(symbol=["A/B"] * 47 + [None]), DataError, "do not say their symbol"),
        (lambda f: f[:0], NotEnoughDataError, "no closed bar"),
        (lambda f: f.set_axis(f.index.where(f.index != f.index[5])), DataError, "missing"),
    ],
)
def test_bad_bars_are_refused_with_a_reason(bars, change, error, says):
    with pytest.raises(error, match=says) as caught:
        make_market(change(bars), timeframe="1h")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("timeframe", "remedy"), [("5m", "'1h'"), ("4h", "'1h'"), ("7m", "'1h'"), ("1d", "'1h'")]
)
def test_a_timeframe_that_does_not_match_names_the_one_that_does(bars, timeframe, remedy):
    with pytest.raises(TimeframeError, match=f"timeframe={remedy}"):
        make_market(bars, timeframe=timeframe)


def test_a_bar_off_the_grid_is_found(bars):
    moved = bars.rename(index={bars.index[9]: bars.index[9] + pd.Timedelta(30, unit="min")})
    with pytest.raises(TimeframeError, match="2 steps that are no multiple of 1h"):
        make_market(moved, timeframe="1h")


def test_mixed_zones_are_refused(bars):
    stamps = [str(t) for t in bars.index]
    stamps[3] = str(bars.index[3].tz_convert("Asia/Tokyo"))
    with pytest.raises(DataError, match="zones are mixed"):
        make_market(bars.reset_index(drop=True).assign(date=stamps), timeframe="1h")


def test_what_is_no_frame_is_refused():
    with pytest.raises(DataError, match="DataFrame"):
        make_market([[1, 2, 3]], timeframe="1h")  # type: ignore[arg-type]


def test_violations_can_be_widened_or_kept_for_reports(bars):
    bad = _violate(bars)
    widened = make_market(bad, timeframe="1h", ohlc="widen").bars
    assert widened["high"].iloc[5] == bad.iloc[5, [0, 3]].max()
    assert not ohlc_violations(widened.to_numpy()).any()
    kept = make_market(bad, timeframe="1h", ohlc="keep").bars
    assert ohlc_violations(kept.to_numpy()).sum() == 1


def test_an_unknown_policy_is_no_policy(bars):
    with pytest.raises(DataError, match="error, widen, keep"):
        make_market(bars, timeframe="1h", ohlc="ignore")  # type: ignore[arg-type]


def test_periods_stand_for_their_beginning(bars):
    _same(make_market(bars.set_axis(bars.index.tz_localize(None).to_period("h")), timeframe="1h"), bars)


def test_rounding_is_no_violation(bars):
    bars.iloc[5, 1] = max(bars.iloc[5, 0], bars.iloc[5, 3]) * (1 - 1e-12)
    market = make_market(bars, timeframe="1h")
    assert market.bars["high"].iloc[5] == max(bars.iloc[5, 0], bars.iloc[5, 3])


@pytest.mark.parametrize(
    ("late", "ahead", "remedy"),
    [
        (1, "3650D", "The stamps of these bars are wrong"),
        (3, "3650D", "The stamps of these bars are wrong"),
        (4, "3650D", "Check the zone"),
        (3, "1h", "Check the zone"),
    ],
)
def test_single_bars_far_in_the_future_are_wrong_stamps(late: int, ahead: str, remedy: str) -> None:
    now = pd.Timestamp("2024-01-10", tz="UTC")
    past = pd.date_range("2024-01-01", periods=48, freq="h", tz="UTC")
    times = past.append(pd.date_range(now + pd.Timedelta(ahead), periods=late, freq="h"))
    table = pd.DataFrame(
        {"timestamp": times, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 1.0}
    )
    with pytest.raises(DataError, match="Bars open in the future") as refused:
        make_market(table, timeframe="1h", symbol="X", now=now)
    assert remedy in str(refused.value.remedy)
