"""`TSFreshStage`: values, names, lookback, short and damaged markets, restriction, bad options."""

from __future__ import annotations

import json
import logging
import sys

import numpy as np
import pandas as pd
import pytest

import onward as ow
from onward.errors import ConfigError, OnwardError, StageError
from onward.features.catalog import (
    CATALOG,
    FITTED,
    TwoPartStage,
    fitted_class,
    make_stage,
    stage_class,
    stage_from_spec,
)
from onward.features.description import describe
from onward.features.pipeline import FeaturePipeline
from onward.features.selection.live_columns import RestrictableStage, restricted
from onward.features.tsfresh import resolve_parameters, rolling_features
from onward.features.tsfresh.costs import microseconds
from onward.features.tsfresh.relevance import TSFreshRelevance
from onward.features.tsfresh.stage import TSFreshStage
from onward.testing.markets import random_walk
from onward.testing.stages import check_causal_stage, contract_markets
from onward.types import Market

ADDRESS = "tests.unit.features.tsfresh.tsfresh_calculators"
FEW = {"mean": None, "quantile": [{"q": 0.1}, {"q": 0.9}]}


@pytest.fixture(scope="module")
def market():
    return random_walk(150, seed=5)


def same(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    return first.equals(second) and np.array_equal(
        np.signbit(first.to_numpy()), np.signbit(second.to_numpy())
    )


def test_it_is_found_by_name():
    assert "tsfresh" in CATALOG
    assert "tsfresh_relevance" in FITTED
    assert stage_class("tsfresh") is TSFreshStage
    assert fitted_class("tsfresh_relevance") is TSFreshRelevance


def test_defaults_are_the_financial_set_on_two_series_and_two_windows(market):
    stage = TSFreshStage.for_market(market)
    assert len(stage.columns()) == 2 * 2 * 74
    assert "tsfresh__close_logret__96__skewness" in stage.columns()
    assert stage.lookback == 97
    assert stage.scope == "symbol"


def test_values_are_those_of_rolling_features(market):
    stage = TSFreshStage(["close_logret"], windows=[24])
    returns = np.log(market.bars["close"]).diff()
    expected = rolling_features(returns, window=24, align="full").to_numpy()
    np.testing.assert_allclose(stage.compute(market).to_numpy(), expected, rtol=1e-12, atol=1e-300)


def test_a_side_series_is_a_series_like_any_other(market):
    times = market.decision_time[::8]
    frame = pd.DataFrame(
        {"symbol": "", "timestamp": times, "available_at": times, "funding_rate": np.arange(len(times)) * 1.0}
    )
    from onward.types import SideSeries

    funded = market.replace(series={"funding": SideSeries("funding", frame)})
    stage = TSFreshStage.for_market(
        funded, columns=["funding_rate", "funding_rate_change"], windows=[16], parameters={"maximum": None}
    )
    table = stage.compute(funded)
    assert table["tsfresh__funding_rate__16__maximum"].iloc[-1] == len(times) - 1
    assert table["tsfresh__funding_rate_change__16__maximum"].iloc[-1] == 1.0
    assert stage.compute(market).isna().all().all()  # a later market lacks it


EFFICIENT = {case.name: case.market for case in contract_markets(31)}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name == "one symbol" else pytest.mark.slow) for name in EFFICIENT],
)
def test_the_contract_holds_for_the_efficient_set(name):
    stage = TSFreshStage.for_market(EFFICIENT[name], set="efficient", columns=["range"], windows=[30])
    check_causal_stage(stage, EFFICIENT[name])


@pytest.mark.parametrize("chosen", ["minimal", pytest.param("financial", marks=pytest.mark.slow)])
def test_the_audit_passes(chosen):
    walk = random_walk(400, seed=1)
    stage = TSFreshStage.for_market(walk, set=chosen, columns=["close_logret", "range"], windows=[24])
    report = ow.audit(stage, walk)
    assert report.passed, report.findings


def test_lookback_is_exact(market):
    for columns, windows, lookback in [
        (["close_logret", "volume"], [5, 12], 13),
        (["volume"], [12], 12),
        (["range", "gap_logret"], [3], 4),
    ]:
        stage = TSFreshStage(columns, windows=windows, parameters=FEW)
        assert stage.lookback == lookback
        whole = stage.compute(market)
        assert same(stage.compute(market.last(lookback)).iloc[[-1]], whole.iloc[[-1]])
        assert stage.compute(market.last(lookback - 1)).iloc[-1].isna().any()


