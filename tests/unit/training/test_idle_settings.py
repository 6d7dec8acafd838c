"""Settings that do nothing are told: every setting of a plan either always counts or has a rule."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.config.layers import field_paths
from onward.evaluation.backtest import BacktestSettings
from onward.evaluation.backtest.signals import aligned
from onward.evaluation.backtest.sizing import target_positions
from onward.training.assembly import make_labeler, plan_cautions
from onward.training.idle_rules import RULES, is_idle
from onward.training.idle_settings import idle_settings, read_setting
from onward.training.plan import TrainingPlan
from tests.unit.training.small_runs import panel, walk

MARKET = walk(300)

IDLE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a border beside its mode": (
        {"labels.mode": "volatility"},
        {"labels.threshold": 0.02, "labels.quantile": 0.4},
    ),
    "deviations beside a fixed border": (
        {"labels.mode": "fixed"},
        {"labels.multiplier": 0.9, "labels.window_bars": 50},
    ),
    "a window beside a fixed CUSUM": (
        {
            "labels.mode": "fixed",
            "labels.events": "cusum",
            "labels.cusum_mode": "fixed",
            "labels.cusum_threshold": 0.01,
        },
        {"labels.window_bars": 50},
    ),
    "units beside fixed barriers": (
        {"labels.method": "triple_barrier", "labels.mode": "fixed"},
        {"labels.unit": "bar", "labels.estimator": "ewm", "labels.window_bars": 50},
    ),
    "ties of closes": ({"labels.method": "triple_barrier"}, {"labels.tie": "drop"}),
    "ties of one barrier": (
        {
            "labels.method": "triple_barrier",
            "labels.side": "long",
            "labels.stop": 0.0,
            "labels.price": "high_low",
        },
        {"labels.tie": "drop"},
    ),
    "bars of a signal of one's own": (
        {"labels.method": "meta", "labels.signal": "series:mine"},
        {"labels.signal_bars": 9},
    ),
    "a set beside calculators": (
        {"features.tsfresh.parameters": {"mean": None}},
        {"features.tsfresh.set": "minimal"},
    ),
    "a relevance test that is off": (
        {"features.tsfresh.relevance": False},
        {
            "features.tsfresh.fdr_level": 0.1,
            "features.tsfresh.hypotheses_independent": True,
            "features.tsfresh.feature_count_limit": 9,
        },
    ),
    "a threshold beside a width": (
        {"features.stages": ["fracdiff"], "features.fracdiff.width": 50},
        {"features.fracdiff.threshold": 1e-3},
    ),
    "selection that is off": (
        {"selection.enabled": False},
        {"selection.z": 2.0, "selection.max_features": 9},
    ),
    "constants that stay": ({"selection.constant": False}, {"selection.min_known": 0.1}),
    "twins that stay": ({"selection.duplicates": False}, {"selection.near_duplicate": 0.9}),
    "clusters that stay": (
        {"selection.correlation": 1.0},
        {"selection.correlation_method": "pearson"},
    ),
    "costs that nothing compares": (
        {"selection.correlation": 1.0, "selection.duplicates": False},
        {"selection.costs": {"tsfresh": 4.0}},
    ),
    "evidence that nobody asks for": (
        {"selection.relevance": False, "selection.mutual_information": False},
        {
            "selection.z": 2.0,
            "selection.false_discovery_rate": 0.2,
            "selection.range_share": 0.1,
            "selection.n_bins": 4,
        },
    ),
    "shifts that nothing is compared with": (
        {
            "selection.relevance": False,
            "selection.mutual_information": False,
            "selection.null_importance": False,
        },
        {"selection.n_shifts": 99, "selection.min_features": 3, "selection.n_null": 9},
    ),
    "folds that nothing is judged on": ({}, {"training.inner_folds": 3}),
    "members that nobody judges": (
        {"ensemble.method": "voting", "ensemble.members": ["lightgbm", "logistic"]},
        {"training.inner_folds": 3},
    ),
    "folds of groups": ({"validation.method": "combinatorial"}, {"validation.n_splits": 7}),
    "folds of steps": (
        {"validation.method": "walk_forward", "validation.step": "3d"},
        {"validation.n_splits": 7},
    ),
    "a search without trials": (
        {},
        {
            "optimization.space": {"model.num_leaves": [2, 4]},
            "optimization.seconds": 60,
            "optimization.objective": "sharpe",
        },
    ),
    "a start of trials that are random anyway": (
        {"optimization.trials": 4, "optimization.sampler": "random"},
        {"optimization.startup_trials": 2},
    ),
    "sizes beside a fixed one": (
        {},
        {
            "evaluation.kelly_fraction": 0.2,
            "evaluation.target_volatility": 0.1,
            "evaluation.volatility_window_bars": 50,
        },
    ),
    "Kelly beside a target": (
        {"evaluation.sizing": "volatility_target"},
        {"evaluation.kelly_fraction": 0.2},
    ),
    "a target beside Kelly": ({"evaluation.sizing": "kelly"}, {"evaluation.target_volatility": 0.1}),
    "verdicts on nothing": ({}, {"evaluation.act_above": 0.4}),
    "explanations that are off": (
        {"evaluation.importance": False, "evaluation.drift": False, "evaluation.adversarial": False},
        {
            "evaluation.explained_folds": 3,
            "evaluation.importance_columns": 9,
            "evaluation.importance_rows": 200,
            "evaluation.importance_repeats": 2,
            "evaluation.cluster_correlation": 0.9,
            "evaluation.drift_columns": 9,
            "evaluation.adversarial_rows": 200,
            "evaluation.adversarial_placebos": 2,
        },
    ),
    "one symbol's capital": ({}, {"evaluation.capital": "restored"}),
    "funding that nobody pays": ({}, {"evaluation.pay_funding": False}),
}

COUNT = {
    "data": {"symbols", "timeframe", "timerange", "series"},
    "labels": {
        *("method", "mode", "horizon_bars", "profit", "stop", "side", "min_return", "price", "vertical"),
        *("shortest_bars", "step_bars", "min_t_value", "signal", "events", "cusum_mode"),
        *("cusum_threshold", "weights", "time_decay"),
    },
    "selection": {"enabled"},
    "validation": {
        *("method", "embargo", "window", "window_bars", "step", "initial", "min_train_rows"),
        *("n_groups", "n_test_groups"),
    },
    "optimization": {"trials"},
    "evaluation": {
        *("fee_bps", "slippage_bps", "fill", "pay_funding", "sides", "sizing", "position_size"),
        *("max_position", "size_step", "min_change", "max_drift", "capital", "n_shifts"),
        *("importance", "drift", "adversarial"),
    },
    "training": {"seed", "n_threads", "calibration"},
}
"""Settings that always count, or are refused where the chosen method does not take them."""


@pytest.mark.parametrize("case", IDLE)
def test_settings_that_do_nothing_are_told(case: str) -> None:
    beside, idle = IDLE[case]
    plan = TrainingPlan().with_overrides({**beside, **idle})
    told = plan_cautions(plan, MARKET)
    parts = [re.split(r"ha(?:s|ve) no use for ", sentence) for sentence in told]
    named = [word.strip(",:") for _, part in parts for word in part.split()]
    assert {name for name in named if name in field_paths(TrainingPlan)} >= set(idle)
    for name in idle:
        assert sum(f"{name}," in sentence or f" {name} " in sentence for sentence in told) == 1, name
    settled = plan_cautions(TrainingPlan().with_overrides(beside), MARKET)
    assert settled == ()


def test_every_rule_has_a_case() -> None:
    plans = [TrainingPlan().with_overrides({**beside, **idle}) for beside, idle in IDLE.values()]
    for rule in RULES:
        assert any(rule.idle(partial(read_setting, plan)) for plan in plans), rule


def test_every_setting_always_counts_or_has_a_rule() -> None:
    ruled = {name for rule in RULES for name in rule.settings}
    elsewhere = ("model.", "ensemble.", "features.")  # from what the model, ensemble or stage takes
    for path in field_paths(TrainingPlan):
        section, _, name = path.partition(".")
        assert path.startswith(elsewhere) or path in ruled or name in COUNT[section], path
    assert ruled <= set(field_paths(TrainingPlan))
    assert {name for rule in RULES for name in rule.deciders} <= set(field_paths(TrainingPlan))


@pytest.mark.parametrize("preset", ["default", "fast"])
@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"validation.n_splits": 7},
        {"validation.method": "combinatorial"},
        {"validation.method": "walk_forward", "validation.step": "3d"},
        {"validation.method": "walk_forward", "validation.n_splits": 7},
        {"labels.method": "meta", "evaluation.act_above": 0.4},
        {"training.calibration": "sigmoid", "training.inner_folds": 3},
        {"model.name": "logistic"},
        {"selection.enabled": False},
        {
            "evaluation.sizing": "kelly",
            "evaluation.kelly_fraction": 0.2,
            "evaluation.volatility_window_bars": 9,
        },
        {
            "evaluation.act_above": 0.4,
            "optimization.trials": 2,
            "optimization.space": {"labels.method": ["meta", "threshold"]},
        },
        {
            "labels.quantile": 0.4,
            "optimization.trials": 2,
            "optimization.space": {"labels": {"mode": ["volatility", "quantile"]}},
        },
        {
            "labels.quantile": 0.4,
            "optimization.trials": 2,
            "optimization.space": {"labels.mode": ["volatility", "quantile"]},
        },
    ],
)
def test_settings_that_count_or_that_nobody_set_are_not_told(preset: str, overrides: dict[str, Any]) -> None:
    assert plan_cautions(TrainingPlan.preset(preset).with_overrides(overrides), MARKET) == ()


def test_several_symbols_have_a_use_for_capital() -> None:
    plan = TrainingPlan().with_overrides({"evaluation.capital": "restored"})
    assert idle_settings(plan, panel(300)) == ()


@pytest.mark.parametrize("case", [name for name, (_, idle) in IDLE.items() if "labels." in str(idle)])
def test_labels_do_not_know_their_idle_settings(case: str) -> None:
    beside, idle = IDLE[case]
    if beside.get("labels.signal"):
        pytest.skip("a signal of one's own is not told how far to look back")
    plans = [TrainingPlan().with_overrides(values) for values in (beside, {**beside, **idle})]
    plain, other = (make_labeler(plan).label(MARKET) for plan in plans)
    np.testing.assert_array_equal(plain.y, other.y)
    np.testing.assert_array_equal(plain.spans.end, other.spans.end)


@pytest.mark.parametrize("sizing", ["fixed", "probability", "bet_size", "volatility_target", "kelly"])
@pytest.mark.parametrize(
    ("setting", "value"),
    [("kelly_fraction", 0.2), ("target_volatility", 0.05), ("volatility_window_bars", 50)],
)
def test_positions_move_with_a_setting_that_counts_and_with_no_other(
    sizing: str, setting: str, value: Any
) -> None:
    generator = np.random.default_rng(0)
    said = pd.DataFrame(
        generator.dirichlet((1.0, 1.0, 1.0), len(MARKET)),
        columns=["down", "range", "up"],
        index=MARKET.index,
    )
    plan = TrainingPlan().with_overrides({"evaluation.sizing": sizing, "evaluation.max_position": 10.0})
    changed = plan.with_overrides({f"evaluation.{setting}": value})
    plain, other = (
        target_positions(MARKET, aligned(MARKET, said), BacktestSettings.from_config(one.evaluation))
        for one in (plan, changed)
    )
    idle = is_idle(f"evaluation.{setting}", partial(read_setting, plan))
    assert np.array_equal(plain, other) is idle
