"""Ensembles in a training: what they learn from, what is told of them, and how they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import onward as ow
from onward.ensembles import BaggedModel, CalibratedModel, StackedModel, VotingModel, out_of_bag
from onward.errors import ModelError, PlanError, SplitError
from onward.prediction.predictor import Predictor
from onward.training.assembly import make_model, make_trainer, plan_cautions
from onward.training.ensemble_trainer import EnsembleTrainer
from onward.training.single_model import SingleModelTrainer
from onward.training.trainer import Training, TrainingRows
from tests.unit.training.small_runs import panel, planted, small_plan, walk

MARKET = planted(500)
WALK = walk(500)
TWO = {"ensemble__members": ["lightgbm", "logistic"], "ensemble__parameters__logistic__max_passes": 20}
STACK = {"ensemble__method": "stacking", "training__inner_folds": 2, **TWO}
BAGS = {"ensemble__method": "bagging", "ensemble__n_estimators": 3}
VOTE = {"ensemble__method": "voting", "ensemble__votes": "score", "training__inner_folds": 2, **TWO}


def trainer_of(**overrides: Any) -> EnsembleTrainer:
    trainer = make_trainer(small_plan(**overrides), MARKET)
    assert isinstance(trainer, EnsembleTrainer)
    return trainer


def rows_of(trainer: Any, market: ow.Market = MARKET) -> TrainingRows:
    """The rows of the final fit."""
    caught: list[TrainingRows] = []
    learn = trainer.learn

    def catch(rows: TrainingRows) -> Predictor:
        caught.append(rows)
        return learn(rows)  # type: ignore[no-any-return]

    trainer.learn = catch
    trainer.train(market)
    trainer.learn = learn
    return caught[-1]


@pytest.fixture(scope="module")
def trained() -> dict[str, Training]:
    return {
        name: trainer_of(**plan).train(MARKET)
        for name, plan in (("stack", STACK), ("bags", BAGS), ("vote", VOTE))
    }


def test_the_plan_chooses_the_trainer_and_every_value_arrives() -> None:
    plan = small_plan(
        **STACK,
        ensemble__passthrough=True,
        ensemble__meta_parameters__penalty=0.2,
        ensemble__parameters__lightgbm__num_leaves=9,
        model__lambda_l2=3.0,
        labels__weights="uniqueness",
        labels__time_decay=0.5,
        training__calibration="sigmoid",
        validation__embargo=12,
    )
    trainer = make_trainer(plan, MARKET)
    assert isinstance(trainer, EnsembleTrainer)
    stack = trainer.new_model(7)
    assert isinstance(stack, StackedModel)
    assert (stack.members, stack.passthrough, stack.seed, stack.n_threads) == (
        ("lightgbm", "logistic"),
        True,
        7,
        1,
    )
    booster, linear = (model.get_params() for model in stack.new_members(1))  # type: ignore[attr-defined]
    assert (booster["num_leaves"], booster["lambda_l2"], booster["n_rounds"]) == (9, 3.0, 5)
    assert linear["max_passes"] == 20
    assert stack.meta_parameters == {"penalty": 0.2}
    assert (trainer.weights, trainer.time_decay, trainer.calibration) == ("uniqueness", 0.5, "sigmoid")
    assert trainer.inner.n_splits == 2  # type: ignore[attr-defined]
    assert trainer.inner.embargo == 12  # type: ignore[attr-defined]
    assert isinstance(make_model(small_plan(**VOTE))(0), VotingModel)
    assert isinstance(make_trainer(small_plan(), MARKET), SingleModelTrainer)


def test_a_bag_without_members_is_of_the_plans_model() -> None:
    bags = make_model(small_plan(**BAGS, model__name="logistic", model__extra__penalty=0.3))(0)
    assert isinstance(bags, BaggedModel)
    assert bags.members == ("logistic",)
    assert bags.new_estimator(0).get_params()["penalty"] == 0.3  # type: ignore[attr-defined]


def test_everything_that_predicts_inner_rows_is_fitted_without_them() -> None:
    trainer = trainer_of(**STACK, labels__weights="uniqueness")
    rows = rows_of(trainer)
    ensemble = trainer.new_model(rows.seed)
    inner = trainer._predict_inner(ensemble, rows)
    assert inner.rows.tolist() == list(range(len(rows)))
    fold = inner.folds[0]
    y = rows.y.copy()
    y[fold.test] = -y[fold.test]
    X = rows.X.copy()
    noise = np.random.default_rng(0).normal(size=(len(fold.test) - 1, X.shape[1])).astype(np.float32)
    X.iloc[fold.test[:-1]] = noise
    other = TrainingRows(X, y, rows.spans, rows.weight, rows.seed, rows.weighing)
    again = trainer._predict_inner(ensemble, other)
    last = inner.rows == fold.test[-1]
    np.testing.assert_array_equal(again.probability[:, last], inner.probability[:, last])
    assert not np.array_equal(again.probability[:, inner.fold == 1], inner.probability[:, inner.fold == 1])


def test_a_stack_is_told_with_its_members_on_the_same_rows(trained: dict[str, Training]) -> None:
    record = trained["stack"].learning
    assert record is not None
    assert (record.method, record.scored_on, record.n_rows) == (
        "stacking",
        "inner folds",
        len(trained["stack"].labels),
    )
    assert [member.name for member in record.members] == ["lightgbm", "logistic"]
    assert record.combined is not None
    assert {m.metrics.n for m in record.members if m.metrics} == {record.n_scored} == {record.combined.n}
    frame = record.frame()
    assert list(frame.index) == ["lightgbm", "logistic", "stacking"]
    assert frame["direction_auc"].notna().all()
    assert record.to_dict()["members"][0]["scores"]["n"] == record.n_scored
    assert trained["stack"].predictor.learning is record


def test_bags_are_scored_on_rows_outside_them(trained: dict[str, Training]) -> None:
    training = trained["bags"]
    record = training.learning
    assert record is not None
    assert record.scored_on == "out of bag"
    model = training.predictor.model
    assert isinstance(model, BaggedModel)
    spans = training.labels.spans
    outside = [out_of_bag(spans, bag) for bag in model.bags(spans, training.labels.y)]
    assert 0 < record.n_scored == np.any(outside, axis=0).sum() < len(spans)
    assert record.combined is not None
    assert record.combined.n == record.n_scored
    silent = trainer_of(**BAGS, ensemble__out_of_bag=False).train(MARKET).learning
    assert silent is not None
    assert (silent.n_scored, silent.combined) == (0, None)


def test_bags_that_leave_nothing_out_say_so() -> None:
    record = (
        trainer_of(**BAGS, ensemble__bootstrap="sequential", ensemble__sample_share=1.0)
        .train(MARKET)
        .learning
    )
    assert record is not None
    assert (record.n_scored, record.scored_on, record.combined) == (0, "nothing", None)
    assert record.frame()["direction_auc"].isna().all()


def test_bags_without_fitted_stages_are_scored_as_they_are() -> None:
    record = trainer_of(**BAGS, selection__enabled=False).train(MARKET).learning
    assert record is not None
    assert record.n_scored > 0


def test_votes_by_score_are_weights_of_skill(trained: dict[str, Training]) -> None:
    record = trained["vote"].learning
    assert record is not None
    gained = np.array([max(m.metrics.log_loss_skill, 0.0) for m in record.members if m.metrics])
    shares = np.array([m.share for m in record.members])
    expected = gained / gained.sum() if gained.sum() > 0 else np.full(2, 0.5)
    np.testing.assert_allclose(shares, expected, atol=1e-9)


def test_calibration_is_the_same_for_one_model_and_for_many() -> None:
    calibrated = {"training__calibration": "temperature", "training__inner_folds": 2}
    for plan in ({}, {**BAGS, "ensemble__n_estimators": 2}):
        trainer = make_trainer(small_plan(**plan, **calibrated), MARKET)
        training = trainer.train(MARKET)
        model = training.predictor.model
        assert isinstance(model, CalibratedModel)
        record = training.learning
        assert record is not None
        assert record.calibration is not None
        assert record.calibration.method == "temperature"
        assert record.calibration.n_rows == len(training.labels)
        assert record.calibration.effective_n < 0.2 * len(training.labels)
        plain = make_trainer(small_plan(**plan), MARKET).train(MARKET)
        X = training.dataset.matrix(np.arange(50))
        raw = plain.predictor.from_matrix(X)
        np.testing.assert_array_equal(model.calibrator_.transform(raw), training.predictor.from_matrix(X))


def test_a_calibrated_stack_names_the_folds_inside_its_folds() -> None:
    trainer = trainer_of(**STACK, training__calibration="sigmoid")
    training = trainer.train(WALK)
    record = training.learning
    assert record is not None
    assert len(record.inner) == 2 + 2 + 2 * 2
    spans = training.labels.spans
    for fold in record.inner:
        assert len(np.intersect1d(fold.train, fold.test)) == 0
        assert spans.end[fold.train[-1]] < spans.start[fold.test[0]] or fold.train[-1] > fold.test[-1]


@pytest.mark.parametrize("plan", [STACK, BAGS, VOTE], ids=["stack", "bags", "vote"])
def test_two_runs_give_the_same_bundle_byte_for_byte(
    plan: dict[str, Any], tmp_path: Path, trained: dict[str, Training]
) -> None:
    first = trained[{"stacking": "stack", "bagging": "bags", "voting": "vote"}[plan["ensemble__method"]]]
    second = trainer_of(**plan).train(MARKET)
    contents = []
    for number, training in enumerate((first, second)):
        folder = tmp_path / str(number)
        training.predictor.model.save(folder)
        contents.append({p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()})
    assert contents[0] == contents[1]
    assert first.predictor.state() == second.predictor.state()


def test_a_published_ensemble_predicts_as_it_did(tmp_path: Path) -> None:
    plan = small_plan(**STACK, training__calibration="sigmoid")
    result = ow.train(WALK, plan, home=tmp_path, audit=False)
    version = result.save("stacked")
    assert version.manifest.model == "stacking (lightgbm, logistic)"
    assert result.learning is not None
    assert "stacking" in result.report_html()
    loaded = ow.load_model(version.ref, home=tmp_path)
    pd.testing.assert_frame_equal(loaded.predict(WALK), result.predictor.batch(WALK), check_exact=True)
    assert loaded.predictor.importance().sum() == pytest.approx(result.predictor.importance().sum())


@pytest.mark.slow
def test_rows_that_decay_to_nothing_are_passed_over() -> None:
    decayed = {"labels__time_decay": -0.4, "training__calibration": "temperature"}
    for plan in (STACK, BAGS, VOTE):
        training = make_trainer(small_plan(**plan, **decayed), WALK).train(WALK)
        record = training.learning
        assert record is not None
        assert record.calibration is not None
        assert record.calibration.effective_n < len(training.labels) / 7 * 0.75  # the newest 60 % and some


def test_a_panel_is_learnt_from_with_all_symbols_of_a_moment_on_one_side() -> None:
    market = panel(260)
    plan = small_plan(**STACK, labels__weights="return", features__manual__families=["returns"])
    training = make_trainer(plan, market).train(market)
    record = training.learning
    assert record is not None
    for fold in record.inner:
        start = training.labels.spans.start
        assert not np.isin(start[fold.train], start[fold.test]).any()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ensemble__members": []}, ["ensemble.members", "too few members", "ensemble.method to none"]),
        ({"ensemble__members": ["lightgbm"]}, ["too few members", "2 different models"]),
        ({"ensemble__members": ["lightgbm", "lightgbm"]}, ["twice"]),
        ({"ensemble__members": ["lightgbm", "logistik"]}, ["ensemble.members", "Did you mean 'logistic'?"]),
        ({"ensemble__members": ["lightgbm", "stacking"]}, ["no model of this name"]),
        ({"ensemble__meta": "logistik"}, ["ensemble.meta", "Did you mean 'logistic'?"]),
        ({"ensemble__meta_parameters__penality": 1}, ["meta_parameters.penality", "Did you mean penalty?"]),
        ({"ensemble__meta_parameters__seed": 1}, ["training.seed"]),
        ({"ensemble__parameters__mlp__x": 1}, ["no member", "ensemble.parameters.mlp"]),
        ({"ensemble__parameters__lightgbn__x": 1}, ["Did you mean lightgbm?"]),
        ({"ensemble__parameters__lightgbm__num_leafs": 1}, ["Did you mean num_leaves?"]),
        ({"ensemble__parameters__lightgbm__n_threads": 1}, ["Set training.n_threads"]),
        ({"ensemble__parameters": {"lightgbm": 3}}, ["no table", "ensemble.parameters.lightgbm"]),
        ({"model__name": "prior", "model__extra__x": 3}, ["model.extra", "ensemble.parameters"]),
        ({"model__extra__num_leafs": 3}, ["model.extra.num_leafs", "Did you mean num_leaves?"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_refused_before_anything_is_computed(
    changes: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(PlanError) as caught:
        make_trainer(small_plan(**{**STACK, **changes}), MARKET)
    for word in words:
        assert word in str(caught.value)
    assert caught.value.got
    assert caught.value.remedy


def test_folds_that_leave_no_room_for_folds_are_refused_before_features() -> None:
    plan = {**STACK, "labels__horizon_bars": 60, "training__inner_folds": 4, "ensemble__passthrough": True}
    trainer = trainer_of(**plan)
    trainer.pipeline = None  # type: ignore[assignment]
    with pytest.raises(SplitError, match="inside fold") as caught:
        trainer.train(walk(300))
    assert "training.inner_folds" in str(caught.value)


def test_isotonic_needs_outcomes_and_says_so_before_features() -> None:
    trainer = make_trainer(small_plan(training__calibration="isotonic"), MARKET)
    trainer.pipeline = None  # type: ignore[assignment]
    with pytest.raises(ModelError, match="too few independent outcomes") as caught:
        trainer.train(MARKET)
    assert "training.calibration" in str(caught.value)


def test_settings_that_count_for_nothing_are_told() -> None:
    assert plan_cautions(small_plan(**STACK), MARKET) == ()
    (sentence,) = plan_cautions(small_plan(ensemble__n_estimators=5, ensemble__meta="prior"), MARKET)
    assert "ensemble.n_estimators, ensemble.meta" in sentence
    members = {"ensemble__members": ["logistic", "prior"], "ensemble__parameters": {}}
    first, *_ = plan_cautions(small_plan(**{**STACK, **members}), MARKET)
    assert "model.n_rounds" in first
