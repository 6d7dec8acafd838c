"""Combinatorial folds put together: backtest paths, and one averaged prediction a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import onward as ow
from onward.errors import PlanError, SplitError
from onward.evaluation.backtest import BacktestSettings, backtest
from onward.evaluation.report.page import page
from onward.splits import CombinatorialPurgedKFold
from onward.training.assembly import make_trainer
from onward.training.auditing import audit_trainer
from onward.training.fold_views import FoldViews
from onward.training.optimization import OptimizationCoordinator
from onward.training.outcomes import FoldOutcome, Training
from onward.training.paths import backtest_paths, backtests_of_paths, pool_by_splitter
from onward.training.reporting import report_content
from onward.types import FloatArray, Fold, Spans
from tests.unit.training.small_runs import panel, planted, small_plan

COMBINATORIAL: dict[str, Any] = {
    "validation__method": "combinatorial",
    "validation__n_splits": 5,
    "validation__n_groups": 4,
    "validation__n_test_groups": 2,
}
MARKET = planted(480)


@pytest.fixture(scope="module")
def training() -> Training:
    return make_trainer(small_plan(**COMBINATORIAL), MARKET).train(MARKET)


def predicted(training: Training, number: int) -> FloatArray:
    """Predictions of one fold on all labelled rows, NaN where it did not test."""
    table = np.full((len(training.dataset), 3), np.nan)
    table[training.folds[number].fold.test] = training.folds[number].probability
    return table


def test_every_path_is_a_full_series_of_predictions_made_without_the_row(training: Training) -> None:
    splitter = CombinatorialPurgedKFold(4, 2)
    spans, groups = training.dataset.spans, splitter.groups(training.dataset.spans)
    said = [predicted(training, number) for number in range(6)]
    paths = list(backtest_paths(splitter, spans, training.folds))
    assert training.paths is not None
    assert len(paths) == len(training.paths) == 3
    for path, folds, metrics, side in zip(
        paths, splitter.backtest_paths(), training.paths.paths, training.paths.sides, strict=True
    ):
        assert np.array_equal(path.fold, folds[groups])
        expected = np.stack([said[fold][row] for row, fold in enumerate(path.fold)])
        assert np.array_equal(path.probability, expected)
        assert np.array_equal(side, expected.argmax(axis=1) - 1)
        assert metrics.n == len(spans)
        for row in range(0, len(spans), 37):
            learnt = training.folds[path.fold[row]].fold.train
            touch = (spans.start[learnt] <= spans.end[row]) & (spans.end[learnt] >= spans.start[row])
            assert not touch.any()


def test_the_verdict_is_on_the_mean_of_all_folds_that_tested_a_row(training: Training) -> None:
    said = np.stack([predicted(training, number) for number in range(6)])
    assert (np.isfinite(said[:, :, 0]).sum(axis=0) == 3).all()
    assert training.oof.probability == pytest.approx(np.nanmean(said, axis=0))
    assert len(training.oof) == len(training.dataset)
    assert training.oof.folds == (0, 1, 2, 3)
    assert training.oof.mutual == 1.0
    assert training.judgement.bands.direction.widening == pytest.approx(np.sqrt(1.5))
    assert any("3 backtest paths from 6 folds" in sentence for sentence in training.warnings)


def test_every_combinatorial_fold_has_its_view(training: Training) -> None:
    views = FoldViews(training)
    for outcome in training.folds:
        seen = views.of(outcome)
        assert len(seen.test) == len(outcome.fold.test)
        assert np.array_equal(seen.test_spans.start, training.dataset.spans.start[outcome.fold.test])


def test_one_group_at_a_time_is_purged_k_fold() -> None:
    one = small_plan(**COMBINATORIAL | {"validation__n_test_groups": 1})
    alone = make_trainer(one, MARKET).train(MARKET)
    plain = make_trainer(small_plan(validation__n_splits=4), MARKET).train(MARKET)
    assert np.array_equal(alone.oof.probability, plain.oof.probability)
    assert np.array_equal(alone.oof.fold, plain.oof.fold)
    assert alone.judgement.scores.to_dict() == plain.judgement.scores.to_dict()
    mine, theirs = alone.judgement.verdict.direction, plain.judgement.verdict.direction
    assert mine.p == pytest.approx(theirs.p, rel=0.02)  # purging makes k-fold a little less than mutual
    assert alone.paths is not None
    assert alone.paths.paths == (plain.judgement.scores.pooled,)
    assert alone.paths.sentences == ()


def test_paths_of_a_panel_cut_all_symbols_at_the_same_moments() -> None:
    market = panel(300)
    found = make_trainer(small_plan(**COMBINATORIAL), market).train(market)
    assert found.paths is not None
    starts = found.dataset.spans.start
    for number in found.oof.folds:
        inside = starts[found.oof.fold == number]
        assert not np.isin(starts[found.oof.fold != number], inside).any()


def test_where_fitted_thresholds_disagree_the_outcome_is_that_of_most_folds() -> None:
    start = 3_600_000_000_000 * np.arange(6, dtype=np.int64)
    spans = Spans(np.arange(6), start, start)  # type: ignore[arg-type] - the index is not looked at
    splitter = CombinatorialPurgedKFold(3, 2)
    even = np.full((4, 3), 1 / 3)
    seen = ([0, 1, 1, 0], [-1, 1, 0, 0], [0, 0, 0, 0])
    outcomes = [
        FoldOutcome(
            Fold(f.number, f.train, f.test),
            np.array(y),
            even,
            np.full(3, 1 / 3),
            {},
            predictor=None,  # type: ignore[arg-type]
        )
        for f, y in zip(splitter.folds(spans), seen, strict=True)
    ]
    oof, paths = pool_by_splitter(splitter, spans, outcomes)
    assert paths is not None
    # Row 0: 0 and -1; row 1: 1 and 1; row 2: 1 and 0; the last rows: 0 and 0. Ties count as range.
    assert oof.y.tolist() == [0, 1, 0, 0, 0, 0]


def test_paths_are_traded_on_the_terms_of_the_plan(training: Training) -> None:
    assert training.paths is not None
    paths = list(backtest_paths(CombinatorialPurgedKFold(4, 2), training.dataset.spans, training.folds))
    free = backtests_of_paths(paths, MARKET, BacktestSettings(fee_bps=0, slippage_bps=0))
    dear = backtests_of_paths(paths, MARKET, BacktestSettings(fee_bps=50, slippage_bps=0))
    assert len(free) == 3
    assert (free["total_return"] > dear["total_return"]).all()
    assert free["sharpe"].nunique() == 3


def test_paths_of_meta_labels_are_traded_by_the_primary_signal(training: Training) -> None:
    paths = list(backtest_paths(CombinatorialPurgedKFold(4, 2), training.dataset.spans, training.folds))
    terms = BacktestSettings(fee_bps=0, slippage_bps=0, act_above=0.0, max_drift=None)
    primary = np.where(np.arange(len(MARKET)) < 240, 1.0, -1.0)
    traded = backtests_of_paths(paths, MARKET, terms, primary)
    always = backtest(
        MARKET, pd.Series(primary[training.dataset.rows], index=training.dataset.spans.index), terms
    )
    assert traded["total_return"].to_numpy() == pytest.approx(always.performance.total_return)


def test_the_report_tells_paths_and_does_not_mix_groups_with_folds(tmp_path: Path) -> None:
    result = ow.train(MARKET, small_plan(**COMBINATORIAL), audit=False, home=tmp_path)
    paths = result.paths
    assert len(paths) == 3
    assert {"direction_auc", "sharpe", "total_return", "max_drawdown"} <= set(paths)
    content = report_content(result)
    assert (content.part, content.n_folds) == ("Group", 6)
    assert content.labels.index.tolist() == [0, 1, 2, 3]
    assert content.labels.to_numpy().sum() == len(result.oof)
    shown = page(content)
    assert shown.paths is not None
    assert [row[0].text for row in shown.paths.table.rows] == [
        "Lowest",
        "Highest",
        "Path 1",
        "Path 2",
        "Path 3",
    ]
    assert shown.scores.folds.rows[0][0].text == "Group 1"
    assert any("6 folds over 4 groups of rows" in fact for fact in shown.facts)
    assert shown.features.importance is not None
    kept = [row[3].text for row in shown.features.importance.rows]
    assert all(text.endswith("of 6") for text in kept)
    html = result.report_html()
    assert "Backtest paths" in html
    assert "Labels by group" in html


def test_other_validation_has_no_paths(tmp_path: Path) -> None:
    result = ow.train(MARKET, small_plan(), audit=False, home=tmp_path)
    assert result.paths.empty
    assert page(report_content(result)).paths is None
    assert "Backtest paths" not in result.report_html()


def test_a_search_may_have_combinatorial_outer_folds() -> None:
    search = {
        "optimization__trials": 2,
        "optimization__inner_splits": 2,
        "optimization__space": {"model.num_leaves": [2, 6]},
    }
    plan = small_plan(**COMBINATORIAL | {"validation__n_groups": 3}, **search)
    found = OptimizationCoordinator(plan, MARKET, make_trainer=make_trainer).train(MARKET)
    assert found.paths is not None
    assert (len(found.paths), len(found.folds)) == (2, 3)
    searched = plan.with_overrides({"optimization.space": {"labels.horizon_bars": [3, 6]}})
    with pytest.raises(PlanError, match="same question"):
        OptimizationCoordinator(searched, MARKET, make_trainer=make_trainer)


def test_the_learning_path_passes_its_audit() -> None:
    plan = small_plan(**COMBINATORIAL)
    trainer = make_trainer(plan, MARKET)
    report = audit_trainer(trainer, MARKET, training=trainer.train(MARKET))
    assert report.certificate().status == "passed"


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"n_groups": 4, "n_test_groups": 4}, "no group is left to train on"),
        ({"n_groups": 20, "n_test_groups": 10}, "too many combinations.* got 184,756 folds"),
        ({"n_groups": 1000, "n_test_groups": 500}, "too many combinations.* got about 2.7e299 folds"),
        ({"window": "rolling", "window_bars": 100}, "walk-forward"),
        ({"method": "purged_kfold", "n_groups": 8}, "groups belong to combinatorial"),
        ({"method": "walk_forward", "n_test_groups": 3}, "groups belong to combinatorial"),
    ],
)
def test_plans_that_contradict_themselves_are_refused(values: dict[str, Any], what: str) -> None:
    wanted = {"method": "combinatorial"} | values
    with pytest.raises(PlanError, match=what) as caught:
        small_plan(**{f"validation__{name}": value for name, value in wanted.items()})
    assert caught.value.remedy is not None
    assert caught.value.allowed is not None


def test_more_groups_than_decision_times_are_refused() -> None:
    plan = small_plan(**COMBINATORIAL | {"validation__n_groups": 900, "validation__n_test_groups": 1})
    with pytest.raises(SplitError, match="fewer decision times"):
        make_trainer(plan, MARKET).train(MARKET)
