from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from onward.features.catalog import CATALOG
from onward.features.selection.constant import without_information
from onward.features.selection.evidence import Evidence, speaks_for, why_dropped, why_kept
from onward.features.selection.mutual_information import chance_of_information, far_apart, label_information
from onward.features.selection.null_importance import importance_against_null, thinned_rows
from onward.features.selection.places import share_places
from onward.features.selection.preference import STAGE_COSTS, column_costs, complete_first, stable_first
from onward.features.selection.relevance import label_targets, shifted_targets
from onward.features.selection.shifted_classes import TimeShifts, shifted_classes
from onward.features.selection.stability import label_stability, time_blocks
from onward.kernels.ranks import compact_ranks
from onward.testing.fitted_stages import example_training_rows
from onward.types import Spans

NAN = float("nan")


def test_constants_are_told_from_flags_and_from_the_unknown():
    n_known = np.array([0, 100, 3, 100, 100])
    n_most = np.array([0, 100, 1, 99, 98])
    gone = without_information(100, n_known, n_most, quasi_constant=0.99, min_known=0.05)
    assert sorted(gone) == [0, 1, 2, 3]
    assert [gone[j].reason.split()[0] for j in sorted(gone)] == ["unknown", "constant", "known", "one"]
    assert sorted(without_information(100, n_known, n_most, quasi_constant=1.0, min_known=0.0)) == [0, 1]


def test_every_stage_of_ours_has_a_cost():
    assert set(STAGE_COSTS) == {*CATALOG, "autofeat"}


def test_preference_goes_by_stability_then_cost_then_hand():
    names = ["tsfresh__a", "manual__b", "mine__c", "alpha158__d"]
    costs = column_costs(names, {"mine": 1.0, "alpha158__d": 1.0})
    assert costs == [4.0, 1.0, 1.0, 1.0]
    assert stable_first(names, costs, np.array([2.9, 2.1, 2.5, 1.9])) == [1, 2, 0, 3]
    assert stable_first(names, costs, np.array([3.1, 2.1, 2.5, 1.9])) == [0, 1, 2, 3]
    assert stable_first(names, [1.0] * 4, np.zeros(4)) == [1, 3, 0, 2]
    assert complete_first(names, costs, np.array([9, 9, 9, 10])) == [3, 1, 2, 0]


def test_a_steady_relation_is_more_stable_than_one_from_a_single_block():
    generator = np.random.default_rng(0)
    n = 4_000
    y = generator.integers(-1, 2, n)
    first = np.arange(n) < n // 8
    table = np.column_stack(
        [
            y + generator.normal(0, 3, n),
            np.where(first, 3.0 * y, 0.0) + generator.normal(0, 3, n),
            generator.normal(size=n),
            np.where(np.arange(n) < n - 700, np.nan, y),
        ]
    ).astype(np.float32)
    ranks, _, _ = compact_ranks(table)
    blocks = time_blocks(np.arange(n), 8)
    assert [len(rows) for rows in blocks] == [500] * 8
    steady, single, noise, late = label_stability(ranks, label_targets(y), blocks)
    assert steady > 6
    assert single < 3
    assert noise < 4
    assert late == 0.0  # known in two blocks only


def test_stability_is_the_mean_block_correlation_in_standard_errors():
    generator = np.random.default_rng(1)
    y = generator.integers(-1, 2, 900)
    x = (y + generator.normal(0, 2, 900)).astype(np.float32)
    x[:40] = NAN
    ranks, _, _ = compact_ranks(x[:, None])
    expected = 0.0
    rank = pd.Series(x).rank()
    for target in (y, y == 0):
        found = [
            rank[part].corr(pd.Series(target, dtype=float)[part]) for part in np.array_split(range(900), 6)
        ]
        expected = max(expected, abs(np.mean(found)) / (np.std(found, ddof=1) / np.sqrt(6)))
    blocks = time_blocks(np.arange(900), 6)
    assert label_stability(ranks, label_targets(y), blocks)[0] == pytest.approx(expected, rel=1e-4)


def test_classes_are_shifted_equally_for_all_symbols_and_holes_are_left_out():
    series = np.array([0, 0, 0, 0, 1, 1, 1])
    step = np.array([0, 1, 2, 3, 1, 2, 3])  # the second symbol begins later
    classes = np.array([-1, 0, 1, 1, 0, 0, -1])
    table = shifted_classes(classes, TimeShifts(series, step, np.array([1])))
    np.testing.assert_array_equal(table[:, 0], classes + 1)
    np.testing.assert_array_equal(table[:, 1], [2, 0, 1, 2, -1, 1, 1])
    time = TimeShifts(series, step, np.arange(100))
    assert time.fewer(200) is time
    np.testing.assert_array_equal(time.fewer(3).shifts, [0, 50, 99])


def overlapping(n: int = 3_000, span: int = 24, seed: int = 0, n_columns: int = 60):
    """Slow noise and labels that overlap, as a market has them; nothing knows anything."""
    generator = np.random.default_rng(seed)
    smooth = np.ones(span)
    slow = [np.convolve(generator.normal(size=n + span - 1), smooth, "valid") for _ in range(n_columns + 1)]
    y = np.digitize(slow[-1], np.quantile(slow[-1], [1 / 3, 2 / 3])) - 1
    start = 3_600_000_000_000 * np.arange(n, dtype=np.int64)
    spans = Spans(pd.RangeIndex(n), start, start + span * 3_600_000_000_000)
    return np.column_stack(slow[:-1]).astype(np.float32), y, spans


