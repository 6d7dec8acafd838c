"""Nested searches on small markets: what they see, that they repeat themselves, how they are resumed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from onward.errors import ConfigError, PlanError, RegistryError
from onward.prediction.predictor import Predictor
from onward.training.assembly import make_trainer
from onward.training.optimization import OptimizationCoordinator, SearchedTraining, StudyKeeper
from onward.training.optimization.bench import Bench
from onward.training.optimization.crew import work_together
from onward.training.optimization.questions import OpenQuestion
from onward.training.optimization.records import trial_records
from onward.training.optimization.result import StudyResult
from onward.training.optimization.search import Search
from onward.training.optimization.space import Space
from onward.training.plan import TrainingPlan
from onward.training.single_model import SingleModelTrainer
from onward.training.trainer import FoldOutcome, TrainingRows
from onward.types import Fold, Market, ProgressEvent
from tests.unit.training.small_runs import planted, small_plan

MARKET = planted(420)
SPACE: dict[str, Any] = {
    "model.num_leaves": {"low": 2, "high": 16, "log": True},
    "model.learning_rate": {"low": 0.01, "high": 0.3, "log": True},
}
QUICK = {
    "selection__null_importance": False,
    "selection__mutual_information": False,
    "optimization__trials": 4,
    "optimization__inner_splits": 3,
    "optimization__startup_trials": 2,
}


def plan_of(space: dict[str, Any] | None = None, **values: Any) -> TrainingPlan:
    return small_plan(**{**QUICK, "optimization__space": space or SPACE, **values})


def tuned(plan: TrainingPlan, keeper: StudyKeeper | None = None, **how: Any) -> SearchedTraining:
    coordinator = OptimizationCoordinator(plan, MARKET, make_trainer=make_trainer, keeper=keeper)
    return coordinator.train(MARKET, **how)


def trials_of(training: SearchedTraining) -> list[Any]:
    assert training.search is not None
    told = training.search.to_dict()
    for study in (*told["folds"], told["final"]):
        for trial in study["trials"]:
            del trial["seconds"]
    return [told["folds"], told["final"]]


@pytest.fixture(scope="module")
def training() -> SearchedTraining:
    return tuned(plan_of())


class Watched(SingleModelTrainer):
    """Notes which spans each fit learns from, and which rows it predicts."""

    learnt: ClassVar[list[tuple[int, int]]] = []
    scored: ClassVar[list[tuple[int, int]]] = []

    def learn(self, rows: TrainingRows) -> Predictor:
        Watched.learnt += list(zip(rows.spans.start.tolist(), rows.spans.end.tolist(), strict=True))
        return super().learn(rows)

    def fit_fold(self, dataset: Any, labeler: Any, fold: Fold) -> FoldOutcome:
        outcome = super().fit_fold(dataset, labeler, fold)
        spans = dataset.spans.take(outcome.fold.test)
        Watched.scored += list(zip(spans.start.tolist(), spans.end.tolist(), strict=True))
        return outcome


def make_watched(plan: TrainingPlan, market: Market) -> SingleModelTrainer:
    trainer = make_trainer(plan, market)
    trainer.__class__ = Watched
    return trainer  # type: ignore[return-value]


@pytest.mark.parametrize(
    "space", [SPACE, {"labels.horizon_bars": [3, 12], "labels.multiplier": {"low": 0.2, "high": 0.6}}]
)
def test_no_trial_of_an_outer_fold_sees_a_label_that_touches_its_test_rows(space: dict[str, Any]) -> None:
    plan = plan_of(space, optimization__pruner="none")
    coordinator = OptimizationCoordinator(plan, MARKET, make_trainer=make_watched)
    spans = coordinator.labeler.spans(MARKET)
    fold = coordinator.splitter.folds(spans)[1]
    space_ = Space.of(plan)
    bench = Bench(space_, make_watched, MARKET, coordinator.labeler)
    allowed = np.zeros(len(MARKET), dtype=bool)
    rows = MARKET.index.get_indexer(spans.index)
    allowed[rows[fold.train]] = True
    Watched.learnt, Watched.scored = [], []
    Search("fold", plan.optimization, bench, allowed, 1).run(StudyKeeper().open("fold"), lambda _: None)
    first, last = spans.start[fold.test].min(), spans.end[fold.test].max()
    seen = np.array(Watched.learnt + Watched.scored)
    assert len(seen) > 1000
    assert not ((seen[:, 0] <= last) & (seen[:, 1] >= first)).any()
    assert isinstance(coordinator.labeler, OpenQuestion) == ("labels.horizon_bars" in space)


def test_outer_scores_are_those_of_the_chosen_plan_fitted_plainly(training: SearchedTraining) -> None:
    assert training.search is not None
    plain = OptimizationCoordinator(plan_of(), MARKET, make_trainer=make_trainer)
    for outcome, study in zip(training.folds, training.search.folds, strict=True):
        trainer = make_trainer(plain.space.plan_with(study.chosen.parameters), MARKET)
        again = trainer.fit_fold(training.dataset, trainer.labeler, outcome.fold)
        assert np.array_equal(again.probability, outcome.probability)
    final = training.search.plan(plan_of())
    assert final.optimization.trials == 0
    whole = make_trainer(final, MARKET).train(MARKET)
    rows = training.dataset.matrix(np.arange(20))
    assert np.array_equal(whole.predictor.from_matrix(rows), training.predictor.from_matrix(rows))


def test_what_trials_share_changes_no_score(training: SearchedTraining) -> None:
    assert training.search is not None
    trial = training.search.final.chosen
    plan = plan_of()
    trainer = make_trainer(Space.of(plan).plan_with(trial.parameters), MARKET)
    bench = Bench(Space.of(plan), make_trainer, MARKET, trainer.labeler)
    shared = bench.trial(dict(trial.parameters))
    folds = bench.inner_folds(shared, np.ones(len(MARKET), dtype=bool), 3)
    for fold in folds:
        alone = trainer.fit_fold(training.dataset, trainer.labeler, fold)
        for _ in range(2):
            together = shared.trainer.fit_fold(shared.dataset, shared.labeler, fold)
            assert np.array_equal(alone.probability, together.probability)
    assert bench.memory.hits > 0


def test_the_same_plan_gives_the_same_trials_and_another_seed_others(training: SearchedTraining) -> None:
    assert trials_of(tuned(plan_of())) == trials_of(training)
    assert trials_of(tuned(plan_of(training__seed=1))) != trials_of(training)


class Interrupting:
    """A progress that presses Ctrl-C after so many trials."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, event: ProgressEvent) -> None:
        self.left -= event.stage == "search" and event.done > 0
        if self.left < 0:
            raise KeyboardInterrupt


