"""A primary signal that looks ahead is a leak, though the learning path around it is clean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.audit.decisions import check_decisions, decisions
from onward.audit.report import AuditReport, Ledger
from onward.labels import CusumSampledLabeler, MetaLabeler, ThresholdLabeler
from onward.labels.signals import RULES
from onward.testing.markets import random_walk
from onward.types import Market, SideSeries

MARKET = random_walk(2_000, seed=4)


def ahead_by(market: Market, bars: int) -> Any:
    log = pd.Series(np.log(market.bars["close"]), index=market.index)
    by_symbol = log.groupby(level=0)
    return np.sign((by_symbol.shift(-bars) - log).fillna(0.0))


def next_bar(market: Market) -> Any:
    return ahead_by(market, 1)


def six_bars(market: Market) -> Any:
    return ahead_by(market, 6)


def trend(market: Market) -> Any:
    return np.sign(market.bars["close"].groupby(level=0).diff(24))


def now_and_then(market: Market) -> Any:
    hour = market.open_time_ns // 3_600_000_000_000
    return trend(market).where(hour % 97 != 0, next_bar(market))


def as_list(market: Market) -> Any:
    return trend(market).tolist()


def audited(labeler: Any, market: Market = MARKET) -> AuditReport:
    ledger = Ledger()
    check_decisions(labeler, market, ledger)
    return ledger.report("labels", market.content_hash)


def published(delay_bars: int) -> Market:
    """The direction of each bar, stamped with its open and said to be known ``delay_bars`` after that."""
    stamp = MARKET.open_time
    side = np.sign(MARKET.bars["close"].diff().fillna(0.0).to_numpy())
    frame = pd.DataFrame(
        {
            "symbol": MARKET.symbols[0],
            "timestamp": stamp,
            "available_at": stamp + delay_bars * pd.Timedelta("1h"),
            "value": side,
        }
    )
    return MARKET.replace(series={"said": SideSeries("said", frame)})


@pytest.mark.parametrize("signal", [next_bar, six_bars, now_and_then])
def test_a_signal_that_looks_ahead_is_a_leak(signal: Any) -> None:
    report = audited(MetaLabeler(signal=signal, horizon_bars=12))
    (leak,) = report.leaks
    assert leak.check == "primary_signal"
    assert leak.subject.endswith(f":{signal.__name__}")
    assert report.certificate().status == "failed"


def test_a_signal_by_its_address_is_audited_too() -> None:
    labeler = MetaLabeler(signal="tests.unit.audit.test_audit_decisions:next_bar", horizon_bars=12)
    assert not audited(labeler).passed


@pytest.mark.parametrize("signal", [trend, as_list, *RULES])
def test_an_honest_signal_passes(signal: Any) -> None:
    report = audited(MetaLabeler(signal=signal, horizon_bars=12))
    assert report.findings == ()
    assert [check.name for check in report.checks] == ["primary_signal"]
    assert report.checks[0].runs > 30


def test_a_published_signal_is_used_when_it_was_known() -> None:
    report = audited(MetaLabeler(signal="series:said", horizon_bars=12), published(3))
    assert report.findings == ()
    assert report.passed


def test_a_published_signal_that_is_read_by_its_stamp_is_a_leak() -> None:
    def stamped(market: Market) -> Any:
        said = market.series["said"].frame.set_index("timestamp")["value"]
        return said.reindex(market.open_time).to_numpy()

    report = audited(MetaLabeler(signal=stamped, horizon_bars=12), published(3))
    (leak,) = report.leaks
    assert leak.check == "primary_signal"
    assert "said" in leak.detail or "known then" in leak.detail


def test_event_samplers_and_what_they_hold_are_audited() -> None:
    sampled = CusumSampledLabeler(MetaLabeler(signal=next_bar, horizon_bars=12))
    assert [check for check, _, _ in decisions(sampled)] == ["event_sampling", "primary_signal"]
    report = audited(sampled)
    assert {leak.check for leak in report.leaks} == {"primary_signal"}
    assert audited(CusumSampledLabeler(ThresholdLabeler())).findings == ()

    class Cheating(CusumSampledLabeler):
        def events(self, market: Market) -> Any:
            return ahead_by(market, 1).to_numpy() > 0.0

    (leak,) = audited(Cheating(ThresholdLabeler())).leaks
    assert (leak.check, leak.subject) == ("event_sampling", "Cheating.events")


def test_labels_about_the_price_have_nothing_to_audit() -> None:
    assert list(decisions(ThresholdLabeler())) == []
    assert audited(ThresholdLabeler()).checks == ()
