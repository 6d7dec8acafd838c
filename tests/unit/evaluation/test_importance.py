"""Permutation importance in blocks: against scikit-learn, by hand, and on noise."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.inspection import permutation_importance

from onward.errors import ConfigError, ModelError, NotEnoughDataError
from onward.evaluation.displacement import displaced_rows
from onward.evaluation.importance import SCORES, block_permutation_importance
from onward.evaluation.importance_clusters import correlation_clusters
from onward.evaluation.importance_folds import (
    FoldRows,
    importance_of_folds,
    importance_summary,
    used_columns,
)
from onward.evaluation.metrics import measure
from onward.types import Spans
from tests.unit.evaluation.feature_rows import HOUR, linear_probability, made_rows


def spans_of(n, span_bars=6, symbols=1):
    start = np.tile(HOUR * np.arange(n, dtype=np.int64), symbols)
    index = pd.MultiIndex.from_arrays(
        [np.repeat([f"S{i}" for i in range(symbols)], n), pd.to_datetime(start, utc=True)],
        names=("symbol", "open_time"),
    )
    return Spans(index, start, start + span_bars * HOUR)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(4, 300),
    st.integers(1, 12),
    st.sampled_from(["blocks", "shift"]),
    st.integers(0, 2**31),
)
def test_no_row_gets_a_value_whose_outcome_overlaps_its_own(n, span_bars, method, seed):
    spans = spans_of(n, span_bars)
    if n < 4 * span_bars:
        with pytest.raises(NotEnoughDataError, match="too few to displace"):
            displaced_rows(spans, method=method, seed=seed)
        return
    rows, sources = displaced_rows(spans, method=method, n_repeats=3, seed=seed)
    np.testing.assert_array_equal(rows, np.arange(n))
    distance = np.abs(sources - rows)
    assert np.minimum(distance, n - distance).min() >= span_bars
    if method == "shift":
        assert all(len(np.unique(source)) == n for source in sources)
    else:  # every value once, but for the rows that are left over
        assert all(n - len(np.unique(source)) < n // span_bars for source in sources)


def test_symbols_do_not_mix_and_move_alike():
    spans = spans_of(50, 6, symbols=2)
    shuffle = np.random.default_rng(0).permutation(100)
    mixed = Spans(spans.index[shuffle], spans.start[shuffle], spans.end[shuffle])
    rows, sources = displaced_rows(mixed, n_repeats=2, seed=3)
    symbol = mixed.index.get_level_values(0).to_numpy()
    np.testing.assert_array_equal(symbol[sources], np.broadcast_to(symbol[rows], sources.shape))
    for source in sources:
        moves = {name: {} for name in ("S0", "S1")}
        for row, origin in zip(rows, source, strict=True):
            moves[symbol[row]][mixed.start[row]] = mixed.start[origin]
        assert moves["S0"] == moves["S1"]


def test_a_symbol_that_is_too_short_is_left_out():
    whole, short = spans_of(60, 6), spans_of(10, 6)
    index = pd.MultiIndex.from_tuples(
        [*(("A", t) for _, t in whole.index), *(("B", t) for _, t in short.index)]
    )
    spans = Spans(index, np.append(whole.start, short.start), np.append(whole.end, short.end))
    rows, sources = displaced_rows(spans)
    np.testing.assert_array_equal(rows, np.arange(60))
    assert sources.max() < 60


def test_row_by_row_it_is_the_importance_of_scikit_learn():
    X, y, spans = made_rows(600, seed=1)

    class Rule(ClassifierMixin, BaseEstimator):
        classes_ = np.array([-1, 0, 1])

        def fit(self, X, y):
            return self

        def predict(self, X):
            return linear_probability(X).argmax(axis=1) - 1

    expected = permutation_importance(
        Rule(), X, y, scoring="accuracy", n_repeats=60, random_state=0, n_jobs=1
    )
    found = block_permutation_importance(
        linear_probability, X, y, spans, scores=["accuracy"], method="rows", n_repeats=60
    ).set_index("subject")
    np.testing.assert_allclose(found["decrease"], expected.importances_mean, atol=0.012)
    np.testing.assert_allclose(found["deviation"], expected.importances_std, atol=0.004)


def test_it_equals_the_loop_one_would_write():
    X, y, spans = made_rows(400, seed=2)
    prior = np.array([0.3, 0.4, 0.3])
    X = X.astype(np.float32)
    X.iloc[:30, 1] = np.nan
    found = block_permutation_importance(linear_probability, X, y, spans, prior=prior, seed=7)
    _, sources = displaced_rows(spans, seed=7)
    priors = np.tile(prior, (len(y), 1))
    base = measure(linear_probability(X), y, priors)
    for column in X.columns:
        each = []
        for source in sources:
            changed = X.copy()
            changed[column] = X[column].to_numpy()[source]
            each.append(measure(linear_probability(changed), y, priors))
        for score in SCORES:
            line = found[(found["subject"] == column) & (found["score"] == score)].iloc[0]
            values = np.array([getattr(one, score) for one in each])
            assert line["base"] == pytest.approx(getattr(base, score), abs=1e-12)
            assert line["decrease"] == pytest.approx(getattr(base, score) - values.mean(), abs=1e-12)
            assert line["deviation"] == pytest.approx(values.std(ddof=1), abs=1e-12)
            assert line["standard_error"] == pytest.approx(values.std(ddof=1) / np.sqrt(5), abs=1e-12)


def test_what_carries_the_signal_stands_first_and_unused_columns_cost_nothing():
    X, y, spans = made_rows(1_200, seed=3)
    calls = []

    def counted(rows):
        calls.append(len(rows))
        return linear_probability(rows)

    found = block_permutation_importance(
        counted, X, y, spans, columns=["signal", "echo"], scores=["direction_auc"]
    )
    assert calls == [1_200, 5 * 1_200, 5 * 1_200]
    by_name = found.set_index("subject")
    assert by_name.loc["signal", "decrease"] > 0.02
    assert by_name.loc["noise", "decrease"] == 0.0
    assert by_name.loc["noise", "n_columns"] == 0


def test_columns_that_stand_in_for_each_other_count_together():
    """Either twin alone hides behind the other; the cluster shows what both are worth."""
    X, y, spans = made_rows(1_500, seed=4)
    clusters = correlation_clusters(X, above=0.6)
    assert sorted(map(sorted, clusters.values())) == [["echo", "signal"], ["noise"]]
    alone = block_permutation_importance(linear_probability, X, y, spans, scores=["log_loss_skill"])
    together = block_permutation_importance(
        linear_probability, X, y, spans, groups=clusters, scores=["log_loss_skill"]
    )
    single = alone.set_index("subject")["decrease"]
    group = together.set_index("subject")["decrease"]
    name = next(name for name, members in clusters.items() if "signal" in members)
    assert group[name] > 1.3 * (single["signal"] + single["echo"]) / 2
    assert group["noise"] == single["noise"]


def test_shuffling_row_by_row_takes_the_luck_of_a_few_outcomes_for_certain():
    """A slow column without any link: |z| beyond 3 row by row, within the noise in blocks."""

    def rule(rows):
        return linear_probability(rows.assign(echo=rows["signal"], noise=0.0))

    beyond = {"rows": 0, "blocks": 0}
    for seed in range(20):
        X, y, spans = made_rows(700, seed=100 + seed, strength=0.0)
        for method in beyond:
            found = block_permutation_importance(
                rule,
                X[["signal"]],
                y,
                spans,
                scores=["direction_auc"],
                method=method,
                block_bars=None if method == "rows" else 48,
                n_repeats=12,
            )
            beyond[method] += abs(found["z"].iloc[0]) > 3
    assert beyond["rows"] >= 6
    assert beyond["blocks"] <= 1


def test_folds_are_put_together():
    folds = []
    for number in range(3):
        X, y, spans = made_rows(500, seed=20 + number)
        kept = X if number else X.drop(columns="noise")
        predict = linear_probability if number else lambda rows: linear_probability(rows.assign(noise=0.0))
        folds.append(FoldRows(number, predict, kept, y, spans, np.array([0.3, 0.4, 0.3])))
    table = importance_of_folds(iter(folds), scores=["accuracy", "direction_auc"], n_repeats=3)
    assert list(table["fold"].unique()) == [0, 1, 2]
    summary = importance_summary(table)
    assert list(summary["score"].unique()) == ["accuracy", "direction_auc"]
    noise = summary[(summary["subject"] == "noise") & (summary["score"] == "accuracy")].iloc[0]
    each = table[(table["subject"] == "noise") & (table["score"] == "accuracy")]["decrease"]
    assert noise["used"] == 2
    assert noise["folds"] == 3
    assert noise["decrease"] == pytest.approx(each.sum() / 3)
    assert noise["standard_error"] == pytest.approx(np.std([0.0, *each], ddof=1) / np.sqrt(3))
    assert summary.groupby("score")["decrease"].apply(lambda d: d.is_monotonic_decreasing).all()
    pd.testing.assert_frame_equal(
        table, importance_of_folds(folds, scores=["accuracy", "direction_auc"], n_repeats=3)
    )
    assert importance_summary(importance_of_folds([])).empty


def test_clusters_over_folds_that_lack_columns():
    X, y, spans = made_rows(300, seed=5)
    fold = FoldRows(
        0, lambda rows: linear_probability(rows.assign(noise=0.0)), X.drop(columns="noise"), y, spans
    )
    table = importance_of_folds([fold], groups={"all": ["signal", "noise"]}, scores=["accuracy"])
    assert table["n_columns"].tolist() == [1]


def test_a_score_that_is_not_defined_is_unknown():
    X, _, spans = made_rows(300, seed=6)
    found = block_permutation_importance(linear_probability, X, np.zeros(300, np.int64), spans)
    assert found[found["score"] == "direction_auc"]["decrease"].isna().all()
    assert found[found["score"] == "accuracy"]["decrease"].notna().all()
    summary = importance_summary(found.assign(fold=0))
    assert (summary[summary["score"] == "direction_auc"]["folds"] == 0).all()


def test_the_columns_that_a_model_uses():
    assert used_columns(pd.Series({"a": 1.0, "b": 0.0, "c": 2.0})) == ("a", "c")
    assert used_columns(pd.Series({"a": 0.0, "b": 0.0})) == ("a", "b")  # no notion of gain


def test_clusters_of_odd_columns():
    X = pd.DataFrame({"a": np.arange(50.0), "b": -np.arange(50.0), "c": np.nan, "d": 1.0})
    assert correlation_clusters(X) == {"a": ("a", "b"), "c": ("c",), "d": ("d",)}
    assert correlation_clusters(X[["a"]]) == {"a": ("a",)}
    with pytest.raises(ConfigError, match="between 0 and 1"):
        correlation_clusters(X, above=1.5)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"scores": ["acuracy"]}, ConfigError, "Did you mean accuracy"),
        ({"columns": ["signall"]}, ConfigError, "Did you mean signal"),
        ({"groups": {"g": ["echoo"]}}, ConfigError, "Did you mean echo"),
        ({"method": "magic"}, ConfigError, "blocks"),
        ({"n_repeats": 0}, ConfigError, "one repeat"),
        ({"block_bars": 2}, ConfigError, "12 bars or more"),
        ({"y": np.zeros(3, np.int64)}, ModelError, "disagree in number"),
        ({"y": np.full(100, 5)}, ModelError, "not classes"),
        ({"predict": lambda rows: np.full((len(rows), 2), 0.5)}, ModelError, "not return probabilities"),
        ({"predict": lambda rows: np.full((len(rows), 3), np.nan)}, ModelError, "no NaN"),
    ],
)
def test_what_cannot_be_measured_is_refused(changes, error, words):
    X, y, spans = made_rows(100, seed=0)
    arguments = {"predict": linear_probability, "X": X, "y": y, "spans": spans} | changes
    with pytest.raises(error, match=words):
        block_permutation_importance(**arguments)
