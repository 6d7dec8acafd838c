"""What a report is made from follows from the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onward as ow
from onward.errors import StorageError
from onward.features.selection import AdvancedFeatureSelector, ledger_frame
from onward.training.reporting import importance_table, report_content
from onward.training.result import TrainingResult
from tests.unit.training.small_runs import planted, small_plan, walk


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    plan = small_plan(features__manual__families=["returns", "custom_series", "funding"])
    return ow.train(planted(600), plan, audit=False, home=tmp_path_factory.mktemp("home"))


def test_importance_is_a_share_of_the_gain_fold_by_fold(result: TrainingResult) -> None:
    table = importance_table(result.training)
    assert list(table.columns) == ["feature", "folds", "importance", "deviation", "final"]
    assert table["feature"].is_unique
    kept = {c for outcome in result.training.folds for c in outcome.predictor.fitted.output_columns}
    assert set(table["feature"]) == kept | set(result.predictor.fitted.output_columns)
    assert table["final"].sum() == pytest.approx(1.0)
    assert table["folds"].between(0, 3).all()
    weighted = (table["importance"].fillna(0) * table["folds"]).sum()
    assert weighted == pytest.approx(3.0)
    best = (table["importance"].fillna(0) * table["folds"]).to_numpy()
    assert (np.diff(best) <= 0).all()
    assert "driver" in table["feature"][0]


def test_the_ledgers_of_all_fits_are_in_one_table(result: TrainingResult) -> None:
    ledgers = result.selection
    assert ledgers.equals(report_content(result).selection)
    assert list(ledgers.columns[:5]) == ["fold", "stage", "column", "kept", "step"]
    assert list(ledgers["fold"].unique()) == [0, 1, 2, -1]
    assert set(ledgers["stage"]) == {"manual"}
    predictors = {o.fold.number: o.predictor for o in result.training.folds} | {-1: result.predictor}
    for number, predictor in predictors.items():
        (selector,) = predictor.fitted.stages
        assert isinstance(selector, AdvancedFeatureSelector)
        own = ledgers[ledgers["fold"] == number].drop(columns=["fold", "stage"]).reset_index(drop=True)
        assert own.equals(ledger_frame(selector.ledger_))
        assert tuple(own.loc[own["kept"], "column"]) == selector.columns_
        assert len(own) == result.training.dataset.features.shape[1]
        assert own["reason"].str.len().gt(0).all()


def test_without_selection_the_ledger_is_empty_and_models_without_gain_say_so(tmp_path: Path) -> None:
    untouched = {"selection__n_shifts": 200, "selection__n_information_shifts": 50, "selection__n_null": 20}
    plan = small_plan(selection__enabled=False, model__name="prior", **untouched)
    plain = ow.train(walk(300), plan, audit=False, home=tmp_path)
    content = report_content(plain)
    assert content.selection.empty
    assert plain.selection.empty
    assert {"fold", "stage", "reason"} <= set(content.selection.columns)
    assert (content.importance["importance"] == 0).all()
    assert "The model 'prior' has no use for model.n_rounds, which the plan sets." in plain.warnings
    assert all("has no use for" in warning for warning in plain.warnings)


def test_the_other_tables_agree_with_the_training(result: TrainingResult) -> None:
    content = report_content(result)
    assert content.labels.to_numpy().sum() == len(result.oof)
    assert list(content.labels.columns) == ["down", "range", "up"]
    assert set(content.disabled) == {"funding"}
    assert content.created_at == result.finished_at
    assert content.run_id == result.run_id
    assert set(content.nan_ledger["column"]) == set(result.training.dataset.features.columns)
    assert content.title == "SYNTH/USD 1h"
    assert content.plan["labels"]["horizon_bars"] == 6


def test_the_frame_of_predictions_is_one_row_a_scored_bar(result: TrainingResult) -> None:
    frame: Any = result.oof
    assert frame.index.equals(result.training.dataset.spans.index)
    assert frame[["down", "range", "up"]].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert (frame["outcome_time"] > frame["decision_time"]).all()


def test_the_report_is_one_file_or_none(result: TrainingResult, tmp_path: Path) -> None:
    written = result.report(tmp_path / "report.html")
    html = written.read_text(encoding="utf-8")
    assert html.lower().startswith("<!doctype html>")
    assert result.verdict.direction.level in html.lower()
    assert "SYNTH/USD" in html
    with pytest.raises(StorageError, match="write the report"):
        result.report(tmp_path / "missing" / "report.html")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
