"""Settings that a plan changes and that count for nothing beside its other settings.

Those of another method that contradict the chosen one are refused by the plan itself. These are told:
a preset, the environment or a search over methods may bring them in without anybody's error.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from onward.config.layers import field_paths
from onward.training.idle_rules import RULES, Rule
from onward.training.plan import PRESETS, TrainingPlan
from onward.types import Market

__all__ = ["idle_settings", "is_usual", "read_setting"]


def idle_settings(plan: TrainingPlan, market: Market | None = None) -> tuple[str, ...]:
    """Return sentences about settings that were changed and count for nothing.

    Parameters
    ----------
    plan
        What is asked for. What a search of it may vary counts: with some choice it has a use.
    market
        Tells, where given, what its symbols and series leave without a use.
    """
    varied = _varied(plan)
    sentences, told = [], set(varied)
    for rule in RULES:
        if varied.intersection(rule.deciders) or not rule.idle(partial(read_setting, plan)):
            continue
        names = [name for name in rule.settings if name not in told and not is_usual(plan, name)]
        if names:
            told.update(names)
            sentences.append(_sentence(rule, names, plan))
    return (*sentences, *(() if market is None else _beside(plan, market)))


def read_setting(plan: TrainingPlan, path: str) -> Any:
    """Return the value of a setting by its dotted place."""
    value: Any = plan
    for name in path.split("."):
        value = getattr(value, name)
    return value


def is_usual(plan: TrainingPlan, path: str) -> bool:
    """Return whether a value is one that nobody has to have asked for: the default's or a preset's."""
    value = read_setting(plan, path)
    default = field_paths(type(plan))[path].get_default(call_default_factory=True)
    return bool(value == default) or any(
        path in values and value == values[path] for values in PRESETS.values()
    )


def _varied(plan: TrainingPlan) -> set[str]:
    """Return the dotted places that trials vary, however the space writes them."""
    if plan.optimization.trials == 0 or not plan.optimization.space:
        return set()
    from onward.training.optimization.reading import read_parameters

    return {parameter.path for parameter in read_parameters(plan.optimization.space)}


def _sentence(rule: Rule, names: list[str], plan: TrainingPlan) -> str:
    because = rule.because(partial(read_setting, plan))
    hint = f": {rule.hint}" if rule.hint else ""
    return f"{because} {', '.join(names)}, which the plan sets{hint}."


def _beside(plan: TrainingPlan, market: Market) -> Iterator[str]:
    single = len(market.symbols) == 1
    if single and not is_usual(plan, "evaluation.capital"):
        yield (
            "A market of one symbol has no use for evaluation.capital, which the plan sets: there is nobody "
            "to share the capital with."
        )
    if "funding" not in market.series and not is_usual(plan, "evaluation.pay_funding"):
        yield (
            "A market without a funding series has no use for evaluation.pay_funding, which the plan sets: "
            "there is nothing to pay."
        )
