"""What a stage may do wrong besides looking ahead, and what it may do all right."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.audit import audit_function, audit_stage
from onward.errors import AuditError, NotEnoughDataError
from onward.testing import markets
from onward.types import SideSeries
from tests.fixtures.references.leaks_world import world

MARKET = markets.random_walk(900, seed=2)
PANEL = markets.random_walk(500, seed=3, symbols=("A", "B", "C"))
ELSEWHERE = MARKET.bars["close"].droplevel(0).pct_change(24).shift(-24)


class Momentum:
    """An honest stage; the others differ in one thing."""

    name = "mine"
    scope = "symbol"
    lookback = 25

    def columns(self):
        return ("mine__a",)

    def one(self, bars):
        return bars["close"].pct_change(24)

    def compute(self, market):
        parts = [
            self.one(b.droplevel(0)).set_axis(b.index) for _, b in market.bars.groupby(level=0, sort=False)
        ]
        return pd.concat(parts).astype(float).to_frame("mine__a")


def found(stage, market=MARKET):
    return {finding.check for finding in audit_stage(stage, market).leaks}


@pytest.mark.parametrize("market", [MARKET, PANEL, world(0, 900)])
def test_an_honest_stage_passes_every_check(market):
    report = audit_stage(Momentum(), market)
    assert report.findings == ()
    assert report.passed
    assert all(c.status == "passed" for c in report.checks if c.name != "availability")


def test_at_least_twelve_cuts_are_compared_and_the_caller_keeps_his_market():
    before = MARKET.content_hash
    report = audit_stage(Momentum(), MARKET, cuts=12)
    assert next(c.runs for c in report.checks if c.name == "truncation") >= 12
    assert type(MARKET)(MARKET.bars, MARKET.timeframe).content_hash == before == report.data_hash


def test_a_scaler_fitted_on_first_sight_is_found():
    class Fitted(Momentum):
        mean = None

        def one(self, bars):
            change = bars["close"].pct_change(24)
            if self.mean is None:
                self.mean = change.mean()
            return change - self.mean

    assert {"truncation", "perturbation"} <= found(Fitted())


def test_random_values_are_found_and_nothing_else_is_claimed():
    class Random(Momentum):
        def one(self, bars):
            return bars["close"] * np.random.default_rng().random(len(bars))

    assert found(Random()) == {"determinism"}


def test_writing_into_the_input_is_found():
    class Writer(Momentum):
        def compute(self, market):
            market.bars["extra"] = 1.0
            return super().compute(market)

    report = audit_stage(Writer(), MARKET)
    assert [(f.check, f.subject) for f in report.leaks] == [("input_mutation", "bars")]
    assert "extra" in report.leaks[0].detail


@pytest.mark.parametrize("market", [MARKET, PANEL])
def test_windows_that_run_from_one_symbol_into_the_next_are_found(market):
    class Mixing(Momentum):
        def compute(self, market):
            return market.bars["close"].pct_change(24).to_frame("mine__a")

    assert "symbol_mixing" in found(Mixing(), market)


def test_symbols_may_be_compared_when_the_scope_says_so():
    class Ranked(Momentum):
        def compute(self, market):
            ranks = super().compute(market).groupby(level=1).rank(pct=True)
            return ranks.reindex(market.bars.index)

    assert "symbol_mixing" in found(Ranked(), PANEL)
    ranked = Ranked()
    ranked.scope = "cross_section"
    assert audit_stage(ranked, PANEL).passed


def test_a_short_lookback_is_told_how_many_bars_it_needs():
    class Average(Momentum):
        lookback = 30

        def one(self, bars):
            return bars["close"] / bars["close"].rolling(100).mean()

    (finding,) = audit_stage(Average(), MARKET).leaks
    assert finding.check == "batch_equals_latest"
    needed = int(finding.detail.split("about ")[1].split()[0])
    assert 100 <= needed <= 105
    enough = Average()
    enough.lookback = 100
    assert audit_stage(enough, MARKET).passed


def test_an_accumulator_since_the_start_has_no_lookback():
    class Balance(Momentum):
        def one(self, bars):
            return (np.sign(bars["close"].diff()) * bars["volume"]).cumsum()

    (finding,) = audit_stage(Balance(), MARKET).leaks
    assert "no shorter history" in finding.detail


def test_a_table_read_from_elsewhere_is_a_warning_and_a_calendar_is_not():
    class Elsewhere(Momentum):
        def one(self, bars):
            return ELSEWHERE.reindex(bars.index)

    class Calendar(Momentum):
        def one(self, bars):
            return pd.Series(bars.index.dayofyear * 24.0 + bars.index.hour, bars.index)

    (finding,) = audit_stage(Elsewhere(), MARKET).findings
    assert (finding.check, finding.severity) == ("provenance", "warning")
    assert audit_stage(Calendar(), MARKET).findings == ()


def test_a_changed_nan_counts_as_a_change():
    class Hidden(Momentum):
        def one(self, bars):
            rises = bars["close"].shift(-1) > bars["close"]
            return bars["close"].where(rises | rises.shift(1, fill_value=False))

    assert {"truncation", "perturbation"} <= found(Hidden())


def test_float32_rounding_is_no_leak():
    class Narrow(Momentum):
        lookback = 400

        def compute(self, market):
            bars = market.bars["close"]
            return (bars / bars.ewm(span=20, adjust=False).mean()).astype(np.float32).to_frame("mine__a")

    report = audit_stage(Narrow(), MARKET)
    assert {f.check for f in report.findings} <= {"symbol_mixing"}


def test_infinities_and_undeclared_columns_are_named():
    class Infinite(Momentum):
        def one(self, bars):
            return pd.Series(np.where(bars.index.hour == 0, np.inf, bars["close"]), bars.index)

    class Undeclared(Momentum):
        def columns(self):
            return ("mine__b",)

    (finding,) = audit_stage(Infinite(), MARKET).findings
    assert (finding.check, finding.severity) == ("contract", "warning")
    assert "contract" in found(Undeclared())


def test_needing_data_from_beyond_every_cut_is_a_leak():
    last = MARKET.open_time[-1]

    def relative(df):
        return df["close"] / df["close"].loc[last]

    report = audit_function(relative, MARKET)
    assert {"truncation", "perturbation"} <= {f.check for f in report.leaks}
    assert "future of every cut" in next(f.detail for f in report.leaks if f.check == "truncation")


def test_sources_must_say_when_they_were_known():
    given = world(0, 400)
    frame = given.series["fng"].frame
    blind = given.replace(series={"fng": SideSeries("fng", frame.drop(columns="available_at"))})
    report = audit_stage(Momentum(), blind)
    assert [(f.check, f.subject) for f in report.leaks] == [("availability", "fng")]
    early = frame.assign(available_at=frame["timestamp"] - pd.Timedelta("1h"))
    report = audit_stage(Momentum(), given.replace(series={"fng": SideSeries("fng", early)}))
    assert report.passed
    assert "before their own stamp" in report.warnings[0].detail


def test_cuts_can_be_given():
    moments = [MARKET.decision_time[400], MARKET.decision_time[700]]
    report = audit_stage(Momentum(), MARKET, cuts=moments)
    assert next(c.runs for c in report.checks if c.name == "truncation") == 2
    with pytest.raises(AuditError, match="No cut"):
        audit_stage(Momentum(), MARKET, cuts=[pd.Timestamp("1999-01-01", tz="UTC")])
    with pytest.raises(AuditError, match="Too few cuts"):
        audit_stage(Momentum(), MARKET, cuts=0)


def test_progress_ends_complete():
    events = []
    audit_stage(Momentum(), MARKET, progress=events.append)
    done = [event.done for event in events]
    assert done == sorted(done)
    assert events[-1].done == events[-1].total


@pytest.mark.parametrize(
    ("result", "complaint"),
    [
        (lambda bars: bars["close"].to_numpy(), "DataFrame"),
        (lambda bars: bars[["close"]].iloc[1:], "not the market's bars"),
        (lambda bars: bars[["close"]].astype(str), "not numeric"),
        (lambda bars: pd.concat([bars["close"]] * 2, axis=1), "twice"),
        (lambda bars: bars["nonsense"], "cannot be computed"),
    ],
)
def test_what_cannot_be_audited_is_refused_with_a_reason(result, complaint):
    class Odd(Momentum):
        def compute(self, market):
            return result(market.bars)

    with pytest.raises(AuditError, match=complaint):
        audit_stage(Odd(), MARKET)


def test_a_market_of_a_few_bars_is_refused():
    with pytest.raises(NotEnoughDataError, match="at least 50"):
        audit_stage(Momentum(), MARKET.last(20))