def test_matrices_are_filled_in_place_and_progress_is_told(market):
    stage = TSFreshStage(windows=[5, 12], parameters=FEW)
    whole = stage.compute(market)
    for order in ("C", "F"):
        out = np.full(whole.shape, -1.0, dtype=np.float32, order=order)
        told: list[tuple[int, str]] = []
        stage.compute_into(market, out, lambda *news, told=told: told.append(news))
        assert np.array_equal(out, whole.to_numpy().astype(np.float32), equal_nan=True)
        assert told == [(3, "close_logret 5"), (6, "close_logret 12"), (9, "volume 5"), (12, "volume 12")]
    table = FeaturePipeline([stage]).compute(market)
    assert np.array_equal(table.to_numpy(), whole.to_numpy().astype(np.float32), equal_nan=True)


@pytest.mark.parametrize("n_bars", [0, 1, 5, 12, 13])
def test_windows_longer_than_the_market_are_unknown(n_bars):
    walk = random_walk(13)
    short = Market(walk.bars.iloc[:n_bars], walk.timeframe)
    stage = TSFreshStage(windows=[5, 12], parameters={"mean": None})
    known = stage.compute(short).notna().sum()
    assert known["tsfresh__volume__5__mean"] == max(0, n_bars - 4)
    assert known["tsfresh__volume__12__mean"] == max(0, n_bars - 11)
    assert known["tsfresh__close_logret__12__mean"] == max(0, n_bars - 12)
    if n_bars:
        FeaturePipeline([stage]).compute(short)


@pytest.mark.parametrize(
    ("columns", "windows", "words"),
    [
        (["volume"], [24, 151], r"windows of 151 bars, which need 151; the longest symbol has 150"),
        (["close_logret"], [150], r"which need 151; .*allowed: windows of 1 to 149 bars"),
    ],
)
def test_a_window_that_no_symbol_can_fill_is_refused_before_anything_is_computed(
    market, columns, windows, words
):
    """In training its columns would be NaN, and whatever fails for want of values would be blamed."""
    with pytest.raises(StageError, match=words) as refusal:
        make_stage("tsfresh", market, {"columns": columns, "windows": windows})
    assert "features.tsfresh.windows" in str(refusal.value.remedy)
    assert TSFreshStage.for_market(market, columns=["volume"], windows=[150]).compute(market).iloc[-1].any()


def test_one_long_symbol_is_enough_for_a_window():
    panel = random_walk(60, symbols=["A", "B"])
    bars = panel.bars.drop(panel.bars.loc[["B"]].index[30:])
    assert TSFreshStage.for_market(panel.replace(bars=bars), columns=["volume"], windows=[60]).lookback == 60


def test_what_is_slow_or_undefined_is_logged_when_the_stage_is_made(market, caplog):
    own = {f"{ADDRESS}:spread": None, "autocorrelation": [{"lag": 3}, {"lag": 30}]}
    with caplog.at_level(logging.WARNING):
        TSFreshStage.for_market(market, parameters=own, windows=[24, 48])
        TSFreshStage.for_market(market, set="efficient")
    assert [record.getMessage() for record in caplog.records] == [
        "tsfresh: no kernel computes spread; tsfresh does, slowly, in a child process",
        "tsfresh: autocorrelation__lag_30 reaches beyond a window of 24: NaN in every row, as in tsfresh",
    ]


def test_a_window_beyond_any_memory_costs_nothing_on_a_shorter_market(market):
    stage = TSFreshStage(["volume"], windows=[10**9], set="efficient")
    assert stage.compute(market).isna().all().all()


def test_runs_of_unknown_values_and_constant_series():
    walk = random_walk(200, seed=2)
    bars = walk.bars.copy()
    bars.iloc[50:60] = np.nan
    bars.iloc[100:] = 7.0
    stage = TSFreshStage(["close_logret", "volume", "range", "body"], windows=[12])
    table = stage.compute(walk.replace(bars=bars))
    assert not np.isinf(table.to_numpy()).any()
    assert table.iloc[50:71].isna().all().all()
    flat = table.iloc[130:]
    assert (flat["tsfresh__close_logret__12__mean"] == 0.0).all()
    assert (flat["tsfresh__volume__12__maximum"] == 7.0).all()
    nothing = stage.compute(walk.replace(bars=bars * np.nan))
    assert nothing.isna().all().all()


