"""The relevance test: tsfresh's own p-values, overlapping labels, the ledger, and what it leaves."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onward.errors import LabelError, StageError
from onward.features.tsfresh.relevance import TSFreshRelevance
from onward.features.tsfresh.significance import exact_p_value, false_discovery
from onward.kernels.tsfresh.rank_sums import rank_sums, rank_sums_reference
from onward.testing.fitted_stages import check_fitted_stage, example_training_rows
from onward.types import Spans

HOUR = 3_600_000_000_000


def spans_of(index, bars=0):
    """Return spans of so many bars, one a bar; 0 makes each a moment of its own."""
    start = HOUR * np.arange(len(index), dtype=np.int64)
    return Spans(index, start, start + bars * HOUR)


def fitted(X, y, bars=0, **options):
    table = X.rename(columns=lambda name: f"tsfresh__{name}")
    return TSFreshRelevance(**options).fit(table, y, spans=spans_of(X.index, bars))


def p_values(stage):
    return pd.DataFrame({record.column: record.p_value for record in stage.ledger_}).T


def many_kinds(n, seed=0):
    draw = np.random.default_rng(seed)
    y = draw.integers(-1, 2, n)
    X = pd.DataFrame(
        {
            "noise": draw.normal(size=n),
            "direction": y + draw.normal(size=n),
            "range": (y == 0) * 0.7 + draw.normal(size=n),
            "tied": draw.integers(0, 4, n) + (y == 1),
            "binary": (draw.normal(size=n) + 0.4 * y > 0).astype(float),
            "chance": (draw.normal(size=n) > 1.0).astype(float),
            "constant": np.ones(n),
        }
    )
    return X, y


@pytest.mark.parametrize("n", [40, 300, 3000])
@pytest.mark.parametrize("independent", [False, True])
def test_without_overlap_everything_is_tsfreshs(n, independent):
    relevance = pytest.importorskip("tsfresh.feature_selection.relevance", reason="needs the automl extra")
    X, y = many_kinds(n, seed=n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = relevance.calculate_relevance_table(
            X,
            pd.Series(y, index=X.index),
            ml_task="classification",
            multiclass=True,
            n_significant=1,
            n_jobs=0,
            fdr_level=0.05,
            hypotheses_independent=independent,
        ).loc[X.columns]
    stage = fitted(X, y, hypotheses_independent=independent)
    assert stage.n_effective_ == n
    ours = p_values(stage)
    for label in (-1, 0, 1):
        expected = theirs[f"p_value_{label}"].to_numpy(np.float64)
        found = ours[str(label)].to_numpy(np.float64)
        np.testing.assert_allclose(found[:-1], expected[:-1], rtol=1e-12)
        assert np.isnan(found[-1])
        assert np.isnan(expected[-1])
    assert [r.kept for r in stage.ledger_] == theirs["relevant"].astype(bool).tolist()


def test_two_classes_are_tsfreshs_too():
    tests = pytest.importorskip("tsfresh.feature_selection.significance_tests")
    X, y = many_kinds(200)
    y = np.where(y == 0, 1, y)
    found = p_values(fitted(X, y))
    for name in ("noise", "direction", "tied"):
        expected = tests.target_binary_feature_real_test(X[name], pd.Series(y == 1), "mann")
        np.testing.assert_allclose(found.loc[f"tsfresh__{name}"], expected, rtol=1e-12)


def test_few_rows_are_counted_as_scipy_counts_them():
    from scipy.stats import mannwhitneyu

    draw = np.random.default_rng(4)
    for n1, n2 in [(1, 5), (3, 4), (8, 30), (12, 7)]:
        x, y = draw.normal(size=n1), draw.normal(size=n2)
        test = mannwhitneyu(x, y)
        u = max(test.statistic, n1 * n2 - test.statistic)
        assert exact_p_value(u, n1, n2) == pytest.approx(test.pvalue, rel=1e-12)
    X = pd.DataFrame({"a": draw.normal(size=20)})
    labels = np.where(np.arange(20) % 4 == 0, 1, -1)
    expected = mannwhitneyu(X["a"][labels == 1], X["a"][labels == -1]).pvalue
    assert p_values(fitted(X, labels)).iloc[0].tolist() == pytest.approx([expected, expected], rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_rank_sums_equal_their_definition(data):
    n = data.draw(st.integers(1, 40))
    values = data.draw(
        st.lists(st.sampled_from([0.0, -0.0, 1.0, 1.5, 2.0, np.nan, -3.0]), min_size=n, max_size=n)
    )
    codes = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), dtype=np.int64)
    table = np.array(values)[:, None].astype(data.draw(st.sampled_from([np.float32, np.float64])))
    found, expected = rank_sums(table, codes, 3), rank_sums_reference(table, codes, 3)
    for name in ("sums", "counts", "largest", "ties", "distinct"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


def test_unknown_values_do_not_count():
    X, y = many_kinds(400)
    holes = X.copy()
    holes.iloc[:150] = np.nan
    pd.testing.assert_frame_equal(p_values(fitted(holes, y)), p_values(fitted(X[150:], y[150:])))
    one = X.copy()
    one.loc[::2, "direction"] = np.nan
    before, after = p_values(fitted(X, y)), p_values(fitted(one, y))
    assert before.drop("tsfresh__direction").equals(after.drop("tsfresh__direction"))
    expected = p_values(fitted(X[1::2], y[1::2])).loc["tsfresh__direction"]
    assert after.loc["tsfresh__direction"].tolist() == pytest.approx(expected.tolist())


def overlapping_labels(draw, n, bars):
    path = np.concatenate([[0.0], np.cumsum(draw.normal(size=n + bars))])
    outcome = (path[bars:] - path[:-bars])[:n] / np.sqrt(bars)
    return np.where(outcome > 0.43, 1, np.where(outcome < -0.43, -1, 0))


def slow_noise(draw, n, columns, persistence):
    shocks = draw.normal(size=(n + 500, columns))
    out = np.empty_like(shocks)
    out[0] = shocks[0]
    for i in range(1, len(out)):
        out[i] = persistence * out[i - 1] + np.sqrt(1.0 - persistence**2) * shocks[i]
    return pd.DataFrame(out[500:])


@pytest.mark.parametrize("persistence", [0.9, 0.97, 0.99])
def test_overlapping_labels_no_longer_make_noise_relevant(persistence):
    """The uncorrected test keeps most of the noise, the corrected one at most what it promises."""
    below, plain_below, kept, plain_kept, columns = 0, 0, 0, 0, 0
    for seed in range(3):
        draw = np.random.default_rng(seed)
        y = overlapping_labels(draw, 4000, 24)
        X = slow_noise(draw, 4000, 40, persistence)
        corrected = fitted(X, y, bars=24)
        plain = fitted(X, y, bars=24, correct_overlap=False)
        assert corrected.n_effective_ / corrected.n_rows_ == pytest.approx(1 / 25, rel=0.02)
        columns += X.shape[1]
        below += int((p_values(corrected) < 0.05).to_numpy().sum())
        plain_below += int((p_values(plain) < 0.05).to_numpy().sum())
        kept += sum(record.reason.startswith("relevant") for record in corrected.ledger_)
        plain_kept += sum(record.reason.startswith("relevant") for record in plain.ledger_)
    assert plain_kept / columns > 0.4
    assert plain_below / columns / 3 > 0.4
    assert kept == 0
    assert below / columns / 3 <= 0.05


def test_what_drives_the_labels_survives_the_correction():
    draw = np.random.default_rng(1)
    y = overlapping_labels(draw, 4000, 24)
    X = slow_noise(draw, 4000, 20, 0.97)
    X["driver"] = pd.Series(y).rolling(5, min_periods=1).mean() + 0.5 * X[0]
    stage = fitted(X, y, bars=24)
    assert stage.columns_ == ("tsfresh__driver",)


def test_z_shrinks_by_the_square_root_of_uniqueness():
    from scipy.special import ndtri

    X, y = many_kinds(3000)
    plain = p_values(fitted(X, y)).loc["tsfresh__direction", "1"]
    shrunk = p_values(fitted(X, y, bars=9)).loc["tsfresh__direction", "1"]
    stage = fitted(X, y, bars=9)
    ratio = stage.n_effective_ / stage.n_rows_
    assert ndtri(shrunk / 2) / ndtri(plain / 2) == pytest.approx(np.sqrt(ratio), rel=1e-6)


def test_other_columns_pass_untouched_and_in_order():
    X, y = many_kinds(2000)
    table = pd.concat([X.add_prefix("manual__"), X.add_prefix("tsfresh__")], axis=1).sort_index(
        axis=1, key=lambda names: names.str.split("__").str[1]
    )
    stage = TSFreshRelevance().fit(table, y, spans=spans_of(X.index))
    out = stage.transform(table)
    mine = [c for c in out.columns if c.startswith("tsfresh__")]
    assert [c for c in table.columns if c in set(out.columns)] == list(out.columns)
    assert {c for c in table.columns if c.startswith("manual__")} <= set(out.columns)
    assert set(mine) == {f"tsfresh__{c}" for c in ("direction", "range", "tied", "binary")}
    pd.testing.assert_frame_equal(out, table[list(out.columns)])
    only_others = TSFreshRelevance().fit(X, y, spans=spans_of(X.index))
    assert only_others.columns_ == tuple(X.columns)
    assert only_others.ledger_ == ()


def test_when_nothing_passes_and_nothing_else_is_there_a_few_stay():
    draw = np.random.default_rng(0)
    X = pd.DataFrame(draw.normal(size=(200, 8)))
    y = draw.integers(-1, 2, 200)
    stage = fitted(X, y, bars=24)
    kept = [record for record in stage.ledger_ if record.kept]
    assert len(kept) == 3 == len(stage.columns_)
    assert all("no column would be left" in record.reason for record in kept)
    beside = X.rename(columns=lambda c: f"tsfresh__{c}").assign(manual__a=0.0)
    stage = TSFreshRelevance().fit(beside, y, spans=spans_of(X.index, 24))
    assert stage.columns_ == ("manual__a",)
    flat = fitted(X * 0.0, y)
    assert flat.columns_ == ("tsfresh__0",)
    assert "does not vary" in flat.ledger_[0].reason
    unknown = fitted(X * np.nan, y)
    assert unknown.columns_ == ("tsfresh__0",)


def test_the_limit_takes_the_best_of_each_class_in_turn():
    X, y = many_kinds(3000)
    rows = {f"range{i}": X["range"] + 1e-3 * i * X["noise"] for i in range(10)}
    table = pd.DataFrame({**rows, "weak": y * 0.35 + X["noise"]})
    stage = fitted(table, y, feature_count_limit=3)
    assert len(stage.columns_) == 3
    assert "tsfresh__weak" in stage.columns_
    dropped = [record for record in stage.ledger_ if not record.kept]
    assert all("not among the 3 that are kept" in record.reason for record in dropped)
    assert len(fitted(table, y, feature_count_limit=50).columns_) == 11


def test_relevance_for_several_classes_may_be_asked_for():
    X, y = many_kinds(3000)
    once, thrice = fitted(X, y), fitted(X, y, n_significant=3)
    assert set(thrice.columns_) < set(once.columns_)
    assert all(r.reason == "relevant for 3 of 3 classes" for r in thrice.ledger_ if r.kept)


@settings(max_examples=80, deadline=None)
@given(
    p=st.lists(st.floats(0.0, 1.0) | st.just(np.nan), max_size=30),
    level=st.sampled_from([0.01, 0.05, 0.5]),
    independent=st.booleans(),
)
def test_false_discovery_rejects_what_its_definition_says(p, level, independent):
    values = np.array(p, dtype=np.float64)
    known = np.sort(values[~np.isnan(values)])
    penalty = 1.0 if independent else float(np.sum(1.0 / np.arange(1, len(known) + 1)))
    passing = [k for k in range(1, len(known) + 1) if known[k - 1] <= level * k / len(known) / penalty]
    rejected = false_discovery(values, level, independent=independent)
    expected = values <= known[max(passing) - 1] if passing else np.zeros(len(values), dtype=bool)
    assert rejected.tolist() == expected.tolist()


def prefixed_rows():
    X, y, spans = example_training_rows()
    return X.rename(columns=lambda c: f"tsfresh__{c}" if not c.startswith("noise_1") else c), y, spans


def test_the_description_counts_no_columns_of_others():
    info = TSFreshRelevance(fdr_level=0.1).describe_fit(701, 50_000)
    assert info.max_columns is None
    assert "10%" in info.what
    assert info.seconds == pytest.approx(25e-9 * 701 * 50_000)


def test_the_contract_holds():
    check_fitted_stage(TSFreshRelevance)


def test_prefixed_example_rows_are_selected_and_survive_json():
    X, y, spans = prefixed_rows()
    stage = TSFreshRelevance().fit(X, y, spans=spans)
    assert {"tsfresh__known", "tsfresh__width"} <= set(stage.columns_)
    loaded = TSFreshRelevance.from_json(json.loads(json.dumps(stage.to_json(), allow_nan=False)))
    assert loaded.to_json() == stage.to_json()
    assert loaded.ledger_ == stage.ledger_
    pd.testing.assert_frame_equal(loaded.transform(X), stage.transform(X))
    assert stage.required_columns() == stage.columns_
    assert stage.required_columns(("tsfresh__known",)) == ("tsfresh__known",)
    with pytest.raises(StageError, match="does not give"):
        stage.required_columns(("tsfresh__same",))
    with pytest.raises(StageError, match="missing"):
        stage.transform(X.drop(columns="tsfresh__known"))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"y": np.zeros(50)}, LabelError, "one class only"),
        ({"y": np.linspace(-1, 1, 50)}, LabelError, "class labels"),
        ({"y": np.zeros((50, 2))}, LabelError, "class labels"),
        ({"X": pd.DataFrame({"tsfresh__a": np.zeros(49)})}, StageError, "49 rows"),
        ({"X": pd.DataFrame(index=range(50))}, StageError, "0 columns"),
        ({"X": pd.DataFrame(np.zeros((50, 2)), columns=["tsfresh__a"] * 2)}, StageError, "occurs twice"),
    ],
)
def test_bad_rows_are_answered(change, error, words):
    given = {"X": pd.DataFrame({"tsfresh__a": np.arange(50.0)}), "y": np.arange(50) % 3 - 1} | change
    with pytest.raises(error, match=words):
        TSFreshRelevance().fit(given["X"], given["y"], spans=spans_of(pd.RangeIndex(50)))


@pytest.mark.parametrize(
    "state", [{}, {"parameters": {"level": 1}}, {"parameters": None}, {"parameters": {}}]
)
def test_states_of_something_else_are_answered(state):
    with pytest.raises(StageError, match="not the state"):
        TSFreshRelevance.from_json(state)
