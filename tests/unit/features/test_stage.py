from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from onward.errors import SeriesError, StageError, TimeframeError
from onward.features.catalog import CATALOG, fitted_class, stage_class, stage_from_spec, stage_names
from onward.features.manual import FAMILIES, GROUPS, Alpha158Stage, ManualFeaturesStage
from onward.features.manual.family import Bars
from onward.protocols import CausalStage, FittedStage
from onward.testing.markets import planted_signal, random_walk
from onward.testing.stages import contract_markets
from onward.types import Market, SideSeries

HOUR = pd.Timedelta("1h")
CASES = {str(case): case.market for case in contract_markets(50)}


def test_satisfies_the_protocol():
    stage = ManualFeaturesStage(timeframe=HOUR)
    assert isinstance(stage, CausalStage)
    assert stage.name == "manual"
    assert stage.scope == "symbol"


def test_families_without_their_inputs_switch_themselves_off_and_say_so():
    stage = ManualFeaturesStage(timeframe=HOUR)
    assert set(stage.disabled) == {
        "funding", "open_interest", "leverage", "sentiment", "custom_series", "cross_asset",
    }  # fmt: skip
    assert stage.disabled["leverage"] == "needs the side series values funding_rate, open_interest"
    assert stage.disabled["cross_asset"] == "needs a panel of two or more symbols"
    assert set(stage.families) == set(FAMILIES) - set(stage.disabled)
    with_funding = ManualFeaturesStage(series=["funding_rate"], timeframe=HOUR)
    assert "funding" in with_funding.families
    assert with_funding.disabled["leverage"] == "needs the side series value open_interest"
    assert "custom_series" in with_funding.disabled


def test_a_weekly_market_has_no_higher_timeframe():
    stage = ManualFeaturesStage(timeframe=pd.Timedelta("7D"))
    assert stage.disabled["multi_timeframe"] == "has nothing to compute on this timeframe"


def test_everything_is_on_where_everything_is_there():
    market = CASES["unequal panel"]
    stage = ManualFeaturesStage.for_market(market)
    assert dict(stage.disabled) == {}
    assert stage.families == tuple(FAMILIES)
    assert stage.scope == "cross_section"
    assert "manual__dev_activity" in stage.columns()
    table = stage.compute(market)
    assert table.index.equals(market.bars.index)
    assert tuple(table.columns) == stage.columns()
    assert (table.dtypes == np.float64).all()


def test_columns_do_not_depend_on_the_order_in_which_families_are_named():
    one = ManualFeaturesStage(["technical", "price"], timeframe=HOUR)
    other = ManualFeaturesStage(["price", *reversed(GROUPS["technical"])], timeframe=HOUR)
    assert one.columns() == other.columns()
    assert len(set(one.columns())) == len(one.columns())
    assert all(column.startswith("manual__") for column in one.columns())
    by_family = one.columns_by_family()
    assert tuple(c for columns in by_family.values() for c in columns) == one.columns()


@pytest.mark.parametrize("name", CASES)
def test_the_specification_rebuilds_the_stage(name):
    market = CASES[name]
    for stage in (*ManualFeaturesStage.examples(market), *Alpha158Stage.examples(market)):
        again = stage_from_spec(json.loads(json.dumps(stage.spec())))
        assert again.columns() == stage.columns()
        assert again.lookback == stage.lookback
        assert again.disabled == stage.disabled
        assert again.spec() == stage.spec()
        pd.testing.assert_frame_equal(again.compute(market), stage.compute(market), check_exact=True)


def test_the_specification_spells_out_defaults():
    spec = ManualFeaturesStage(["oscillators"], timeframe=HOUR).spec()
    assert spec["options"]["oscillators"]["rsi_windows"] == [7, 14, 21]
    assert "timeframe" not in ManualFeaturesStage(["levels"], timeframe=HOUR).spec()["options"]["levels"]


def test_options_change_windows_and_names():
    options = {"oscillators": {"rsi_windows": [5]}}
    stage = ManualFeaturesStage(["oscillators"], options=options, timeframe=HOUR)
    assert stage.columns()[0] == "manual__rsi_5"
    assert "manual__rsi_14" not in stage.columns()


def test_symbols_are_computed_alone():
    market = CASES["unequal panel"]
    stage = ManualFeaturesStage(["price", "technical"], timeframe=HOUR)
    whole = stage.compute(market)
    for symbol in market.symbols:
        alone = stage.compute(market.select([symbol]))
        pd.testing.assert_frame_equal(whole.loc[[symbol]], alone, check_exact=True)


def test_a_series_that_is_absent_gives_nan():
    stage = ManualFeaturesStage(["custom_series"], series=["driver"], timeframe=HOUR)
    table = stage.compute(random_walk(50))
    assert table.isna().all(axis=None)


