from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.errors import ConfigError, PlanError, SeriesError, StageError
from onward.features.catalog import make_stage, stage_from_spec
from onward.features.fracdiff import FracDiffStage
from onward.testing.markets import random_walk
from onward.training.plan import TrainingPlan
from onward.training.stages import make_pipeline
from onward.types import INDEX_NAMES, Market, SideSeries, from_ns

REFERENCE: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "fixtures/references/fracdiff.json").read_text()
)
HOUR = 3_600_000_000_000


def market_of(close: np.ndarray) -> Market:
    index = pd.MultiIndex.from_product(
        [["X/USD"], from_ns(HOUR * np.arange(len(close), dtype=np.int64))], names=INDEX_NAMES
    )
    names = ("open", "high", "low", "close")
    bars = pd.DataFrame(dict.fromkeys(names, close) | {"volume": 1.0}, index=index)
    return Market(bars, pd.Timedelta("1h"))


def with_rate(market: Market, name: str = "funding", lag_bars: int = 0) -> Market:
    times = market.open_time.unique()
    frame = pd.DataFrame({"symbol": "", "timestamp": times})
    frame["available_at"] = frame["timestamp"] + lag_bars * market.timeframe
    frame["rate"] = np.linspace(-1.0, 1.0, len(times))
    return market.replace(series={**market.series, name: SideSeries(name, frame)})


@pytest.mark.parametrize("case", REFERENCE["series"], ids=lambda case: f"{case['d']} {case['tau']}")
def test_the_log_close_equals_the_published_series(case: dict[str, Any]) -> None:
    stage = FracDiffStage(["log_close"], orders=[case["d"]], threshold=case["tau"])
    found = stage.compute(market_of(np.array(REFERENCE["close"])))
    assert stage.lookback == case["n_weights"]
    assert list(found.columns) == [f"fracdiff__log_close__{case['d']:g}"]
    np.testing.assert_allclose(found.iloc[:, 0], np.array(case["values"], dtype=float), rtol=0, atol=1e-9)


def test_columns_and_lookback_follow_from_the_options() -> None:
    stage = FracDiffStage()
    assert stage.columns()[:3] == (
        "fracdiff__log_close__0.3",
        "fracdiff__log_close__0.5",
        "fracdiff__log_close__0.7",
    )
    assert len(stage.columns()) == 6
    assert stage.lookback == 388
    assert [line.lookback for line in stage.describe()] == [388, 200, 97] * 2
    assert FracDiffStage("log_close", orders=1.0).columns() == ("fracdiff__log_close__1",)
    assert FracDiffStage(width=50).lookback == 50


def test_order_one_is_the_log_return_symbol_by_symbol() -> None:
    market = random_walk(60, symbols=("A", "B"))
    found = FracDiffStage(["log_close"], orders=[1.0]).compute(market)
    expected = np.log(market.bars["close"]).groupby(level=0).diff()
    np.testing.assert_allclose(found.iloc[:, 0], expected, atol=1e-14)


def test_gaps_count_bars_and_unknown_values_are_never_bridged() -> None:
    market = random_walk(120)
    stage = FracDiffStage(["log_close", "log_volume"], orders=[0.5], width=10)
    whole = stage.compute(market)
    keep = np.ones(len(market), dtype=bool)
    keep[50:60] = False
    gap = stage.compute(Market(market.bars[keep], market.timeframe))
    assert not gap.iloc[9:].isna().to_numpy().any()
    closed = Market(market.bars[keep].set_axis(market.bars.index[:110]), market.timeframe)
    np.testing.assert_array_equal(gap, stage.compute(closed))

    bars = market.bars.copy()
    bars.iloc[70, 4] = 0.0
    bars.iloc[30, 3] = np.nan
    damaged = stage.compute(Market(bars, market.timeframe))
    unknown = damaged.isna().to_numpy() & ~whole.isna().to_numpy()
    assert np.flatnonzero(unknown[:, 0]).tolist() == list(range(30, 40))
    assert np.flatnonzero(unknown[:, 1]).tolist() == list(range(70, 80))


def test_side_values_are_those_known_at_the_decision_time() -> None:
    market = with_rate(random_walk(40), lag_bars=3)
    found = FracDiffStage.for_market(market, columns=["rate", "log_rate"], orders=[1.0]).compute(market)
    step = 2.0 / 39
    assert np.isnan(found["fracdiff__rate__1"].iloc[:3]).all()
    np.testing.assert_allclose(found["fracdiff__rate__1"].iloc[3:], step)
    known = found["fracdiff__log_rate__1"].notna().to_numpy()
    assert 10 < known.sum() < 20  # the rate is positive in its later half


