"""What stands behind the scores: found where it was planted, said where it cannot be, and harmless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onward as ow
from onward.evaluation.importance_clusters import correlation_clusters
from onward.evaluation.importance_folds import FoldRows, importance_of_folds
from onward.evaluation.information import information_coefficient
from onward.evaluation.realised import realised_return
from onward.training.acting import primary_of
from onward.training.diagnosing import diagnose
from onward.training.fold_views import FoldViews, evenly_spread
from onward.training.gains import gain_table, ranked_columns
from onward.training.outcomes import Training
from onward.training.result import TrainingResult
from tests.unit.training.small_runs import panel, planted, small_plan, walk

OFF = {"evaluation__importance": False, "evaluation__drift": False, "evaluation__adversarial": False}
FAMILIES = {"features__manual__families": ["returns", "temporal", "custom_series"]}


def trained(tmp_path: Path, market: Any = None, **overrides: Any) -> TrainingResult:
    plan = small_plan(**FAMILIES, **overrides)
    return ow.train(planted() if market is None else market, plan, audit=False, home=tmp_path)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return trained(tmp_path_factory.mktemp("home"))


def settings(**values: Any) -> Any:
    return small_plan(**{f"evaluation__{name}": value for name, value in values.items()}).evaluation


def files_of(directory: Path) -> dict[str, bytes]:
    every = sorted(p for p in directory.rglob("*") if p.is_file())
    return {p.relative_to(directory).as_posix(): p.read_bytes() for p in every}


@pytest.mark.parametrize(
    "ensemble",
    [
        {},
        pytest.param({"ensemble__method": "bagging", "ensemble__n_estimators": 3}, marks=pytest.mark.slow),
    ],
)
def test_it_changes_neither_predictions_nor_verdict_nor_any_file_of_the_model(
    tmp_path: Path, ensemble: dict[str, Any]
) -> None:
    with_it = trained(tmp_path / "with", **ensemble)
    without = trained(tmp_path / "without", **OFF, **ensemble)
    assert with_it.diagnosis.importance is not None
    assert without.diagnosis.importance is None
    assert with_it.plan.content_hash == without.plan.content_hash
    assert with_it.oof.equals(without.oof)
    assert with_it.scores.to_dict() == without.scores.to_dict()
    assert with_it.verdict.to_dict() == without.verdict.to_dict()
    left, right = files_of(with_it.save("m").directory), files_of(without.save("m").directory)
    assert left.keys() == right.keys()
    tells = {"manifest.json", "card.md", "report.html"}  # what they say of the run: hour, run, settings
    assert len(left.keys() - tells) >= 3
    assert all(left[name] == right[name] for name in left.keys() - tells)
    told = [json.loads(files["manifest.json"]) for files in (left, right)]
    for one in told:
        for name in ("importance", "drift", "adversarial"):
            del one["plan"]["evaluation"][name]
        assert set(one) >= {"scores", "verdicts", "features"}
    for name in ("scores", "verdicts", "features", "plan", "plan_hash", "data_hash"):
        assert told[0][name] == told[1][name]


def test_the_planted_driver_is_missed_most_and_every_figure_repeats(result: TrainingResult) -> None:
    best = result.importance.iloc[0]
    assert best["score"] == "log_loss_skill"
    assert best["subject"].startswith("manual__driver")
    assert best["decrease"] > 0
    again = diagnose(result.training, result.plan.evaluation, n_threads=1)
    assert again.to_dict() == result.diagnosis.to_dict()
    json.dumps(again.to_dict(), allow_nan=False)


def test_importance_is_that_of_the_kernels_on_what_each_model_sees(result: TrainingResult) -> None:
    training = result.training
    rows = [
        FoldRows(
            o.fold.number,
            o.predictor.model.predict_proba,
            o.predictor.fitted.transform(training.dataset.matrix(o.fold.test)),
            o.y,
            training.dataset.spans.take(o.fold.test),
            o.prior,
        )
        for o in training.folds
    ]
    assert result.diagnosis.importance is not None
    found = result.diagnosis.importance.folds
    (driver,) = {s for s in found["subject"] if s == "manual__driver"}
    expected = importance_of_folds(rows, groups={driver: [driver]}, n_repeats=3)
    own = found[found["subject"] == driver].reset_index(drop=True)
    np.testing.assert_allclose(own["decrease"], expected["decrease"], rtol=1e-9, atol=1e-12)


def test_tables_speak_of_every_fold_and_of_columns_that_models_see(result: TrainingResult) -> None:
    found = result.diagnosis
    assert found.folds == (0, 1, 2)
    assert set(found.gain["fold"]) == {0, 1, 2, -1}
    assert found.gain.groupby("fold")["importance"].sum().to_numpy() == pytest.approx(1.0)
    for number, part in found.drift.groupby("fold"):
        seen = result.training.folds[int(str(number))].predictor.fitted.output_columns
        assert set(part["column"]) <= set(seen)
    assert result.drift["column"].is_unique
    assert set(result.drift["column"]) == set(found.drift["column"])
    assert list(result.adversarial["fold"]) == [0, 1, 2]
    calendar = {c for c in found.gain["column"] if "hour" in c or "weekday" in c or "month" in c}
    assert not calendar & {name for top in result.adversarial["top"] for name in top}
    assert result.stability is not None
    assert result.stability.n_folds == 3
    assert result.information is None


def test_clusters_are_of_columns_that_resemble_each_other(result: TrainingResult) -> None:
    found = result.diagnosis.importance
    assert found is not None
    assert found.clusters
    assert all(len(members) > 1 and members[0] == name for name, members in found.clusters.items())
    assert set(found.cluster_summary["subject"]) == set(found.clusters)
    views = FoldViews(result.training)
    outcomes = {o.fold.number: o for o in result.training.folds}
    columns = views.columns(outcomes, ranked_columns(gain_table(result.training)), 2_000)
    assert len(columns) == len(result.training.dataset)
    every = correlation_clusters(columns)
    assert {name: members for name, members in every.items() if len(members) > 1} == dict(found.clusters)


def test_bounds_are_kept_and_said(result: TrainingResult) -> None:
    found = diagnose(
        result.training, settings(importance_columns=2, drift_columns=1, explained_folds=2), n_threads=1
    )
    assert found.folds == (0, 2)
    assert found.importance is not None
    assert found.importance.folds["subject"].nunique() == 2
    assert len(found.importance.clusters) <= 2
    assert (found.drift.groupby("fold").size() == 1).all()
    assert any("Of 3 folds, 2" in note for note in found.notes)
    assert any("2 of" in note and "largest gain" in note for note in found.notes)


def test_each_part_can_be_switched_off(result: TrainingResult) -> None:
    for name in ("importance", "drift", "adversarial"):
        found = diagnose(result.training, settings(**{name: False}), n_threads=1)
        assert (found.importance is None) == (name == "importance")
        assert found.drift.empty == (name == "drift")
        assert found.adversarial.empty == (name == "adversarial")
        assert found.stability is not None


def test_what_cannot_be_measured_is_said_once(tmp_path: Path) -> None:
    few = trained(
        tmp_path, walk(200), validation__n_splits=3, labels__horizon_bars=20, selection__enabled=False
    )
    assert few.diagnosis.adversarial.empty
    assert few.diagnosis.importance is None
    assert few.importance.empty
    assert not few.drift.empty
    (said,) = [note for note in few.diagnosis.notes if note.startswith("Permutation importance could")]
    assert "folds 1, 2, 3" in said
    assert "too few" in said
    html = few.report_html()
    assert "Permutation importance could not be measured" in html


def test_a_model_without_gain_is_looked_at_all_the_same(tmp_path: Path) -> None:
    plain = trained(tmp_path, walk(400), model__name="prior", selection__enabled=False)
    assert plain.stability is None
    assert plain.diagnosis.importance is not None
    assert (plain.importance["decrease"].abs() < 1e-12).all()  # it looks at no column
    assert any("that come first" in note for note in plain.diagnosis.notes)
    assert "No column is missed" in plain.report_html()


def test_symbols_are_compared_where_there_are_three(tmp_path: Path) -> None:
    from onward.testing.markets import random_walk

    three = trained(tmp_path / "3", random_walk(300, symbols=("A", "B", "C")))
    assert three.information is not None
    assert three.information.across == "symbols"
    assert three.information.summary.loc["rank_ic", "n_moments"] > 200
    assert three.diagnosis.to_dict()["information"]["ic"]["n_moments"] > 200
    two = trained(tmp_path / "2", panel())
    assert two.information is None
    assert any("information coefficient could not be measured" in note for note in two.diagnosis.notes)


def test_the_information_of_meta_labels_is_about_the_price(tmp_path: Path) -> None:
    from onward.testing.markets import random_walk

    market = random_walk(300, symbols=("A", "B", "C"))
    meta = {"labels__method": "meta", "labels__signal": "mean_reversion", "labels__signal_bars": 12}
    result = trained(tmp_path, market, **meta, evaluation__act_above=0.0)
    oof, primary = result.training.oof, primary_of(result.training, result.plan)
    assert primary is not None
    side = primary.signal[market.index.get_indexer(oof.spans.index)]
    assert {-1.0, 1.0} <= set(side)
    loses, _, pays = oof.probability.T
    expected = information_coefficient(
        side * (pays - np.minimum(loses, pays)), realised_return(market, oof.spans), oof.spans
    )
    naive = information_coefficient(pays - loses, realised_return(market, oof.spans), oof.spans)
    assert result.information is not None
    found = result.information.summary.loc["rank_ic", "mean"]
    assert found == pytest.approx(expected.summary.loc["rank_ic", "mean"])
    assert found != pytest.approx(naive.summary.loc["rank_ic", "mean"])


def test_folds_are_spread_evenly() -> None:
    assert evenly_spread(3, 8).tolist() == [0, 1, 2]
    assert evenly_spread(53, 5).tolist() == [0, 13, 26, 39, 52]
    assert evenly_spread(5, 1).tolist() == [4]


def test_the_views_of_a_fold_are_its_own_rows(result: TrainingResult) -> None:
    training: Training = result.training
    view = FoldViews(training).of(training.folds[1])
    fold = training.folds[1].fold
    assert view.test.index.equals(training.dataset.spans.index[fold.test])
    np.testing.assert_array_equal(view.test_spans.end, training.dataset.spans.end[fold.test])
    assert tuple(view.train.columns) == training.folds[1].predictor.fitted.output_columns
    probability = training.folds[1].predictor.model.predict_proba(view.test)
    np.testing.assert_array_equal(probability, training.folds[1].probability)