def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(
    training: SearchedTraining, tmp_path: Path
) -> None:
    keeper = StudyKeeper(directory=tmp_path)
    for after in (2, 3):
        with pytest.raises(KeyboardInterrupt):
            tuned(plan_of(), keeper, progress=Interrupting(after))
    # Killed in the middle of a trial, and of writing it down.
    study = keeper.open("fold-2")
    study.ask()
    with (tmp_path / "search.journal").open("a") as journal:
        journal.write('{"op_code": 4, "worker_id"')
    resumed = tuned(plan_of(), keeper)
    mine, whole = trials_of(resumed), trials_of(training)
    assert mine == whole
    assert np.array_equal(resumed.oof.probability, training.oof.probability)


def one_search(plan: TrainingPlan) -> tuple[OptimizationCoordinator, Search]:
    coordinator = OptimizationCoordinator(plan, MARKET, make_trainer=make_trainer)
    bench = Bench(coordinator.space, make_trainer, MARKET, coordinator.labeler)
    everything = np.ones(len(MARKET), dtype=bool)
    return coordinator, Search("all rows", plan.optimization, bench, everything, coordinator._seed(-1))


def test_a_database_serves_as_well_as_memory(training: SearchedTraining, tmp_path: Path) -> None:
    assert training.search is not None
    keeper = StudyKeeper(directory=tmp_path, url=f"sqlite:///{tmp_path / 'studies.db'}", prefix="run/")
    _, search = one_search(plan_of())
    records = search.run(keeper.open("final"), lambda _: None)
    assert [one.fold_scores for one in records] == [t.fold_scores for t in training.search.final.trials]
    assert len(keeper.open("final").trials) == 4
    with pytest.raises(ConfigError, match="storage_url"):
        StudyKeeper(url="no database").open("x")


def test_several_processes_share_a_search_and_run_no_trial_twice(tmp_path: Path) -> None:
    keeper = StudyKeeper(directory=tmp_path)
    plan = plan_of(optimization__processes=2, optimization__trials=5, optimization__pruner="none")
    _, search = one_search(plan)
    study = keeper.open("final")
    with work_together(search, make_trainer, keeper, "final", None):
        search.run(study, lambda _: None, joining=True)
    records = trial_records(study)
    assert len(records) == 5
    assert len({str(one.parameters) for one in records}) == 5


def test_time_ends_a_search_after_the_trial_at_hand() -> None:
    found = tuned(plan_of(optimization__trials=1000, optimization__seconds=1e-3))
    assert found.search is not None
    assert all(len(study.trials) == 1 for study in (*found.search.folds, found.search.final))
    assert any("Time ended 4 of 4 searches" in warning for warning in found.warnings)
    assert found.search.statistics is None


def test_labels_features_selection_and_models_are_searched_together() -> None:
    space = {
        "labels.method": ["threshold", "trend_scanning"],
        "labels.horizon_bars": [6, 9],
        "labels.min_t_value": {"low": 3.0, "high": 6.0},
        "features.manual.families": [["returns"], ["returns", "price"]],
        "selection.enabled": [True, False],
        "model.name": ["lightgbm", "logistic"],
        "model.num_leaves": {"low": 2, "high": 8},
    }
    found = tuned(plan_of(space, optimization__objective="direction_auc", optimization__trials=5))
    assert found.search is not None
    for study in found.search.folds:
        assert isinstance(study, StudyResult)
        chosen = study.chosen.parameters
        assert ("model.num_leaves" in chosen) == (chosen["model.name"] == "lightgbm")
    assert found.labeler_state["labeler"] == found.search.chosen["labels.method"]
    # Rows whose labels need a trailing volatility that is not known yet are not scored.
    place = found.dataset.spans.index.get_indexer(found.oof.spans.index)
    assert len(place) >= len(found.dataset) - 24
    assert (found.oof.spans.end <= found.dataset.spans.end[place]).all()
    assert any("chose the labels too" in warning for warning in found.warnings)
    table = found.search.leaderboard()
    assert len(table) == 5
    assert table["score"].iloc[0] == found.search.final.chosen.score
    json.dumps(found.search.to_dict(), allow_nan=False)
    again = [StudyResult.from_dict(study.to_dict()) for study in found.search.folds]
    assert [one.to_dict() for one in again] == [study.to_dict() for study in found.search.folds]


