"""The stage against featuretools itself (the extra ``onward[automl]``)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.resources import files
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from onward.errors import StageError
from onward.features.featuretools import PRIMITIVES, FeaturetoolsStage, evaluate
from onward.features.featuretools.parameters import (
    DEFAULT_AGGREGATIONS,
    DEFAULT_RANKS,
    DEFAULT_TRANSFORMS,
    check_parameters,
)
from onward.features.featuretools.ship import as_text
from onward.features.featuretools.synthesis import _shipped, _wanted, synthesise_templates
from onward.features.isolation import ChildTimeoutError
from onward.testing.markets import random_walk
from onward.testing.stages import contract_markets
from onward.types import FloatArray, Market

pytestmark = pytest.mark.skipif(
    find_spec("featuretools") is None, reason="featuretools is not installed (the extra onward[automl])"
)

HOUR = 3_600_000_000_000
NATIVE = [p.name for p in PRIMITIVES.values() if p.kind == "aggregation" and p.native]


def damaged_panel() -> Market:
    """Return three symbols of different length with gaps, unknown bars and bars without volume."""
    market = list(contract_markets(150))[2].market
    bars = market.bars.copy()
    generator = np.random.default_rng(5)
    bars.iloc[generator.choice(len(bars), 60, replace=False)] = np.nan
    bars.iloc[generator.choice(len(bars), 60, replace=False), 4] = 0.0
    flat = generator.choice(len(bars), 40, replace=False)
    bars.iloc[flat, :4] = bars.iloc[flat, [3, 3, 3, 3]].to_numpy()
    return market.replace(bars=bars)


def test_the_shipped_definitions_are_what_featuretools_makes_today() -> None:
    parameters = check_parameters(
        HOUR,
        aggregations=DEFAULT_AGGREGATIONS,
        transforms=DEFAULT_TRANSFORMS,
        ranks=DEFAULT_RANKS,
        parents=("session", "day", "week", "moment"),
        max_depth=3,
        max_features=None,
        comparable_only=True,
        training_window="7d",
        check_rows=0,
        timeout_seconds=120,
        max_gb=4,
    )
    made = synthesise_templates(parameters)
    for kind, shipped in _shipped().items():
        expected = [expression for expression in shipped if _wanted(expression, parameters)]
        assert set(made[kind]) == set(expected)
        assert len(made[kind]) == len(expected)
        assert expected


@pytest.mark.slow
def test_the_whole_shipped_file_is_what_featuretools_makes_today() -> None:
    shipped = files("onward.features.featuretools").joinpath("definitions.json").read_text(encoding="utf-8")
    assert as_text() == shipped


@pytest.mark.parametrize("window", ["7d", "10h"])
def test_every_native_primitive_equals_featuretools(window: str) -> None:
    market = damaged_panel()
    stage = FeaturetoolsStage.for_market(
        market,
        aggregations=NATIVE,
        transforms=["subtract_numeric", "divide_numeric", "absolute", "hour", "week", "is_weekend"],
        columns=["log_return", "log_volume", "up"],
        training_window=window,
        max_features=150 if window == "10h" else None,
    )
    report = stage.verify(market, rows=4)
    assert (report.status, report.rows, report.reason) == ("passed", 4, "")
    assert report.definitions == len(stage.columns())


def test_every_row_of_a_gap_equals_featuretools() -> None:
    market = list(contract_markets(20))[1].market
    stage = FeaturetoolsStage.for_market(
        market, aggregations=["mean", "trend", "count"], transforms=[], columns=["log_return"]
    )
    around = market.bars.iloc[130:180]
    report = stage.verify(Market(around, market.timeframe), rows=50)
    assert (report.status, report.rows) == ("passed", 50)


def test_builds_are_checked_once_and_a_difference_stops_them(monkeypatch: pytest.MonkeyPatch) -> None:
    market = random_walk(1_300, seed=11)
    stage = FeaturetoolsStage.for_market(market, columns=["log_return"], parents=["day"], check_rows=3)
    stage.compute(market)
    report = stage.last_check
    assert report is not None
    assert (report.status, report.rows) == ("passed", 3)
    stage.compute(market)
    stage.compute(market.known_at(market.decision_time[1_250]))
    assert stage.last_check is report
    kernel, names = evaluate.KERNELS["moments"]

    def wrong(values: FloatArray, start: FloatArray) -> FloatArray:
        return kernel(values, start) * (1.0 + 1e-7)

    broken: Mapping[str, object] = {**evaluate.KERNELS, "moments": (wrong, names)}
    monkeypatch.setattr(evaluate, "KERNELS", broken)
    other = FeaturetoolsStage.for_market(market, columns=["log_return"], parents=["day"], check_rows=4)
    with pytest.raises(StageError, match=r"featuretools__days\.\w+\.log_return at SYNTH/USD 2020-"):
        other.compute(market)


@pytest.mark.slow
def test_unknown_to_kernels_goes_through_featuretools_and_says_what_it_costs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    market = random_walk(60, seed=2)
    with caplog.at_level(logging.WARNING):
        stage = FeaturetoolsStage.for_market(
            market,
            aggregations=["count_above_mean", "mean"],
            transforms=[],
            ranks=[],
            parents=["day"],
            columns=["log_range"],
        )
    assert "computed by featuretools itself, about 15 ms a row" in caplog.text
    assert sum(info.microseconds or 0 for info in stage.describe()) > 10_000
    told: list[int] = []
    out = np.empty((60, 2))
    stage.compute_into(market, out, lambda done, _: told.append(done))
    assert told[-1] == 2
    found = pd.DataFrame(out, columns=list(stage.columns()))["featuretools__days.count_above_mean.log_range"]
    spread = np.log(market.bars["high"] / market.bars["low"]).to_numpy()
    for row in range(60):
        day = spread[row - row % 24 : row + 1]
        # With the means of a few almost equal values, rounding decides; here nothing is that close.
        assert found[row] == (day > day.mean()).sum()
    live = stage.compute(market.last(stage.lookback)).iloc[-1].to_numpy()
    np.testing.assert_allclose(live, out[-1], rtol=1e-12)


@pytest.mark.slow
def test_everything_that_featuretools_makes_can_be_had() -> None:
    market = random_walk(40, seed=4)
    stage = FeaturetoolsStage.for_market(
        market,
        aggregations=["mean", "first"],
        transforms=["subtract_numeric", "hour", "greater_than"],
        parents=["session", "day"],
        columns=["log_return", "log_volume"],
        comparable_only=False,
    )
    names = stage.columns()
    assert "featuretools__log_return.minus.log_volume" in names
    assert "featuretools__days.percentile.sessions.mean.log_return" in names
    assert stage.verify(market, rows=5).status == "passed"
    by_cutoff = [d for d in stage.definitions if not d.expression.native]
    assert {d.expression.kind for d in by_cutoff} >= {"grouped"}
    table = stage.restricted([d.column for d in by_cutoff[:12]]).compute(market.last(12))
    assert np.isfinite(table.iloc[-1].to_numpy()).any()


def test_a_child_that_takes_too_long_is_an_error_or_a_skipped_check() -> None:
    market = random_walk(30, seed=2)
    options = {"transforms": [], "ranks": [], "parents": ["day"], "columns": ["log_range"]}
    slow = FeaturetoolsStage.for_market(market, aggregations=["mean"], **options)  # type: ignore[arg-type]
    hurried = FeaturetoolsStage(slow.definitions, timeframe=slow.timeframe, timeout_seconds=0.4)
    report = hurried.verify(market)
    assert report.status == "skipped"
    assert "timed out after 0.4 s" in report.reason
    spec = hurried.spec()
    spec["definitions"][0]["is"]["aggregation"] = "count_above_mean"
    with pytest.raises(ChildTimeoutError, match=r"timed out after 0\.4 s"):
        FeaturetoolsStage.from_spec(spec).compute(market)


def test_without_featuretools_the_check_is_skipped_and_the_fallback_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = random_walk(30, seed=2)
    stage = FeaturetoolsStage.for_market(market, columns=["log_range"], parents=["day"])
    monkeypatch.setattr("onward.features.featuretools.check.is_installed", lambda: False)
    monkeypatch.setattr("onward.features.featuretools.cutoffs.is_installed", lambda: False)
    report = stage.verify(market)
    assert (report.status, "not installed" in report.reason) == ("skipped", True)
    spec = stage.spec()
    spec["definitions"] = [
        {
            "column": "featuretools__x",
            "is": {"aggregation": "num_peaks", "of": ["log_range"], "over": "day"},
        }
    ]
    with pytest.raises(StageError, match=r"onward\[automl\]"):
        FeaturetoolsStage.from_spec(spec).compute(market)
