"""Every planted feature leak is found, and no fixed twin is flagged."""

from __future__ import annotations

import pandas as pd
import pytest
import sklearn.cluster  # noqa: F401 - loads its thread pool, so that it can be limited
from threadpoolctl import threadpool_limits

from onward.audit import audit_function
from tests.fixtures.references.leaks_world import feature_cases, sources, world

CASES = feature_cases("leaks.md", "leaks_more.md")
SOURCES_OF_CASES = ("F05", "F06", "F09", "F10", "F17", "F18", "F44")


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize("title", CASES)
def test_leak_is_found_with_column_row_and_values(title):
    leaky, _ = CASES[title]
    report = audit_function(leaky, world(), sources=sources, name="case")
    assert not report.passed
    assert {"truncation", "perturbation"} <= {finding.check for finding in report.leaks}
    for finding in report.leaks:
        assert finding.subject == "case__value"
        assert finding.row.startswith("SYNTH/USD 2020-")
        assert "full run" in finding.detail
    if title.startswith(SOURCES_OF_CASES):
        (finding,) = (f for f in report.leaks if f.check == "availability")
        assert "values not yet available" in finding.detail


def test_no_fixed_twin_is_flagged():
    def twins(df, aux):
        return pd.DataFrame({title.split()[0]: fixed(df, aux) for title, (_, fixed) in CASES.items()})

    report = audit_function(twins, world(), sources=sources, name="twins")
    assert report.findings == ()
    assert report.passed
    compared = {check.name: check for check in report.checks if check.status == "passed"}
    assert {"truncation", "perturbation", "availability"} <= set(compared)
    assert [check.note for check in compared.values()] == [""] * len(compared)  # nothing went uncompared


@pytest.mark.parametrize("seed", [1])
def test_leaks_that_show_on_few_bars_are_found_on_other_walks(seed):
    for title in (t for t in CASES if t.startswith(("F11", "F15", "F21", "F25", "F40"))):
        leaky, _ = CASES[title]
        assert not audit_function(leaky, world(seed), sources=sources, name="case", seed=seed).passed, title


def test_a_naive_audit_by_stamp_alone_would_pass_what_ours_finds():
    """F09 with `available_at` set to the stamp looks clean: the rule of availability is needed."""
    leaky, _ = next(case for title, case in CASES.items() if title.startswith("F09"))
    given = world()
    naive = dict(given.series)
    frame = naive["fng"].frame.assign(available_at=naive["fng"].frame["timestamp"])
    naive["fng"] = type(naive["fng"])("fng", frame)
    assert audit_function(leaky, given.replace(series=naive), sources=sources, name="case").passed
    assert not audit_function(leaky, given, sources=sources, name="case").passed