def test_what_float32_cannot_hold_is_unknown():
    walk = random_walk(40)
    bars = walk.bars.copy()
    bars["volume"] *= 1e30
    stage = TSFreshStage(["volume"], windows=[8], parameters={"abs_energy": None, "mean": None})
    table = FeaturePipeline([stage]).compute(walk.replace(bars=bars))
    assert table["tsfresh__volume__8__abs_energy"].isna().all()
    assert table["tsfresh__volume__8__mean"].iloc[7:].notna().all()


def test_calculators_that_read_the_clock_get_the_decision_times():
    walk = random_walk(30)
    holed = Market(walk.bars.drop(walk.bars.index[10:15]), walk.timeframe)
    line = {"linear_trend_timewise": [{"attr": "slope"}], "linear_trend": [{"attr": "slope"}]}
    table = TSFreshStage(["close"], windows=[6], parameters=line).compute(holed)
    clock, place = table.to_numpy()[5:].T
    touched = slice(10 - 5, 10)
    assert not np.isclose(clock[touched], place[touched]).any()
    np.testing.assert_allclose(np.delete(clock, np.r_[touched]), np.delete(place, np.r_[touched]), rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_restricted_stages_compute_the_same_bits_and_no_more(market, seed):
    stage = TSFreshStage(["close_logret", "range", "volume"], windows=[24, 7])
    whole = stage.compute(market)
    wanted = list(np.random.default_rng(seed).choice(stage.columns(), 5, replace=False))
    assert isinstance(stage, RestrictableStage)
    smaller = restricted(stage, wanted)
    assert set(smaller.columns()) == set(wanted)
    assert same(smaller.compute(market), whole[list(smaller.columns())])
    again = stage_from_spec(json.loads(json.dumps(smaller.spec(), sort_keys=True)))
    assert again.columns() == smaller.columns()
    only_short = restricted(stage, [c for c in wanted if "__7__" in c] or ["tsfresh__range__7__mean"])
    assert only_short.lookback <= 8
    assert restricted(smaller, wanted[:2]).lookback <= smaller.lookback


def test_specifications_survive_sorted_json(market):
    wanted = {
        "quantile": [{"q": 0.9}, {"q": 0.1}],
        "cwt_coefficients": [{"widths": (2, 5), "coeff": 1, "w": 2}],
    }
    stage = TSFreshStage(["range"], windows=[9, 3], parameters={**wanted, "abs_energy": None}, series=["x"])
    rebuilt = stage_from_spec(json.loads(json.dumps(stage.spec(), sort_keys=True)))
    assert rebuilt.columns() == stage.columns()
    assert rebuilt.columns()[2] == "tsfresh__range__9__cwt_coefficients__coeff_1__w_2__widths_(2, 5)"
    assert same(rebuilt.compute(market), stage.compute(market))
    assert rebuilt.spec() == stage.spec()


def test_options_of_the_test_do_not_change_the_matrix():
    first, second = TSFreshStage(), TSFreshStage(fdr_level=0.2, feature_count_limit=9)
    assert first.spec() == second.spec()
    assert isinstance(first, TwoPartStage)
    part = second.fitted_part()
    assert (part.fdr_level, part.feature_count_limit) == (0.2, 9)
    assert part is not second.fitted_part()
    assert TSFreshStage(relevance=False).fitted_part() is None


def test_it_describes_every_column(market):
    stage = TSFreshStage(["close_logret", "volume"], windows=[24, 96])
    told = describe(stage)
    assert [info.column for info in told] == list(stage.columns())
    by_column = {info.column: info for info in told}
    assert by_column["tsfresh__close_logret__24__mean"].lookback == 25
    assert by_column["tsfresh__volume__96__mean"].lookback == 96
    assert all(info.microseconds > 0 for info in told)
    assert 10 < sum(info.microseconds for info in told) < 100


def test_costs_of_what_nobody_measured_are_unknown():
    known, unknown, by_tsfresh = microseconds(
        resolve_parameters({"mean": None, f"{ADDRESS}:spread": None, "matrix_profile": [{"feature": "min"}]}),
        24,
    )
    assert 0 < known < by_tsfresh
    assert unknown is None


def test_costs_grow_with_the_window():
    features = resolve_parameters("comprehensive")
    costs = [np.array(microseconds(features, window)) for window in (5, 24, 50, 96, 200, 384, 1000)]
    assert all((later > 0).all() for later in costs)
    assert np.all(np.diff([cost.sum() for cost in costs]) > 0)
    assert costs[-1].sum() < costs[-2].sum() * (1000 / 384) ** 2.1


def test_functions_of_the_users_run_in_the_child_process(market):
    stage = TSFreshStage(
        ["range", "volume"], windows=[7, 5], parameters={f"{ADDRESS}:spread": None, "mean": None}
    )
    short = market.last(20)
    table = stage.compute(short)
    volume = short.bars["volume"].rolling(7)
    np.testing.assert_allclose(table["tsfresh__volume__7__spread"], volume.max() - volume.min(), rtol=1e-12)
    smaller = stage.restricted(["tsfresh__volume__7__spread", "tsfresh__range__5__mean"])
    assert set(smaller.columns()) >= {"tsfresh__volume__7__spread", "tsfresh__range__5__mean"}
    assert same(smaller.compute(short), table[list(smaller.columns())])
    assert stage.spec()["parameters"] == [[f"{ADDRESS}:spread", None], ["mean", None]]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"set": "finacial"}, ConfigError, "Did you mean 'financial'"),
        ({"parameters": {"quantil": [{"q": 0.1}]}}, ConfigError, "Did you mean 'quantile'"),
        ({"parameters": {lambda x: 0.0: None}}, ConfigError, "module of its own"),
        ({"columns": ["close_logrets"]}, StageError, "tsfresh.columns"),
        ({"columns": ["funding_rate"]}, StageError, "no side series"),
        ({"columns": []}, StageError, "tsfresh.columns"),
        ({"windows": []}, StageError, "tsfresh.windows"),
        ({"windows": [24, 24]}, StageError, "tsfresh.windows"),
        ({"windows": [0]}, ConfigError, "tsfresh.windows"),
        ({"windows": [True]}, ConfigError, "tsfresh.windows"),
        ({"windows": "24"}, OnwardError, "tsfresh.windows"),
        ({"fdr_level": 0.0}, StageError, "tsfresh.fdr_level"),
        ({"fdr_level": True}, StageError, "tsfresh.fdr_level"),
        ({"feature_count_limit": 0}, StageError, "tsfresh.feature_count_limit"),
        ({"hypotheses_independent": "no"}, StageError, "tsfresh.hypotheses_independent"),
        ({"timeout": -1}, StageError, "tsfresh.timeout"),
    ],
)
def test_bad_options_are_answered(market, options, error, words):
    with pytest.raises(error, match=words):
        TSFreshStage.for_market(market, **options)


