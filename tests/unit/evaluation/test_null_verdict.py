import math
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtr

from onward.errors import ConfigError
from onward.evaluation import Verdict, null_band
from onward.evaluation.chance import Worth, _worth_reference, chance_probability, worth_of
from onward.evaluation.metrics import direction_auc, range_auc
from onward.evaluation.null import MUTUAL_VARIANCE
from onward.evaluation.verdict import corrected_p, level_of
from onward.kernels.statistics import shifted_areas
from onward.types import Spans
from tests.unit.evaluation.scored_rows import HOUR, SPAN_BARS, scored


def test_band_equals_shifting_the_outcomes_by_hand():
    oof = scored(400, mutual=0.0)
    bands = null_band(oof, lookback=20 * HOUR, n_shifts=1_000)
    least = SPAN_BARS + 20
    shifts = range(least, 400 - least + 1)
    by_hand = [direction_auc(oof.probability, np.roll(oof.y, s)) for s in shifts]
    np.testing.assert_allclose(bands.direction.areas, by_hand, atol=1e-12)
    assert bands.direction.observed == pytest.approx(direction_auc(oof.probability, oof.y))
    by_hand = [range_auc(oof.probability, np.roll(oof.y, s)) for s in shifts]
    np.testing.assert_allclose(bands.range.areas, by_hand, atol=1e-12)
    assert bands.range.least_steps == least


def test_a_panel_is_shifted_equally_in_time_for_all_symbols():
    oof = scored(300, symbols=("A", "B", "C"), mutual=0.0)
    bands = null_band(oof, n_shifts=1_000)
    by_symbol = oof.y.reshape(3, 300)
    by_hand = [
        direction_auc(oof.probability, np.roll(by_symbol, s, axis=1).ravel())
        for s in range(SPAN_BARS, 300 - SPAN_BARS + 1)
    ]
    np.testing.assert_allclose(bands.direction.areas, by_hand, atol=1e-12)


def test_rows_may_come_in_any_order():
    oof = scored(300, symbols=("A", "B"))
    shuffled = oof.take(np.random.default_rng(0).permutation(len(oof)))
    assert null_band(shuffled).direction.p == null_band(oof).direction.p


def test_skill_is_found_and_each_question_is_answered_apart():
    verdict = Verdict.of(null_band(scored(skill=1.0)))
    assert verdict.direction.level == "evidence of skill"
    assert verdict.range.level == "no evidence of skill"
    assert verdict.direction.band.extrapolated
    verdict = Verdict.of(null_band(scored(range_skill=1.5)))
    assert verdict.range.level == "evidence of skill"
    assert verdict.direction.level == "no evidence of skill"


def test_p_is_close_to_uniform_without_skill():
    """Slow predictions against overlapping outcomes: row-wise permutation would reject most."""
    p = np.array([null_band(scored(800, seed=s, mutual=0.0)).direction.p for s in range(150)])
    assert 0.0 <= np.mean(p < 0.05) <= 0.10
    assert 0.35 < np.median(p) < 0.65
    assert np.mean(p < 0.5) == pytest.approx(0.5, abs=0.12)


def k_fold_deviation(both_ways, n_walks=600, n_folds=5, n=60, n_features=5):
    """Deviation, in that of all shifts, of scores of linear rules learnt from other folds' noise."""
    generator = np.random.default_rng(0)
    learns = ~np.eye(n_folds, dtype=bool) if both_ways else np.tri(n_folds, k=-1, dtype=bool)
    distances = []
    for _ in range(n_walks):
        y = generator.normal(size=(n_folds, n))
        x = generator.normal(size=(n_features, n_folds, n))
        slope = learns @ (x * y).mean(axis=2).T
        score = (slope.T[:, :, None] * x).sum(axis=0)
        spectrum = np.conj(np.fft.rfft(score.ravel())) * np.fft.rfft(y.ravel())
        shifted = np.fft.irfft(spectrum, n_folds * n)
        distances.append(shifted[0] / shifted[1:].std())
    return np.std(distances)


def test_folds_that_learn_from_each_other_vary_more_than_shifts_do():
    """Why the band is widened for k-folds and not for walk-forward."""
    assert k_fold_deviation(both_ways=True) > 1.25
    assert k_fold_deviation(both_ways=False) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("n_features", [1, 5, 20])
