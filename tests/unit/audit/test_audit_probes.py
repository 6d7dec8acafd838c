"""A look one bar ahead on one row in a hundred, or in four hundred, is found on two thousand bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.audit import as_stage, audit_function, probes
from onward.audit.probes import CHANGED_BARS, probe_rows
from onward.audit.report import AuditReport
from onward.audit.table import StageRunner
from onward.audit.windows import Bench
from onward.testing.markets import random_walk
from onward.types import Market

MARKET = random_walk(2_000, seed=1)


def on_every(hours: int, bars: int = 1, *, sign: bool = False) -> Any:
    """The last return, but every so many hours that of some bars ahead."""

    def rare(df: pd.DataFrame) -> Any:
        log = np.log(df["close"].to_numpy())
        step = pd.Series(np.diff(log, prepend=np.nan), index=df.index)
        hour = (pd.DatetimeIndex(df.index) - MARKET.open_time[0]) // pd.Timedelta("1h")
        value = step.where(np.asarray(hour) % hours != 0, step.shift(-bars))
        return np.sign(value) if sign else value

    return rare


def honest(df: pd.DataFrame) -> Any:
    return df["close"].pct_change(24)


def recursive(df: pd.DataFrame) -> Any:
    return df["close"].ewm(span=60, adjust=False).mean() / df["close"]


def probed(report: AuditReport) -> float | None:
    (share,) = [check.rows_probed for check in report.checks if check.name == "perturbation"]
    return share


def bench_of(function: Any, lookback: int | None, market: Market = MARKET) -> Bench:
    stage: Any = as_stage(function, lookback=lookback)
    runner = StageRunner(stage)
    return Bench(runner, runner.compute(market), lookback, "symbol")


@pytest.mark.parametrize("lookback", [30, None])
@pytest.mark.parametrize(("hours", "bars"), [(97, 1), (397, 1), (397, 5)])
def test_a_look_ahead_on_few_hours_is_found(hours: int, bars: int, lookback: int | None) -> None:
    (leak,) = audit_function(on_every(hours, bars), MARKET, lookback=lookback).leaks
    assert leak.subject == "rare__value"


def test_a_column_that_only_tells_up_from_down_is_turned_round() -> None:
    assert not audit_function(on_every(397, sign=True), MARKET, lookback=30).passed


def test_a_panel_is_asked_too() -> None:
    panel = random_walk(1_500, seed=5, symbols=("A", "B"))
    assert not audit_function(on_every(397), panel, lookback=30).passed
    assert audit_function(honest, panel, lookback=25).findings == ()


@pytest.mark.parametrize("lookback", [25, None])
def test_an_honest_column_is_asked_on_every_row_and_passes(lookback: int | None) -> None:
    report = audit_function(honest, MARKET, lookback=lookback)
    assert report.findings == ()
    assert probed(report) == pytest.approx(1.0, abs=1e-3)
    assert "rows probed for a look one bar ahead: 100 %" in str(report)


def test_a_memory_without_end_is_not_said_to_have_been_asked() -> None:
    report = audit_function(recursive, MARKET)
    assert report.findings == ()
    share = probed(report)
    assert share is not None
    assert share < 0.05


def test_each_run_asks_other_rows_and_all_runs_all() -> None:
    probing = probe_rows(bench_of(honest, 25), (), spent=0.0)
    assert probing.runs == 25 + CHANGED_BARS
    assert probing.asked[:-1].all()
    assert probing.suspects == {}
    assert probe_rows(bench_of(honest, 25), {"honest__value"}, spent=0.0).runs == 0


def test_a_suspicion_is_the_row_itself() -> None:
    probing = probe_rows(bench_of(on_every(97), 30), (), spent=0.0)
    assert 1 <= len(probing.suspects) <= 3
    assert all(place % 97 == 0 for place in probing.suspects)
    moments = MARKET.decision_time_ns
    assert [cut.moment for cut in probing.cuts(moments)] == [
        int(moments[p]) for p in sorted(probing.suspects)
    ]


def test_a_budget_that_is_spent_is_owned_up_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "FEWEST_SECONDS", 0.0)
    probing = probe_rows(bench_of(honest, 25), (), spent=0.0)
    assert probing.runs == 0
    assert not probing.asked.any()


def test_reports_are_added_up_by_the_smallest_share() -> None:
    whole = audit_function(honest, MARKET, lookback=25)
    part = audit_function(recursive, MARKET)
    assert probed(AuditReport.combine([whole, part], subject="both")) == probed(part)


def test_a_column_that_varies_by_less_than_can_be_seen_is_a_warning() -> None:
    def trace(df: pd.DataFrame) -> Any:
        return 1.0 + 1e-14 * np.sign((df["close"].shift(-1) - df["close"]).fillna(0.0))

    report = audit_function(trace, MARKET, lookback=2)
    assert ["cannot be judged" in finding.detail for finding in report.warnings] == [True]
    assert report.warnings[0].subject == "trace__value"
    assert audit_function(lambda df: 0.0 * df["volume"] + 1.0, MARKET, lookback=2).findings == ()
