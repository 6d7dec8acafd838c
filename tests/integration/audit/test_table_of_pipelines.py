"""One table of pipelines: each leak by name with its honest twin. The whole audit tells them apart.

`test_planted_pipeline_leaks` shows that the printed detector is enough; here every check runs, as it
does for users, so that what one check must find, another may not spoil, and no twin is called a leak.
"""

from __future__ import annotations

from typing import Any

import pytest

from onward.audit import AuditReport, audit_pipeline
from tests.fixtures.references.leaks_pipelines import learning_world, snippet
from tests.fixtures.references.leaks_world import pipeline_cases, pipeline_pairs, pipeline_twins

CHECKS = {
    "Y": "test_label_perturbation",
    "X": "other_test_rows",
    "I": "interval_overlap",
    "D": "duplicates",
    "A": "unresolved_labels",
}
PRINTED = pipeline_cases("leaks.md", "leaks_more.md")
KIN = pipeline_pairs("leaks_twins.md")
LEAKY = {t: case for t, case in PRINTED.items() if not t.startswith("P00")}
LEAKY |= {title.removesuffix(" (warns)"): (detector, leaky) for title, (detector, leaky, _) in KIN.items()}
HONEST = {t: code for t, (_, code) in PRINTED.items() if t.startswith("P00")}
HONEST |= pipeline_twins("leaks_twins.md") | {title: fixed for title, (_, _, fixed) in KIN.items()}

pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")


def audited(title: str, code: str, *, n_bars: int = 2_400, **options: Any) -> AuditReport:
    return audit_pipeline(snippet(code), learning_world(n_bars=n_bars), subject=title, **options)


def require_honest(report: AuditReport, title: str) -> None:
    assert report.leaks == ()
    assert report.passed
    assert bool(report.warnings) is title.endswith("(warns)"), report.warnings
    not_run = {check.name for check in report.checks if check.status == "not_run"}
    assert not_run == {"noise"}  # worlds of noise are asked for by name


@pytest.mark.parametrize("title", KIN)
def test_kin_of_the_printed_leaks_are_found_by_their_detector(title: str) -> None:
    detector, leaky, _ = KIN[title]
    check = CHECKS[detector[0]]
    report = audited(title, leaky, checks=[check])
    assert {finding.check for finding in report.leaks} == {check}


@pytest.mark.slow
@pytest.mark.parametrize("title", LEAKY)
def test_a_leak_fails_the_whole_audit(title: str) -> None:
    detector, code = LEAKY[title]
    report = audited(title, code)
    assert not report.passed
    assert CHECKS[detector[0]] in {finding.check for finding in report.leaks}


@pytest.mark.parametrize("title", HONEST)
def test_the_honest_twin_passes_the_whole_audit(title: str) -> None:
    require_honest(audited(title, HONEST[title], n_bars=1_000, draws=2), title)


@pytest.mark.slow
@pytest.mark.parametrize("title", HONEST)
def test_the_honest_twin_passes_on_a_longer_history(title: str) -> None:
    require_honest(audited(title, HONEST[title]), title)


def test_every_printed_case_has_a_twin() -> None:
    printed = {title.split()[0] for title in PRINTED}
    assert printed == {title.split()[0] for title in HONEST if title.startswith("P")}
    assert len(LEAKY) == len(PRINTED) - 1 + len(KIN)
    assert len(KIN) == 28


UNSEEN = {
    "stacking on in-sample predictions, nothing declared": """
for tr, te in S:
    b = M().fit(X[tr], y[tr])
    P[te] = pp(M(num_leaves=3).fit(pp(b, X[tr])[:, None], y[tr]), pp(b, X[te])[:, None])
""",
    "inner split that overlaps, nothing declared": """
for tr, te in S:
    a, b = tr[:-100], tr[-100:]
    c = [M(n_estimators=k).fit(X[a], y[a]) for k in (5, 10, 20)]
    P[te] = pp(max(c, key=lambda m: auc(y[b], pp(m, X[b]))), X[te])
""",
    "seed found by looking, then written down": """
for tr, te in S: P[te] = pp(M(random_state=4711, feature_fraction=0.5).fit(X[tr], y[tr]), X[te])
""",
}


@pytest.mark.parametrize("title", UNSEEN)
def test_what_the_documentation_says_cannot_be_seen(title: str) -> None:
    """When one of these begins to fail, the audit has learnt something: move it, correct the page."""
    assert audited(title, UNSEEN[title], n_bars=1_000).passed