def test_bad_restrictions_and_specifications_are_answered():
    stage = TSFreshStage(windows=[5])
    with pytest.raises(StageError, match="Did you mean 'tsfresh__volume__5__mean'"):
        stage.restricted(["tsfresh__volume__5__meen"])
    with pytest.raises(StageError, match="no column"):
        stage.restricted([])
    with pytest.raises(StageError, match="not complete"):
        TSFreshStage.from_spec({"stage": "tsfresh"})


def test_an_empty_dictionary_means_the_set():
    assert TSFreshStage(parameters={}, set="minimal").columns() == TSFreshStage(set="minimal").columns()
    assert TSFreshStage("volume", windows=5, set="minimal").columns()[0] == "tsfresh__volume__5__sum_values"


@pytest.mark.parametrize("address", ["joblib:dump", "os:system", "builtins:eval"])
def test_an_address_runs_nothing_that_was_not_made_to_be_a_calculator(address):
    with pytest.raises(ConfigError, match="not marked as a calculator"):
        TSFreshStage(parameters={address: [{"filename": "x"}]})
    stage = TSFreshStage(parameters={"mean": None})
    spec = {**stage.spec(), "parameters": [[address, None]]}
    with pytest.raises(StageError, match=r"not the one that the model was trained with|cannot be found"):
        TSFreshStage.from_spec(spec)


def test_a_calculator_whose_module_changed_is_not_imported(tmp_path, monkeypatch):
    module = tmp_path / "own_range_calculator.py"
    module.write_text("def width(x):\n    return float(x.max() - x.min())\n\nwidth.fctype = 'simple'\n")
    monkeypatch.syspath_prepend(tmp_path)
    spec = TSFreshStage(parameters={"own_range_calculator:width": None}).spec()
    assert TSFreshStage.from_spec(json.loads(json.dumps(spec))).spec() == spec
    module.write_text("raise SystemExit('ran')\n")
    monkeypatch.delitem(sys.modules, "own_range_calculator")
    with pytest.raises(StageError, match="not the one that the model was trained with"):
        TSFreshStage.from_spec(spec)
