"""What imports repair, and by which rule."""

from __future__ import annotations

import numpy as np
import pandas as pd

from onward.data import importers
from tests.unit.data.candle_rows import PRICES, candles, hours, rows, write_csv


def test_an_unfinished_bar_gives_way_to_the_finished_one_whichever_came_first(tmp_path):
    finished = candles(4)
    unfinished = finished[2:3].assign(close=100.5, volume=1.0)
    for order in ([finished, unfinished], [finished[:2], unfinished, finished[2:]]):
        result = importers.read(write_csv(tmp_path, pd.concat(order)))
        assert rows(result)[2] == [*PRICES, 3.0]
        (conflict,) = [r for r in result.repairs if r.name == "conflicts"]
        assert conflict.count == 1
        assert "larger volume" in conflict.detail


def test_of_bars_with_equal_volume_the_later_row_is_kept(tmp_path):
    result = importers.read(write_csv(tmp_path, pd.concat([candles(3), candles(3)[1:2].assign(close=100.5)])))
    assert list(result.frame["close"]) == [101.0, 100.5, 101.0]


def test_of_side_values_the_first_print_is_kept(tmp_path):
    frame = pd.DataFrame({"date": hours(3), "funding_rate": [1e-4, 2e-4, 3e-4]})
    result = importers.read(write_csv(tmp_path, pd.concat([frame, frame[1:2].assign(funding_rate=9e-4)])))
    assert list(result.frame["funding_rate"]) == [1e-4, 2e-4, 3e-4]
    assert "first print" in result.repairs[-1].detail


def test_identical_rows_are_one_row_and_no_conflict(tmp_path):
    result = importers.read(write_csv(tmp_path, pd.concat([candles(3), candles(3)])))
    assert len(result.frame) == 3
    assert {r.name: r.count for r in result.repairs} == {"sorted": 1, "duplicates": 3}


def test_rows_without_prices_are_left_out(tmp_path):
    frame = candles(4)
    frame.loc[1, "close"] = np.nan
    result = importers.read(write_csv(tmp_path, frame))
    assert len(result.frame) == 3
    assert result.repairs[0].name == "incomplete"


def test_adjusted_closes_are_left_out_by_name(tmp_path):
    result = importers.read(write_csv(tmp_path, candles(3).assign(adj_close=1.0)))
    assert "adj_close" not in result.frame
    assert "adjusted closes know later splits" in result.repairs[0].detail
