"""Look-aheads on few rows of a continuous column, which slip between cuts, are found by changed stretches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.audit import audit_function, causality, probes
from onward.audit.stretches import MOST_CUTS, STRETCH_BARS, suspicious_cuts
from onward.audit.table import StageRunner
from onward.audit.windows import Bench
from onward.testing.markets import random_walk
from onward.types import Market

MARKET = random_walk(6_000, seed=3)
FIRST = MARKET.open_time[0]


def on_few_rows(seed: int, share: float) -> Any:
    """The 24-bar return, of three bars later on a few rows picked by their place in the calendar."""
    picked = np.random.default_rng(seed).random(20_000) < share

    def few(df: pd.DataFrame) -> pd.Series:
        value = np.log(df["close"]).diff(24)
        at = ((df.index - FIRST) // pd.Timedelta("1h")).to_numpy()
        return value.where(~picked[at], value.shift(-3))

    return few


def after_large_moves(df: pd.DataFrame) -> pd.Series:
    log = np.log(df["close"])
    value = log.diff(24)
    return value.where(log.diff().abs() < 0.017, value.shift(-1))


def honest(df: pd.DataFrame) -> pd.Series:
    return np.log(df["close"]).diff(24)


def recursive(df: pd.DataFrame) -> pd.Series:
    return df["close"].ewm(span=60, adjust=False).mean() / df["close"]


@pytest.mark.parametrize("lookback", [None, 30])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_look_ahead_on_few_rows_is_found(seed: int, lookback: int | None) -> None:
    share = 2e-3 if lookback else 5e-3  # who does not say what it remembers is tested at fewer places
    report = audit_function(on_few_rows(seed, share), MARKET, lookback=lookback, seed=seed)
    assert {finding.subject for finding in report.leaks} == {"few__value"}


def test_a_look_ahead_on_a_few_large_moves_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    moves = np.log(MARKET.bars["close"]).diff().abs()
    assert 0 < (moves >= 0.017).sum() < 0.002 * len(MARKET)
    (finding,) = audit_function(after_large_moves, MARKET, lookback=30).leaks
    assert finding.check == "perturbation"
    assert "a value moved when later bars were changed" in finding.detail
    monkeypatch.setattr(causality, "suspicious_cuts", lambda *_: (0, []))
    monkeypatch.setattr(probes, "SHARE_OF_TIME", 0.0)
    assert audit_function(after_large_moves, MARKET, lookback=30).passed  # what cuts alone would say


@pytest.mark.parametrize(
    ("function", "lookback"), [(honest, 25), (honest, None), (recursive, 2_000), (recursive, None)]
)
def test_honest_columns_are_not_flagged(function: Any, lookback: int | None) -> None:
    report = audit_function(function, MARKET, lookback=lookback)
    assert report.findings == ()


def test_a_lookback_that_is_too_short_is_no_look_ahead() -> None:
    report = audit_function(recursive, MARKET, lookback=100)
    assert {finding.check for finding in report.leaks} == {"batch_equals_latest"}


def test_symbols_of_a_panel_are_searched_together() -> None:
    panel = random_walk(3_000, seed=5, symbols=("A", "B"))
    report = audit_function(after_large_moves, panel, lookback=30)
    assert not report.passed
    assert audit_function(honest, panel, lookback=30).findings == ()


def bench_of(function: Any, lookback: int, market: Market = MARKET) -> Bench:
    from onward.audit import as_stage

    stage: Any = as_stage(function, lookback=lookback)
    runner = StageRunner(stage)
    return Bench(runner, runner.compute(market), lookback, "symbol")


def test_a_suspicion_is_a_cut_just_before_what_was_changed() -> None:
    runs, cuts = suspicious_cuts(bench_of(after_large_moves, 30), ())
    assert runs == 4
    assert 1 <= len(cuts) <= MOST_CUTS
    close = np.log(MARKET.bars["close"]).diff().abs().to_numpy()
    for cut in cuts:
        row = int(np.searchsorted(MARKET.decision_time_ns, cut.moment))
        assert cut.whole
        assert close[row - STRETCH_BARS : row + 1].max() >= 0.017


def test_nothing_is_done_where_nothing_can_be_found() -> None:
    bench = bench_of(honest, 30)
    assert suspicious_cuts(bench, ()) == (4, [])
    assert suspicious_cuts(bench, {"honest__value"}) == (0, [])
    assert suspicious_cuts(bench_of(honest, 30, MARKET.last(300)), ()) == (0, [])
    assert suspicious_cuts(bench_of(honest, 1_500), ()) == (0, [])  # four such stretches need more bars