@pytest.mark.parametrize("n_folds", [2, 3])
def test_two_and_three_folds_need_no_wider_band_than_five(n_folds, n_features):
    """Folds of equal length in all, so that the rows are as many: every coincidence counts twice in each."""
    few = k_fold_deviation(True, n_walks=400, n_folds=n_folds, n=300 // n_folds, n_features=n_features)
    five = k_fold_deviation(True, n_walks=400, n_folds=5, n=60, n_features=n_features)
    assert few < five * 1.12


def test_the_band_is_widened_for_mutual_training_about_its_mean():
    plain, wide = (null_band(scored(skill=0.3, mutual=m)).direction for m in (0.0, 1.0))
    assert wide.mean == pytest.approx(plain.mean)
    assert wide.deviation == pytest.approx(plain.deviation * math.sqrt(1 + MUTUAL_VARIANCE))
    assert wide.p > plain.p
    assert plain.widening == 1.0


def test_p_is_counted_and_below_the_floor_extrapolated():
    areas = np.random.default_rng(0).normal(0.5, 0.05, 5_000)
    counted, extrapolated = chance_probability(0.55, areas, independent=5_000)
    assert not extrapolated
    assert counted == pytest.approx(0.159, abs=0.02)
    tail, extrapolated = chance_probability(0.75, areas, independent=5_000)
    assert extrapolated
    assert 1e-7 < tail < 2e-6
    few, _ = chance_probability(0.75, areas, independent=8)
    assert few > 100 * tail  # eight independent shifts cannot be that sure


def slow(n, persistence, seed=0):
    """An autoregressive series of unit variance."""
    shocks = np.random.default_rng(seed).normal(size=n)
    values = np.empty(n)
    values[0] = shocks[0]
    for i in range(1, n):
        values[i] = persistence * values[i - 1] + math.sqrt(1 - persistence**2) * shocks[i]
    return values


@pytest.mark.parametrize("persistence", [0.0, 0.5, 0.9])
def test_like_neighbours_are_worth_few(persistence):
    values = slow(4_000, persistence)
    found, time_ = worth_of(values), (1 + persistence) / (1 - persistence)
    assert found == pytest.approx(_worth_reference(values))
    assert found.mean == pytest.approx(4_000 / time_, rel=0.25)
    squared = (1 + persistence**2) / (1 - persistence**2)
    assert found.variance == pytest.approx(4_000 / squared, rel=0.25)
    assert worth_of(values, 50.0) == Worth(50.0, 50.0)


@pytest.mark.parametrize("values", [np.full(30, 0.5), np.array([0.4, 0.6]), np.arange(25.0)])
def test_few_or_equal_areas_have_a_worth_too(values):
    assert all(2.0 <= one <= len(values) for one in worth_of(values))


def test_slow_predictions_do_not_pass_for_skill_on_slow_outcomes_of_another_world():
    """Two series that know nothing of each other, with labels of 6 bars and regimes of 200."""
    n, careful, careless = 1_000, 0, 0
    where, shifts = np.zeros(n, dtype=np.int64), np.arange(125, n - 124)
    for seed in range(80):
        score = slow(n, 0.995, seed)
        outcome = np.sign(slow(n, 0.995, 1_000 + seed) + slow(n, 0.8, 2_000 + seed)).astype(np.int8)
        observed, *areas = shifted_areas(
            score, outcome[None], where, np.arange(n), np.concatenate(([0], shifts))
        )
        areas = np.array(areas)
        careful += chance_probability(observed, areas, 125.0)[0] < 0.01
        # As if shifts further apart than a label were independent.
        careless += stdtr(124.0, (areas.mean() - observed) / areas.std()) < 0.01
    assert careful <= 3 < careless


def test_slow_areas_cannot_be_that_sure():
    """The same AUC above the same spread: neighbours that are alike know less of it."""
    walks = (slow(1_000, persistence) for persistence in (0.0, 0.99))
    quick, like = ((areas - areas.mean()) / areas.std() for areas in walks)
    sure, _ = chance_probability(4.5, quick, 1_000)
    unsure, extrapolated = chance_probability(4.5, like, 1_000)
    assert sure < 1e-5
    assert extrapolated
    assert 1e-4 < unsure < 0.01


@pytest.mark.parametrize(("observed", "p"), [(0.5, 1.0), (0.4, 1.0)])
def test_constant_predictions_have_no_skill(observed, p):
    assert chance_probability(observed, np.full(100, 0.5), 50)[0] == p


def test_constant_predictions_get_a_sentence_too():
    oof = scored(400)
    verdict = Verdict.of(null_band(replace(oof, probability=oof.prior)))
    assert verdict.direction.level == verdict.range.level == "no evidence of skill"
    assert verdict.direction.p == 1.0


@pytest.mark.parametrize("n", [15, 40, 60])
def test_too_short_data_say_so_instead_of_judging(n):
    verdict = Verdict.of(null_band(scored(n, skill=5.0)))
    assert verdict.direction.level == "no evidence of skill"
    assert verdict.direction.p == 1.0
    assert "too short to judge" in verdict.direction.sentence


def test_one_sided_outcomes_say_so():
    oof = scored(400)
    verdict = Verdict.of(null_band(replace(oof, y=np.abs(oof.y))))
    assert verdict.direction.p == 1.0
    assert "one side of the question" in verdict.direction.sentence


def test_a_long_declared_lookback_is_cut_and_the_note_says_so():
    band = null_band(scored(800), lookback=5_000 * HOUR).direction
    assert band.least_steps == 200
    assert band.n_shifts > 300
    assert "declared lookback" in band.note


def test_gaps_only_make_shifts_longer():
    oof = scored(600)
    start = oof.spans.start.copy()
    start[300:] += 500 * HOUR
    gap = replace(oof, spans=Spans(oof.spans.index, start, start + SPAN_BARS * HOUR))
    assert null_band(gap).direction.least_steps == null_band(oof).direction.least_steps


def test_spans_without_symbols_are_one_series():
    oof = scored(300)
    plain = replace(oof, spans=Spans(pd.RangeIndex(300), oof.spans.start, oof.spans.end))
    assert null_band(plain).direction.p == null_band(oof).direction.p


def test_the_correction_is_sidaks():
    assert corrected_p(0.01, 1) == pytest.approx(0.01)
    assert corrected_p(0.01, 5) == pytest.approx(1 - 0.99**5)
    assert corrected_p(1e-18, 3) == pytest.approx(3e-18)
    assert corrected_p(1.0, 4) == 1.0
    for p, n in ((0.5, 0), (1.5, 1), (float("nan"), 1)):
        with pytest.raises(ConfigError, match="several looks"):
            corrected_p(p, n)


def test_levels_have_stated_thresholds():
    assert [level_of(p) for p in (0.0099, 0.01, 0.0499, 0.05)] == [
        "evidence of skill",
        "weak evidence",
        "weak evidence",
        "no evidence of skill",
    ]


def test_looking_often_weakens_the_verdict():
    bands = null_band(scored(skill=0.5, seed=3))
    once, often = Verdict.of(bands), Verdict.of(bands, n_looked_at=1_000)
    assert once.direction.p == often.direction.p < once.direction.corrected_p * 1.001
    assert often.direction.corrected_p > once.direction.corrected_p
    assert "1000 configurations" in often.direction.sentence
    assert "configurations" not in once.direction.sentence


def test_the_sentence_holds_the_deciding_numbers():
    verdict = Verdict.of(null_band(scored(skill=1.0))).direction
    for number in (verdict.auc, verdict.band.mean, verdict.band.high):
        assert f"{number:.3f}" in verdict.sentence
    assert verdict.level in verdict.sentence
    assert "extrapolated" in verdict.sentence


@pytest.mark.parametrize("arguments", [{"lookback": -1}, {"n_shifts": 3}])
def test_numbers_that_make_no_band_are_refused(arguments):
    with pytest.raises(ConfigError, match="null band"):
        null_band(scored(100), **arguments)


def test_a_thousand_shifts_of_many_rows_cost_little():
    oof = scored(20_000, skill=0.1)
    null_band(oof, n_shifts=20)  # compile
    began = time.process_time()
    null_band(oof, n_shifts=1_000)
    assert time.process_time() - began < 5.0  # measured 0.15 s; a quadratic method would take minutes
