import numpy as np
import pandas as pd
import pytest

from onward.errors import ConfigError, LabelError, NotEnoughDataError, StageError
from onward.features.selection import ShiftedLabelSelector
from onward.features.selection.choice import discoveries
from onward.features.selection.relevance import (
    label_targets,
    measure_relevance,
    rank_columns,
    shifted_targets,
)
from onward.testing.fitted_stages import example_training_rows
from onward.types import Spans

HOUR = 3_600_000_000_000


def series(n=900, span_bars=12, n_columns=40, seed=0):
    """One symbol, slow noise, overlapping labels."""
    generator = np.random.default_rng(seed)
    smooth = np.ones(span_bars)
    X = pd.DataFrame(
        {
            f"n{i}": np.convolve(generator.normal(size=n + span_bars - 1), smooth, "valid")
            for i in range(n_columns)
        }
    )
    outcome = np.convolve(generator.normal(size=n + span_bars - 1), smooth, "valid")
    y = np.digitize(outcome, np.quantile(outcome, [1 / 3, 2 / 3])) - 1
    start = np.arange(n, dtype=np.int64) * HOUR
    return X, y, Spans(X.index, start, start + span_bars * HOUR), outcome


def reasons(selector):
    return {record.column: record.reason for record in selector.ledger_}


def test_it_finds_what_knows_the_direction_and_what_knows_the_range():
    X, y, spans = example_training_rows()
    selector = ShiftedLabelSelector().fit(X, y, spans=spans)
    assert {"known", "width"} <= set(selector.columns_)
    why = reasons(selector)
    assert why["known"].startswith("direction")
    assert why["width"].startswith("range")
    assert why["same"] == why["never"] == "constant or unknown in training"
    assert [record.column for record in selector.ledger_] == list(X.columns)
    assert {r.column for r in selector.ledger_ if r.kept} == set(selector.columns_)


def test_volatility_survives_beside_many_directional_columns():
    """The range target keeps its share of the places however strong the other one is."""
    X, y, spans, outcome = series(n_columns=2)
    generator = np.random.default_rng(1)
    for i in range(10):
        X[f"d{i}"] = outcome + generator.normal(0, 3, len(X))
    X["volatility"] = np.abs(outcome) + generator.normal(0, 3, len(X))
    selector = ShiftedLabelSelector(max_features=6, correlation=1.0).fit(X, y, spans=spans)
    assert "volatility" in selector.columns_
    assert len(selector.columns_) == 6
    assert sum("places" in reason for reason in reasons(selector).values()) >= 4


def test_noise_is_kept_no_more_often_than_the_threshold_says():
    """Row-wise shuffling would pass most of these slow columns; shifting passes about 7 in 100."""
    passed = []
    for seed in range(6):
        X, y, spans, _ = series(seed=seed)
        ledger = ShiftedLabelSelector().fit(X, y, spans=spans).ledger_
        passed += [record.z_direction > 1.65 for record in ledger]
    assert np.mean(passed) < 0.15


def test_when_nothing_passes_the_best_few_are_kept_and_the_ledger_says_so():
    X, y, spans, _ = series(n_columns=12)
    selector = ShiftedLabelSelector(z=15.0, min_features=3).fit(X, y, spans=spans)
    assert len(selector.columns_) == 3
    kept = [record for record in selector.ledger_ if record.kept]
    assert all("fallback" in record.reason for record in kept)
    best = sorted(selector.ledger_, key=lambda r: -max(r.z_direction, r.z_range))[:3]
    assert {r.column for r in best} == set(selector.columns_)


def test_near_duplicates_leave_the_better_one():
    X, y, spans, outcome = series(n_columns=3)
    X["good"] = outcome + np.random.default_rng(2).normal(0, 2, len(X))
    X["copy"] = 3 * X["good"] + 1
    X["nearly"] = X["good"] + np.random.default_rng(3).normal(0, 0.3, len(X))
    selector = ShiftedLabelSelector().fit(X, y, spans=spans)
    assert len({"good", "copy", "nearly"} & set(selector.columns_)) == 1
    assert sum(reason.startswith("correlated with") for reason in reasons(selector).values()) == 2
    everything = ShiftedLabelSelector(correlation=1.0).fit(X, y, spans=spans)
    assert {"good", "copy", "nearly"} <= set(everything.columns_)