@pytest.mark.parametrize("objective", ["probability_skill", "range_auc", "sharpe"])
def test_every_objective_is_a_score_of_inner_folds(objective: str) -> None:
    found = tuned(plan_of(optimization__objective=objective, optimization__trials=2, validation__n_splits=2))
    assert found.search is not None
    assert all(np.isfinite(trial.score) for trial in found.search.final.trials)


def test_ensembles_are_searched_like_single_models() -> None:
    space = {"ensemble.n_estimators": [2, 3], "model.num_leaves": [2, 4]}
    plan = plan_of(
        space,
        ensemble__method="bagging",
        ensemble__out_of_bag=False,
        validation__n_splits=2,
        optimization__inner_splits=2,
    )
    found = tuned(plan)
    assert found.search is not None
    assert {t.parameters["ensemble.n_estimators"] for t in found.search.final.trials} == {2, 3}
    assert len(found.search.final.trials) == 4


def test_when_no_trial_can_be_judged_the_first_reason_is_told() -> None:
    with pytest.raises(PlanError, match="no trial of the search could be judged") as refused:
        tuned(plan_of({"labels.min_return": [0.5, 0.6]}, labels__method="triple_barrier"))
    assert "no row crosses a barrier" in str(refused.value.got)


@pytest.mark.slow
def test_a_killed_run_is_resumed_from_the_command_line(tmp_path: Path) -> None:
    import onward as ow
    from onward.settings import load_settings
    from onward.wiring import build_application

    bars = MARKET.bars.reset_index().drop(columns="symbol").rename(columns={"open_time": "date"})
    bars.to_csv(tmp_path / "bars.csv", index=False)
    plan = plan_of().with_overrides({"data.symbols": ["X/USD"], "data.timeframe": "1h"})
    (tmp_path / "plan.toml").write_text(plan.to_toml())
    home = tmp_path / "home"
    command = [sys.executable, "-m", "onward", "tune", str(tmp_path / "plan.toml"), "--no-audit", "--json"]
    command += ["--data", str(tmp_path / "bars.csv"), "--home", str(home)]
    victim = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not list(home.glob("runs/*/search.journal")):
        time.sleep(0.02)
    victim.kill()
    victim.wait()
    runs = build_application(load_settings(home=home)).runs
    run = runs.list(kind="tune")[0]
    assert run.record.status == "failed", "its program is gone"
    done = subprocess.run([*command, "--resume", run.id], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["run"] == run.id
    assert len(told["search"]["final"]["trials"]) == 4
    assert (
        json.loads((home / "runs" / run.id / "search.json").read_text())["chosen"] == told["search"]["chosen"]
    )
    assert "best first" in (home / "runs" / run.id / "report.html").read_text()
    assert runs.get(run.id).record.status == "succeeded"
    market = ow.read_market(tmp_path / "bars.csv", timeframe="1h", symbol="X/USD")
    with pytest.raises(PlanError, match="is finished"):
        ow.tune(market, plan, resume=run.id, home=home)
    with pytest.raises(RegistryError):
        ow.tune(market, plan, resume="20990101", home=home)


@pytest.mark.slow
def test_a_run_is_resumed_with_its_own_plan_and_data_only(tmp_path: Path) -> None:
    import onward as ow

    with pytest.raises(KeyboardInterrupt):
        ow.tune(MARKET, plan_of(), home=tmp_path, audit=False, progress=Interrupting(0))
    run = next((tmp_path / "runs").iterdir()).name
    with pytest.raises(PlanError, match="another plan"):
        ow.tune(MARKET, plan_of(optimization__trials=9), resume=run, home=tmp_path)
    with pytest.raises(PlanError, match="other data"):
        ow.tune(planted(421), plan_of(), resume=run, home=tmp_path)
    result = ow.tune(MARKET, plan_of(), resume=run, home=tmp_path)
    assert result.run_id == run
    assert result.certificate.status == "passed", result.certificate.findings
    assert result.search is not None
    version = result.save("tuned")
    assert len(ow.load_model(version.ref, home=tmp_path).predict(MARKET)) == len(MARKET)


def test_looks_count_the_run_and_not_its_trials() -> None:
    looks: list[int] = []

    def look() -> int:
        looks.append(1)
        return 5

    found = tuned(plan_of(), looks=look)
    assert looks == [1]
    assert found.judgement.verdict.direction.n_looked_at == 5
