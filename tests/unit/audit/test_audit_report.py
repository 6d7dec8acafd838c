"""Reports: verdict, certificate, JSON, text, and how parts are added up."""

from __future__ import annotations

import dataclasses
import json

import pytest

from onward.audit.report import AuditReport, CheckRun, Ledger
from onward.types import Finding

LEAK = Finding(
    "truncation", "leak", "mine__a", "BTC/USD 2020-01-01T00:00:00+00:00", "full run 1, known then 2"
)
ODD = Finding("provenance", "warning", "mine__b", "", "read elsewhere")


def report_of(*findings, check="truncation"):
    ledger = Ledger()
    with ledger.check(check):
        ledger.runs = 3
        for finding in findings:
            ledger.add(finding)
    return ledger.report("mine", "hash")


def test_a_leak_fails_and_a_warning_does_not():
    assert report_of().certificate().status == "passed"
    assert report_of(ODD, check="provenance").passed
    failed = report_of(ODD, LEAK)
    assert failed.certificate().status == "failed"
    assert failed.findings[0] is LEAK
    assert (failed.leaks, failed.warnings) == ((LEAK,), (ODD,))


def test_nothing_run_is_not_a_pass():
    ledger = Ledger()
    ledger.skip("truncation", "no bars")
    report = ledger.report("mine", "hash")
    assert not report.passed
    assert report.certificate().status == "not_run"
    assert report.certificate().checks == ()


def test_one_finding_a_check_and_subject():
    report = report_of(LEAK, dataclasses.replace(LEAK, detail="later"))
    assert report.findings == (LEAK,)


def test_text_names_column_row_and_values():
    text = str(report_of(LEAK))
    for word in ("FAILED", "truncation", "mine__a", "BTC/USD 2020-01-01T00:00:00+00:00", "known then 2"):
        assert word in text
    assert "passed" in str(report_of()).splitlines()[0]


def test_json_round_trip():
    report = report_of(LEAK)
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["passed"] is False
    assert plain["findings"][0]["subject"] == "mine__a"
    assert plain["checks"][0]["runs"] == 3


def test_the_certificate_keeps_the_least_share_of_rows_that_was_probed():
    reports = []
    for share in (0.64, 0.9, None):
        ledger = Ledger()
        with ledger.check("perturbation"):
            ledger.runs, ledger.rows_probed = 1, share
        reports.append(ledger.report("mine", "hash"))
    both = AuditReport.combine(reports, subject="plan")
    assert both.rows_probed == both.certificate().rows_probed == both.to_dict()["rows_probed"] == 0.64
    assert "rows probed for a look one bar ahead: 64 %" in str(both)
    assert report_of().certificate().rows_probed is None


def test_reports_add_up_and_cannot_be_changed():
    both = AuditReport.combine([report_of(), report_of(LEAK)], subject="plan")
    assert not both.passed
    assert both.data_hash == "hash"
    (check,) = both.checks
    assert isinstance(check, CheckRun)
    assert (check.runs, check.status) == (6, "failed")
    with pytest.raises(dataclasses.FrozenInstanceError):
        both.subject = "other"
