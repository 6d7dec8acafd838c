"""Which settings count for nothing beside which others: one table for plans and for searches.

Settings of models, ensembles, labels and stages that the chosen one does not even take are known from
its signature, and are told or refused where it is made. Here are those that are taken and then
passed over: a share of Kelly's position where positions have a fixed size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from onward.config.optimization import OptimizationConfig
from onward.config.selection import SelectionConfig

__all__ = ["RULES", "Read", "Rule", "is_idle"]

Read: TypeAlias = Callable[[str], Any]
"""Returns the value of a setting by its dotted place."""


@dataclass(frozen=True)
class Rule:
    """Settings that count for nothing under a condition.

    Attributes
    ----------
    settings
        Dotted places of the settings.
    deciders
        Dotted places of what decides, the one that a person has to look at first.
    idle
        Whether the settings count for nothing.
    hint
        What counts instead, or when they do; empty where the deciders say it all.
    silent
        Deciders that go without saying.
    """

    settings: tuple[str, ...]
    deciders: tuple[str, ...]
    idle: Callable[[Read], bool]
    hint: str = ""
    silent: tuple[str, ...] = ()

    def because(self, read: Read) -> str:
        """Return what the deciders are set to, and that they have no use."""
        told = [f"{name} = {_written(read(name))}" for name in self.deciders if name not in self.silent]
        return f"{', '.join(told)} {'has' if len(told) == 1 else 'have'} no use for"


def is_idle(path: str, read: Read) -> bool:
    """Return whether a setting counts for nothing beside the others."""
    return any(path in rule.settings and rule.idle(read) for rule in RULES)


def _all_off(*switches: str) -> Callable[[Read], bool]:
    return lambda read: not any(read(switch) for switch in switches)


def _off(section: str, switch: str, *names: str, hint: str = "") -> Rule:
    """Return the rule of settings behind one switch of their section."""
    return Rule(
        tuple(f"{section}.{name}" for name in names),
        (f"{section}.{switch}",),
        _all_off(f"{section}.{switch}"),
        hint,
    )


def _unless(decider: str, values: tuple[str, ...], *settings: str, hint: str = "") -> Rule:
    """Return the rule of settings that only some values of one decider have a use for."""
    return Rule(settings, (decider,), lambda read: read(decider) not in values, hint)


def _window_unused(read: Read) -> bool:
    if read("labels.events") == "cusum" and read("labels.cusum_mode") == "volatility":
        return False
    if read("labels.method") == "trend_scanning":
        return bool(read("labels.events") == "cusum")  # without events the labeler refuses it
    return read("labels.mode") not in ("volatility", "adaptive")


def _one_barrier(read: Read) -> bool:
    stop = read("labels.stop")
    return bool(read("labels.profit") == 0.0 or stop == 0.0)


def _takes_part(stage: str, read: Read) -> bool:
    return stage in read("features.stages")


def _no_inner_folds(read: Read) -> bool:
    judged = read("ensemble.method") == "stacking" or (
        read("ensemble.method") == "voting" and read("ensemble.votes") == "score"
    )
    return bool(read("training.calibration") == "none" and not judged)


EVIDENCE = ("selection.relevance", "selection.mutual_information")
EXPLANATIONS = ("evaluation.importance", "evaluation.drift", "evaluation.adversarial")
BARRIERS = ("triple_barrier", "meta")

RULES: tuple[Rule, ...] = (
    # labels
    Rule(
        ("labels.threshold",),
        ("labels.mode",),
        lambda read: read("labels.method") != "trend_scanning" and read("labels.mode") != "fixed",
    ),
    Rule(
        ("labels.quantile",),
        ("labels.mode",),
        lambda read: (
            read("labels.method") == "threshold" and read("labels.mode") not in ("quantile", "adaptive")
        ),
    ),
    Rule(
        ("labels.multiplier",),
        ("labels.mode",),
        lambda read: read("labels.method") == "threshold" and read("labels.mode") != "volatility",
    ),
    Rule(
        ("labels.window_bars",),
        ("labels.mode", "labels.events", "labels.cusum_mode"),
        _window_unused,
        silent=("labels.events", "labels.cusum_mode"),
    ),
    Rule(
        ("labels.unit", "labels.estimator"),
        ("labels.mode",),
        lambda read: read("labels.method") in BARRIERS and read("labels.mode") != "volatility",
    ),
    Rule(
        ("labels.tie",),
        ("labels.price",),
        lambda read: read("labels.method") in BARRIERS and read("labels.price") != "high_low",
        "closes cross one barrier at a time",
    ),
    Rule(
        ("labels.tie",),
        ("labels.profit", "labels.stop"),
        lambda read: read("labels.method") in BARRIERS and _one_barrier(read),
        "one barrier cannot be crossed together with another",
    ),
    Rule(
        ("labels.signal_bars",),
        ("labels.signal",),
        lambda read: read("labels.method") == "meta" and ":" in str(read("labels.signal")),
        "only the signals that Onward names look back so many bars",
    ),
    # features: a stage that takes no part is told by itself
    Rule(
        ("features.tsfresh.set",),
        ("features.tsfresh.parameters", "features.stages"),
        lambda read: _takes_part("tsfresh", read) and bool(read("features.tsfresh.parameters")),
        "the calculators are named one by one",
        ("features.stages",),
    ),
    Rule(
        (
            "features.tsfresh.fdr_level",
            "features.tsfresh.hypotheses_independent",
            "features.tsfresh.feature_count_limit",
        ),
        ("features.tsfresh.relevance", "features.stages"),
        lambda read: _takes_part("tsfresh", read) and not read("features.tsfresh.relevance"),
        silent=("features.stages",),
    ),
    Rule(
        ("features.fracdiff.threshold",),
        ("features.fracdiff.width", "features.stages"),
        lambda read: _takes_part("fracdiff", read) and read("features.fracdiff.width") is not None,
        silent=("features.stages",),
    ),
    # selection
    _off("selection", "enabled", *(name for name in SelectionConfig.model_fields if name != "enabled")),
    _off("selection", "constant", "quasi_constant", "min_known"),
    _off("selection", "duplicates", "near_duplicate"),
    Rule(
        ("selection.correlation_method",),
        ("selection.correlation",),
        lambda read: read("selection.correlation") == 1.0,
    ),
    Rule(
        ("selection.costs",),
        ("selection.duplicates", "selection.correlation"),
        lambda read: not read("selection.duplicates") and read("selection.correlation") == 1.0,
    ),
    Rule(
        ("selection.z", "selection.false_discovery_rate", "selection.range_share"),
        EVIDENCE,
        _all_off(*EVIDENCE),
    ),
    Rule(
        ("selection.n_shifts", "selection.min_features"),
        (*EVIDENCE, "selection.null_importance"),
        _all_off(*EVIDENCE, "selection.null_importance"),
    ),
    _off("selection", "mutual_information", "n_information_shifts", "n_bins"),
    _off("selection", "null_importance", "n_null", "null_share", "importance_rows", "importance_columns"),
    # validation
    Rule(
        ("validation.n_splits",),
        ("validation.method",),
        lambda read: read("validation.method") == "combinatorial",
        "the number of folds follows from validation.n_groups and validation.n_test_groups",
    ),
    Rule(
        ("validation.n_splits",),
        ("validation.step",),
        lambda read: read("validation.method") == "walk_forward" and read("validation.step") is not None,
        "the number of folds follows from validation.step",
    ),
    # training
    Rule(
        ("training.inner_folds",),
        ("training.calibration", "ensemble.method"),
        _no_inner_folds,
        "inner folds serve calibration, stacking and votes by score",
    ),
    # optimization
    Rule(
        tuple(f"optimization.{name}" for name in OptimizationConfig.model_fields if name != "trials"),
        ("optimization.trials",),
        lambda read: read("optimization.trials") == 0,
        "nothing is searched, and the plan's own values are trained with; `onward tune` searches",
    ),
    _unless("optimization.sampler", ("tpe",), "optimization.startup_trials"),
    # evaluation
    _unless("evaluation.sizing", ("volatility_target",), "evaluation.target_volatility"),
    _unless("evaluation.sizing", ("volatility_target", "kelly"), "evaluation.volatility_window_bars"),
    _unless("evaluation.sizing", ("kelly",), "evaluation.kelly_fraction"),
    _unless(
        "labels.method",
        ("meta",),
        "evaluation.act_above",
        hint="only meta-labels are verdicts that a threshold can act on",
    ),
    Rule(("evaluation.explained_folds",), EXPLANATIONS, _all_off(*EXPLANATIONS)),
    _off(
        "evaluation",
        "importance",
        "importance_columns",
        "importance_rows",
        "importance_repeats",
        "cluster_correlation",
    ),
    Rule(
        ("evaluation.drift_columns",),
        ("evaluation.drift", "evaluation.adversarial"),
        _all_off("evaluation.drift", "evaluation.adversarial"),
    ),
    _off("evaluation", "adversarial", "adversarial_rows", "adversarial_placebos"),
)
"""Every such setting. A new one belongs here, or among those that always count (its test asks)."""


def _written(value: Any) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