def test_very_short_and_empty_markets_are_computed():
    market = CASES["unequal panel"]
    stage = ManualFeaturesStage.for_market(market)
    for n_bars in (1, 2, 5):
        first = market.bars.groupby(level=0).head(n_bars)
        table = stage.compute(Market(first, market.timeframe, market.series))
        assert len(table) == 3 * n_bars
    assert stage.compute(Market(market.bars.iloc[:0], market.timeframe)).shape == (0, len(stage.columns()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"families": ["pricee"]}, "Did you mean 'price'"),
        ({"families": ["tecnical"]}, "Did you mean 'technical'"),
        ({"families": ["zzz"]}, "no family of manual features"),
        ({"families": []}, "no family"),
        ({"families": ["funding"]}, "funding_rate"),
        ({"options": {"oscilators": {}}}, "Did you mean 'oscillators'"),
        ({"options": {"oscillators": {"rsi_window": [3]}}}, "Did you mean 'rsi_windows'"),
        ({"options": {"oscillators": {"rsi_windows": 14}}}, "rsi_windows"),
        ({"options": {"oscillators": {"rsi_windows": ["14"]}}}, "rsi_windows"),
        ({"options": {"oscillators": {"cci_window": -1}}}, "cci_window"),
        ({"options": {"levels": {"bollinger_deviations": float("nan")}}}, "bollinger_deviations"),
        ({"options": {"levels": {"timeframe": 5}}}, "no such parameter"),
        ({"options": {"custom_series": {"values": ["x"]}}}, "no such parameter"),
        ({"series": ["rsi_14"]}, "the same column"),
    ],
)
def test_wrong_arguments_teach(arguments, message):
    with pytest.raises(StageError, match=message):
        ManualFeaturesStage(timeframe=HOUR, **arguments)


@pytest.mark.parametrize("timeframe", [pd.Timedelta(0), pd.Timedelta("-1h"), "soon", None, pd.NaT])
def test_the_timeframe_must_be_a_duration(timeframe):
    with pytest.raises(TimeframeError, match="timeframe"):
        ManualFeaturesStage(timeframe=timeframe)


def test_another_timeframe_is_refused():
    with pytest.raises(TimeframeError, match="another timeframe"):
        ManualFeaturesStage(["price"], timeframe=pd.Timedelta("4h")).compute(random_walk(50))


def test_two_series_with_one_value_column_are_refused():
    market = planted_signal(50)
    frame = market.series["driver"].frame
    twice = market.replace(series={**market.series, "copy": SideSeries("copy", frame)})
    with pytest.raises(SeriesError, match="same value column"):
        ManualFeaturesStage.for_market(twice).compute(twice)


@dataclass(frozen=True)
class Broken:
    """A family that breaks its contract in a chosen way."""

    how: str = "infinity"
    name: ClassVar[str] = "broken"
    requires: ClassVar[tuple[str, ...]] = ()
    seen: ClassVar[list[Bars]] = []

    def columns(self):
        return ("fine", "wrong")

    def lookback(self, timeframe):
        return 1

    def compute(self, bars):
        self.seen.append(bars)
        fine, wrong = bars.close.copy(), bars.close.copy()
        if self.how == "infinity":
            wrong[3] = np.inf
        if self.how == "length":
            wrong = wrong[1:]
        return {"fine": fine, "other" if self.how == "name" else "wrong": wrong}


class BrokenStage(ManualFeaturesStage):
    name = "broken"
    catalog: ClassVar = {"broken": f"{__name__}:Broken"}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("infinity", "broken__wrong.*infinity.*inf at row 3"),
        ("length", "broken__wrong"),
        ("name", "other, wrong"),
    ],
)
def test_a_family_that_breaks_its_contract_is_named(how, message):
    stage = BrokenStage(options={"broken": {"how": how}}, timeframe=HOUR)
    with pytest.raises(StageError, match=message):
        stage.compute(random_walk(20))


def test_bars_are_given_read_only():
    stage = BrokenStage(options={"broken": {"how": "none"}}, timeframe=HOUR)
    stage.compute(random_walk(20))
    bars = Broken.seen[-1]
    with pytest.raises(ValueError, match="read-only"):
        bars.close[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        bars.open_time[0] = 1
    with pytest.raises(TypeError):
        bars.series["x"] = bars.close


def test_the_catalogue_loads_every_stage_and_family():
    market = CASES["unequal panel"]
    for name in stage_names():
        assert stage_class(name).name == name
    assert set(CATALOG) <= set(stage_names())
    stage = ManualFeaturesStage.for_market(market)
    assert [family.name for family in stage._families] == list(FAMILIES)
    assert set(FAMILIES) >= {name for group in GROUPS.values() for name in group}
    assert not set(FAMILIES) & set(GROUPS)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"stage": "manuel"}, "Did you mean 'manual'"),
        ({}, "does not name its stage"),
        ({"stage": "manual"}, "not complete"),
        ({"stage": 3}, "does not name its stage"),
    ],
)
def test_wrong_specifications_teach(spec, message):
    with pytest.raises(StageError, match=message):
        stage_from_spec(spec)


def test_the_selector_is_a_fitted_stage():
    assert isinstance(fitted_class("selection")(), FittedStage)
    with pytest.raises(StageError, match="Did you mean 'selection'"):
        fitted_class("selectio")


def test_the_timeframe_decides_levels_and_is_not_an_option():
    day = ManualFeaturesStage(["levels"], timeframe=pd.Timedelta("1D")).spec()
    hour = stage_from_spec({**day, "timeframe_ns": int(HOUR.value)})
    assert hour.columns() == ManualFeaturesStage(["levels"], timeframe=HOUR).columns()