def test_information_of_slow_noise_stays_at_the_nominal_rate():
    passed = []
    for seed in range(3):
        table, y, spans = overlapping(seed=seed)
        ranks, n_known, _ = compact_ranks(table)
        time = TimeShifts(*shifted_targets(spans, 60, seed))
        told = label_information(ranks, n_known, y, time, n_bins=8)
        passed.append((told.z > 1.65).mean())
        assert (told.nats > 0.003).any()  # the plain estimate is far from zero
    assert np.mean(passed) < 0.15  # nominal: 0.07


def test_importance_of_slow_noise_stays_near_the_nominal_rate():
    table, y, spans = overlapping(n_columns=40)
    time = TimeShifts(*shifted_targets(spans, 60, 0))
    told = importance_against_null(table, np.arange(40), y, time, n_null=15, max_rows=1_000)
    assert (told.beaten >= 0.8).mean() < 0.45  # nominal: 0.2
    assert told.share.sum() == pytest.approx(1.0)


def test_importance_finds_the_column_that_knows_and_ignores_the_number_of_threads():
    X, y, spans = example_training_rows()
    values = X.drop(columns=["same", "never"]).to_numpy()
    columns = np.arange(values.shape[1])
    time = TimeShifts(*shifted_targets(spans, 60, 0))
    one, two = (
        importance_against_null(
            values, columns, y, time, weight=np.ones(len(y)), n_null=8, max_rows=10_000, n_threads=n
        )
        for n in (1, 2)
    )
    names = list(X.columns.drop(["same", "never"]))
    for column in ("known", "width"):
        assert one.beaten[names.index(column)] == 1.0
        assert one.z[names.index(column)] > 3
    np.testing.assert_array_equal(one.share, two.share)
    np.testing.assert_array_equal(one.z, two.z)


def test_rows_are_thinned_evenly_in_time():
    step = np.tile(np.arange(100), 2)
    np.testing.assert_array_equal(thinned_rows(step, 200), np.arange(200))
    np.testing.assert_array_equal(np.unique(step[thinned_rows(step, 60)]), np.arange(0, 100, 4))


def test_evidence_counts_by_itself_and_among_all():
    z = np.array([[5.0, 0.0, NAN], [1.9, 0.0, NAN], [0.5, 9.0, NAN]])
    p = np.array([[1e-6, 0.9, 1.0], [0.06, 0.9, 1.0], [0.6, 1e-12, 1.0]])
    found = speaks_for(Evidence(z, p), z=1.65, false_discovery_rate=0.05)
    np.testing.assert_array_equal(found, [[True, False, False], [False] * 3, [False, True, False]])
    assert why_kept(z[0], found[0].tolist()) == "direction (z 5.00)"
    assert "not told from chance" in why_dropped(z[1], 1.65, 3)
    assert "no better than" in why_dropped(np.array([0.1, 0.2, NAN]), 1.65, 3)


def test_places_go_to_both_targets_and_then_to_the_best():
    score = np.array(
        [[9, 0, 0], [8, 0, 0], [7, 0, 0], [0, 2, 0], [0, 1, 0], [0, 0, 5], [9, 9, 9]], dtype=float
    )
    found = score > 0
    found[6] = False
    assert share_places(score, found, 3, 1 / 3) == [0, 1, 3]
    assert share_places(score, found, 5, 1 / 3) == [0, 1, 2, 3, 4]
    assert share_places(score, found, 6, 1 / 6) == [0, 1, 2, 3, 5, 4]
    assert share_places(score[:0], found[:0], 3, 0.5) == []


def test_the_chance_of_information_is_what_it_says():
    """Heavy-tailed shifted values: a Gamma alone would call rare what is not."""
    generator = np.random.default_rng(3)
    # A sum of squares of which one outweighs the others, as slow columns give.
    values = generator.chisquare(1, (2_000, 61)) + 0.1 * generator.chisquare(10, (2_000, 61))
    independent = ~np.eye(60, dtype=bool)
    p = chance_of_information(values[:, 0], values[:, 1:], independent)
    for chance in (0.1, 0.01, 0.003):
        assert (p <= chance).mean() == pytest.approx(chance, rel=0.6)
    assert chance_of_information(np.array([90.0]), values[:1, 1:], independent)[0] < 1 / 60
    flat = np.full((1, 60), 0.2)
    assert chance_of_information(np.array([0.3]), flat, independent)[0] == 1.0
    none_far = np.zeros((60, 60), dtype=bool)
    assert chance_of_information(np.array([90.0]), values[:1, 1:], none_far)[0] == 1.0


def test_shifts_are_far_apart_when_none_is_nearer_to_the_true_labels():
    steps = np.arange(100, dtype=np.int64)
    time = TimeShifts(np.zeros(100, dtype=np.int64), steps, np.array([20, 35, 60, 75], dtype=np.int64))
    expected = [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]]
    np.testing.assert_array_equal(far_apart(time), np.array(expected, dtype=bool))  # 20 steps or more