def test_relevance_equals_shifting_by_hand():
    """The matrix product against a loop over shifts with Spearman's formula, holes and all."""
    X, y, spans, _ = series(n=300, n_columns=3)
    keep = np.r_[0:120, 180:300]
    X, y, spans = X.iloc[keep], y[keep], spans.take(keep)
    ranks, targets = rank_columns(X), label_targets(y)
    code, step, shifts = shifted_targets(spans, 25, seed=1)
    assert shifts.min() >= 12
    found = measure_relevance(ranks, targets, code, step, shifts)
    centred = y - y.mean()
    centred = centred / np.sqrt((centred**2).sum())
    for column in range(3):
        rank = X.iloc[:, column].rank().to_numpy()
        rank = (rank - rank.mean()) / np.sqrt(((rank - rank.mean()) ** 2).sum())
        chance = np.array([abs(rank @ np.roll(centred, s)) for s in shifts])
        assert found.correlation[column, 0] == pytest.approx(rank @ centred, abs=1e-5)
        expected = (abs(rank @ centred) - chance.mean()) / chance.std()
        assert found.z[column, 0] == pytest.approx(expected, abs=1e-3)


def test_all_symbols_of_a_panel_are_shifted_alike():
    X, y, spans = example_training_rows(n_symbols=3)
    code, step, shifts = shifted_targets(spans, 40, seed=0)
    assert set(code) == {0, 1, 2}
    targets = label_targets(y)
    found = measure_relevance(rank_columns(X[["known"]]), targets, code, step, shifts)
    n_steps = step.max() + 1
    rank = rank_columns(X[["known"]])[0]
    by_symbol = targets[:, 0].reshape(3, n_steps)
    chance = [abs(rank @ np.roll(by_symbol, s, axis=1).ravel()) for s in shifts]
    assert found.z[0, 0] == pytest.approx(
        (abs(rank @ targets[:, 0]) - np.mean(chance)) / np.std(chance), rel=1e-3
    )


def test_the_future_of_other_rows_plays_no_part():
    X, y, spans = example_training_rows()
    selector = ShiftedLabelSelector().fit(X, y, spans=spans)
    other = X.copy()
    other.iloc[:, :] = 7.0
    assert list(selector.transform(other).columns) == list(selector.columns_)


def test_two_classes_are_enough():
    X, y, spans, _ = series()
    rows = np.flatnonzero(y != 0)
    assert ShiftedLabelSelector().fit(X.iloc[rows], y[rows], spans=spans.take(rows)).columns_


def test_discoveries_follow_benjamini_and_hochberg():
    p = np.array([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216])
    tested = np.ones(10, dtype=bool)
    assert discoveries(p, tested, 0.05).sum() == 2  # the worked example of the 1995 paper's kind
    assert discoveries(p, tested, 1.0).all()
    assert not discoveries(p, ~tested, 1.0).any()


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("max_features", 0),
        ("z", float("nan")),
        ("n_shifts", 5),
        ("min_features", 31),
        ("range_share", 1.5),
        ("false_discovery_rate", 0.0),
        ("correlation", 0.0),
    ],
)
def test_parameters_out_of_range_are_named(parameter, value):
    with pytest.raises(ConfigError, match=parameter):
        ShiftedLabelSelector(**{parameter: value})


def test_labels_that_teach_nothing_are_refused():
    X, y, spans, _ = series()
    with pytest.raises(LabelError, match="one class only"):
        ShiftedLabelSelector().fit(X, np.ones_like(y), spans=spans)
    with pytest.raises(LabelError, match="class labels"):
        ShiftedLabelSelector().fit(X, y * 0.3, spans=spans)


def test_too_few_rows_for_their_horizon_are_refused():
    X, y, spans, _ = series(n=900)
    rows = np.arange(40)
    with pytest.raises(NotEnoughDataError, match="decision times"):
        ShiftedLabelSelector().fit(X.iloc[rows], y[rows], spans=spans.take(rows))


def test_columns_that_never_vary_are_refused():
    X, y, spans, _ = series()
    with pytest.raises(StageError, match="constant or unknown"):
        ShiftedLabelSelector().fit(X * 0 + 1, y, spans=spans)


def test_columns_that_cannot_be_told_apart_are_refused():
    X, y, spans = example_training_rows()
    with pytest.raises(StageError, match="twice"):
        ShiftedLabelSelector().fit(pd.concat([X, X[["known"]]], axis=1), y, spans=spans)
    with pytest.raises(StageError, match="not numeric"):
        ShiftedLabelSelector().fit(X.assign(known="a"), y, spans=spans)
    with pytest.raises(StageError, match="weights"):
        ShiftedLabelSelector().fit(X, y, spans=spans, weight=np.ones(3))


def test_the_ledger_names_the_step_and_the_representative():
    X, y, spans = example_training_rows()
    X = X.assign(nearly=X["known"] + 1e-3 * X["noise_0"])
    by_name = {record.column: record for record in ShiftedLabelSelector().fit(X, y, spans=spans).ledger_}
    assert by_name["never"].step == "constant"
    assert by_name["noise_3"].step in ("relevance", "kept", "places")
    twins = {by_name["known"].step, by_name["nearly"].step}
    assert twins == {"kept", "correlation"}
    for record in by_name.values():
        assert record.kept == (record.step == "kept")
        assert bool(record.represented_by) == (record.step == "correlation")
        assert not record.represented_by or by_name[record.represented_by].kept
