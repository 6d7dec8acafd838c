"""Searches over meta-labels: class 1 means that following the primary signal pays, not that prices rise."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from onward.evaluation.backtest import backtest
from onward.evaluation.report.equity import model_signal
from onward.labels import MetaLabeler
from onward.training.acting import primary_of
from onward.training.assembly import make_trainer
from onward.training.optimization import OptimizationCoordinator
from onward.training.optimization.bench import Bench
from onward.training.optimization.objective import fold_score, fold_signals
from onward.training.optimization.records import RECORD, unpacked_sides
from onward.training.optimization.search import Search
from onward.training.optimization.space import Space, plan_of_trial
from onward.training.optimization.studies import StudyKeeper, finished
from onward.types import Fold
from tests.unit.training.small_runs import bars_from, small_plan, walk

META: dict[str, Any] = {
    "labels__method": "meta",
    "labels__signal": "mean_reversion",
    "labels__signal_bars": 12,
    "selection__null_importance": False,
    "selection__mutual_information": False,
    "optimization__trials": 2,
    "optimization__inner_splits": 2,
    "evaluation__act_above": 0.3,
}
MARKET = walk(700, seed=4)


def bench_of(space: dict[str, Any], **values: Any) -> Bench:
    plan = small_plan(**META | {"optimization__space": space} | values)
    found = Space.of(plan)
    return Bench(found, make_trainer, MARKET, make_trainer(found.plan, MARKET).labeler)


def test_a_fold_that_says_a_short_pays_is_scored_as_a_short() -> None:
    market = bars_from(100.0 * 0.99 ** np.arange(120))
    plan = small_plan(
        **META | {"labels__signal": "momentum", "optimization__space": {"model.num_leaves": [2, 3]}}
    )
    bench = Bench(Space.of(plan), make_trainer, market, make_trainer(plan, market).labeler)
    candidate = bench.candidate({"model.num_leaves": 2})
    assert candidate.primary is not None
    n = len(candidate.dataset)
    half = np.arange(n // 2, n)
    outcome: Any = SimpleNamespace(
        fold=Fold(0, np.arange(n // 2), half), probability=np.tile([0.1, 0.2, 0.7], (len(half), 1))
    )
    assert set(fold_signals(candidate, outcome)["signal"]) == {-1.0}
    assert fold_score("sharpe", candidate, outcome) > 5.0
    outcome.probability = outcome.probability[:, ::-1]
    assert set(fold_signals(candidate, outcome)["signal"]) == {0.0}


def test_trials_keep_the_side_that_was_traded() -> None:
    bench = bench_of(
        {"model.num_leaves": [2, 4]}, optimization__objective="sharpe", optimization__pruner="none"
    )
    study = StudyKeeper().open("meta")
    config = small_plan(**META, optimization__objective="sharpe", optimization__pruner="none").optimization
    everything = np.ones(len(MARKET), dtype=bool)
    Search("all rows", config, bench, everything, 1).run(study, lambda _: None)
    primary = MetaLabeler(signal="mean_reversion", signal_bars=12).signals(MARKET)
    for trial in finished(study):
        side = unpacked_sides(trial.user_attrs[RECORD]["sides"])
        told = np.isfinite(side)
        assert {-1.0, 0.0, 1.0} == set(side[told])
        acted = told & (side != 0)
        assert np.array_equal(side[acted], primary[acted])


def test_each_outer_fold_is_traded_by_the_signal_that_it_chose() -> None:
    space = {"labels.signal": ["mean_reversion", "momentum"]}
    plan = small_plan(**META | {"optimization__space": space})
    coordinator = OptimizationCoordinator(plan, MARKET, make_trainer=make_trainer)
    training = coordinator.train(MARKET)
    assert training.search is not None
    chosen = [study.chosen.parameters["labels.signal"] for study in training.search.folds]
    if len(set(chosen)) == 1:  # make one of them choose otherwise: what is tested is who is asked
        other = "momentum" if chosen[0] == "mean_reversion" else "mean_reversion"
        trials = training.search.folds[0].trials
        best = next(t for t in trials if t.parameters["labels.signal"] == other)
        object.__setattr__(training.search.folds[0], "trials", (best,))
        chosen[0] = other
    found = primary_of(training, plan)
    assert found is not None
    assert found.verdicts.all()
    bars = MARKET.index.get_indexer(training.oof.spans.index)
    for number, name in enumerate(chosen):
        rows = bars[training.oof.fold == number]
        own = MetaLabeler(signal=name, signal_bars=12).signals(MARKET)
        assert np.array_equal(found.signal[rows], own[rows], equal_nan=True)


def test_folds_with_and_without_a_primary_signal_are_traded_each_in_its_way() -> None:
    space = {"labels.method": ["threshold", "meta"]}
    plan = small_plan(**META | {"optimization__space": space})
    training = OptimizationCoordinator(plan, MARKET, make_trainer=make_trainer).train(MARKET)
    assert training.search is not None
    for study, wanted in zip(training.search.folds, ("meta", "threshold", "meta"), strict=True):
        trials = tuple(t for t in study.trials if t.parameters["labels.method"] == wanted)
        object.__setattr__(study, "trials", trials)
    found = primary_of(training, plan)
    assert found is not None
    about_price = training.oof.fold == 1
    assert np.array_equal(found.verdicts, ~about_price)
    content: Any = SimpleNamespace(
        oof=training.oof, market=MARKET, primary=found.signal, verdicts=found.verdicts, backtest=None
    )
    content.fee_bps = content.slippage_bps = 0.0
    said = model_signal(content)
    assert said.index.equals(training.oof.spans.index)
    most = training.oof.probability.argmax(axis=1) - 1
    assert np.array_equal(said["signal"].to_numpy()[about_price], most[about_price])
    bars = MARKET.index.get_indexer(training.oof.spans.index)
    followed = np.where(most > 0, np.nan_to_num(found.signal[bars]), 0.0)
    assert np.array_equal(said["signal"].to_numpy()[~about_price], followed[~about_price])
    assert backtest(MARKET, said).position.notna().any()


def test_the_plan_of_a_choice_drops_label_settings_that_it_has_no_use_for() -> None:
    plan = small_plan(**META | {"labels__signal_bars": 7})
    assert plan_of_trial(plan, {"labels.method": "threshold"}).labels.signal_bars == 24
