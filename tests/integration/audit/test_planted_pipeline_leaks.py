"""Every planted pipeline leak is found by the detector that it is printed with; honest ones pass."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from onward.audit import PipelineRun, PipelineWorld, audit_pipeline
from onward.types import Spans
from tests.fixtures.references.leaks_pipelines import (
    HOUR,
    learning_world,
    model,
    probability,
    snippet,
)
from tests.fixtures.references.leaks_world import pipeline_cases

CASES = pipeline_cases("leaks.md", "leaks_more.md")
DETECTORS = {
    "Y": "test_label_perturbation",
    "X": "other_test_rows",
    "I": "interval_overlap",
    "D": "duplicates",
    "A": "unresolved_labels",
}
LEAKY = {title: case for title, case in CASES.items() if not title.startswith("P00")}

pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")


@pytest.mark.parametrize("title", LEAKY)
def test_leak_is_found_by_its_detector(title):
    detector, code = LEAKY[title]
    check = DETECTORS[detector[0]]
    report = audit_pipeline(snippet(code), learning_world(), checks=[check], subject=title)
    found = {finding.check for finding in report.leaks}
    assert found == {check}
    assert not report.passed


def test_the_inner_overlap_names_the_inner_split():
    detector, code = next(case for title, case in CASES.items() if title.startswith("P07"))
    assert detector == "I (inner)"
    report = audit_pipeline(snippet(code), learning_world(), checks=["interval_overlap"])
    assert {finding.subject.split()[0] for finding in report.leaks} == {"inner"}


def test_honest_baseline_passes_every_check():
    _, code = next(case for title, case in CASES.items() if title.startswith("P00"))
    noise = [learning_world(seed) for seed in (1, 2)]
    report = audit_pipeline(snippet(code), learning_world(), noise_worlds=noise)
    assert report.findings == ()
    assert report.passed
    assert all(check.status == "passed" and check.runs > 0 for check in report.checks)


def test_undeclared_overlapping_splits_are_found_by_their_effect():
    """A pipeline that keeps its splits to itself: labels no fold may know still move predictions."""
    code = """
S = [(np.r_[np.arange(te[0]), np.arange(te[-1] + 1, len(y))], te) for tr, te in S]
for tr, te in S: P[te] = pp(M().fit(X[tr], y[tr]), X[te])
"""
    report = audit_pipeline(snippet(code, declare=False), learning_world(), checks=["unresolved_labels"])
    assert {finding.check for finding in report.leaks} == {"unresolved_labels"}


def test_noise_confirms_copied_rows_and_clears_nobody():
    _, copied = next(case for title, case in CASES.items() if title.startswith("P11"))
    _, encoded = next(case for title, case in CASES.items() if title.startswith("P01"))
    _, transductive = next(case for title, case in CASES.items() if title.startswith("P17"))
    noise = [learning_world(1)]
    for code, certain in ((copied, True), (encoded, True), (transductive, False)):
        report = audit_pipeline(snippet(code), learning_world(), checks=["noise"], noise_worlds=noise)
        assert bool(report.leaks) is certain


def honest_scaler(world: PipelineWorld) -> PipelineRun:
    """Scaling and selection inside the fold."""
    made = np.full(len(world), np.nan)
    X = np.nan_to_num(world.X)
    for train, test in world.folds:
        scaler = StandardScaler().fit(X[train])
        strength = [abs(np.corrcoef(X[train, i], world.y[train])[0, 1]) for i in range(X.shape[1])]
        keep = np.argsort(strength)[-4:]
        fitted = model().fit(scaler.transform(X[train])[:, keep], world.y[train])
        made[test] = probability(fitted, scaler.transform(X[test])[:, keep])
    return PipelineRun(made)


def honest_stacking(world: PipelineWorld) -> PipelineRun:
    """Inner folds purged of overlapping labels, threshold taken from the training rows."""
    made, inner = np.full(len(world), np.nan), []
    for train, test in world.folds:
        y = (world.outcome > np.quantile(world.outcome[train], 2 / 3)).astype(int)
        half = len(train) // 2
        later = train[half:]
        early = train[:half]
        early = early[world.spans.end[early] < world.spans.start[later[0]]]
        inner.append((early, later))
        first = model().fit(world.X[early], y[early])
        second = model(num_leaves=3).fit(probability(first, world.X[later])[:, None], y[later])
        made[test] = probability(second, probability(first, world.X[test])[:, None])
    return PipelineRun(made, inner=inner)


def honest_purged_k_fold(world: PipelineWorld) -> PipelineRun:
    """Training rows on both sides of the test block, purged and embargoed."""
    made, used = np.full(len(world), np.nan), []
    for test in np.array_split(np.arange(len(world)), 4):
        apart = world.spans.end < world.spans.start[test[0]]
        apart |= world.spans.start > world.spans.end[test].max() + 24 * HOUR
        train = np.flatnonzero(apart)
        used.append((train, test))
        made[test] = probability(model().fit(world.X[train], world.y[train]), world.X[test])
    return PipelineRun(made, used=used)


@pytest.mark.parametrize("pipeline", [honest_scaler, honest_stacking, honest_purged_k_fold])
def test_honest_pipelines_are_not_flagged(pipeline):
    report = audit_pipeline(pipeline, learning_world())
    assert report.findings == ()


def test_learning_on_the_run_from_resolved_labels_is_a_warning_only():
    """The twin of P19: the label of 25 bars ago is known, so it may be a feature."""

    def pipeline(world):
        known = np.r_[np.full(25, 0.5), world.y[:-25]]
        made = np.full(len(world), np.nan)
        for train, test in world.folds:
            fitted = model().fit(world.X[train], world.y[train])
            made[test] = 0.9 * probability(fitted, world.X[test]) + 0.1 * known[test]
        return made

    report = audit_pipeline(pipeline, learning_world())
    assert report.passed
    assert {(f.check, f.severity) for f in report.findings} == {("test_label_perturbation", "warning")}


def test_ranks_across_symbols_of_one_moment_are_honest():
    one = learning_world()
    n = len(one)
    index = pd.MultiIndex.from_tuples([(s, t) for s in "ABC" for t in one.spans.index.get_level_values(1)])
    spans = Spans(index, np.tile(one.spans.start, 3), np.tile(one.spans.end, 3))
    X = np.vstack([np.random.default_rng(s).permutation(one.X[:, :4]) for s in range(3)])
    folds = [tuple(np.concatenate([rows + n * s for s in range(3)]) for rows in fold) for fold in one.folds]
    y, outcome = np.tile(one.y, 3), np.tile(one.outcome, 3)
    world = PipelineWorld(X, y, outcome, spans, tuple(folds))

    def pipeline(given):
        ranked = pd.DataFrame(given.X).groupby(given.spans.start).rank(pct=True).to_numpy()
        made = np.full(len(given), np.nan)
        for train, test in given.folds:
            made[test] = probability(model().fit(ranked[train], given.y[train]), ranked[test])
        return made

    report = audit_pipeline(pipeline, world, checks=["other_test_rows", "test_label_perturbation"])
    assert report.findings == ()