def test_a_side_value_that_is_gone_is_unknown() -> None:
    stage = FracDiffStage(["rate"], orders=[0.5], series=["rate"])
    assert stage.compute(random_walk(400)).isna().to_numpy().all()


def test_a_short_market_has_unknown_values_and_an_empty_one_no_rows() -> None:
    market = random_walk(30)
    assert FracDiffStage().compute(market).isna().to_numpy().all()
    assert FracDiffStage().compute(market.last(0)).shape == (0, 6)


def test_the_newest_row_from_lookback_bars_equals_the_batch_to_the_last_bit() -> None:
    market = random_walk(900, symbols=("A", "B"))
    stage = FracDiffStage()
    recent = stage.compute(market.last(stage.lookback))
    whole = stage.compute(market)
    for symbol in ("A", "B"):
        assert recent.loc[symbol].iloc[-1].equals(whole.loc[symbol].iloc[-1])


def test_restricted_and_rebuilt_give_the_same_bits() -> None:
    market = with_rate(random_walk(500))
    stage = FracDiffStage.for_market(market, columns=["rate", "log_close"])
    whole = stage.compute(market)
    some = [stage.columns()[4], stage.columns()[0]]
    narrow = stage.restricted(some)
    assert narrow.columns() == (some[1], some[0])
    pd.testing.assert_frame_equal(narrow.compute(market), whole[list(narrow.columns())])
    rebuilt = stage_from_spec(json.loads(json.dumps(narrow.spec())))
    pd.testing.assert_frame_equal(rebuilt.compute(market), narrow.compute(market))
    assert FracDiffStage(orders=[0.3, 0.7]).restricted(["fracdiff__log_close__0.7"]).lookback == 97


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["log_clse"]}, "Did you mean 'log_close'"),
        ({"columns": []}, "names no series"),
        ({"columns": ["log_close", "log_close"]}, "one twice"),
        ({"columns": ["close"]}, "not there"),
        ({"columns": ["funding_rate"]}, "the market has no side series"),
        ({"orders": []}, "names no order"),
        ({"orders": [0.4, 0.4]}, "one twice"),
        ({"orders": [0.0]}, "out of range"),
        ({"orders": [2.5]}, "out of range"),
        ({"orders": [-0.4]}, "out of range"),
        ({"orders": [float("nan")]}, "out of range"),
        ({"orders": ["0.4"]}, "out of range"),
        ({"orders": [True]}, "out of range"),
        ({"threshold": 0.0}, "threshold"),
        ({"threshold": 1.0}, "threshold"),
        ({"threshold": None}, "threshold"),
        ({"threshold": 0.6, "orders": [0.5]}, "nothing to difference"),
        ({"threshold": 1e-9, "orders": [0.2]}, "too long"),
        ({"width": 1}, "no length of a window"),
        ({"width": 30_000}, "no length of a window"),
        ({"width": 2.5}, "no length of a window"),
        ({"width": True}, "no length of a window"),
        ({"oders": [0.4]}, "Did you mean 'orders'"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(StageError, match=message):
        make_stage("fracdiff", random_walk(9), options)


def test_a_specification_and_a_restriction_must_be_whole() -> None:
    stage = FracDiffStage()
    with pytest.raises(StageError, match="not complete"):
        FracDiffStage.from_spec({"stage": "fracdiff"})
    with pytest.raises(StageError, match=r"Did you mean 'fracdiff__log_close__0.5'"):
        stage.restricted(["fracdiff__log_close__0.55"])
    with pytest.raises(StageError, match="no column"):
        stage.restricted([])


def test_two_series_with_one_value_column_are_refused() -> None:
    market = with_rate(with_rate(random_walk(20)), "other")
    with pytest.raises(SeriesError, match="same value column"):
        FracDiffStage(["rate"], series=["rate"]).compute(market)


def test_a_plan_names_the_stage_and_its_section_sets_it() -> None:
    plan = TrainingPlan(
        features={
            "stages": ["fracdiff"],
            "fracdiff": {"orders": [0.4], "columns": ["log_close"], "width": 60},
        }
    )
    (stage,) = make_pipeline(plan, random_walk(20)).causal
    assert stage.columns() == ("fracdiff__log_close__0.4",)
    assert stage.lookback == 60
    assert "fracdiff" not in TrainingPlan().features.stages


def test_a_plan_with_impossible_options_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"features\.fracdiff\.width"):
        TrainingPlan(features={"fracdiff": {"width": 1}})
    plan = TrainingPlan(features={"stages": ["fracdiff"], "fracdiff": {"orders": [3.0]}})
    with pytest.raises(PlanError, match=r"features\.fracdiff: .*orders"):
        make_pipeline(plan, random_walk(20))
