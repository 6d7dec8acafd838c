"""Values of a plan by dotted name: read one, put others in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onward.config.layers import nested
from onward.config.names import split_name
from onward.training.plan import TrainingPlan

__all__ = ["read_value", "with_values", "without_search"]


def read_value(plan: TrainingPlan, path: str) -> Any:
    """Return the value at a dotted place (`onward.config.names`); None below a table without it."""
    value: Any = plan
    for name in split_name(path):
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return value


def with_values(plan: TrainingPlan, values: Mapping[str, Any]) -> TrainingPlan:
    """Return a plan with other values.

    Equal to `TrainingPlan.with_overrides`, in a fifth of the time: a search asks for one in every
    trial, and only sections that change are checked anew.

    Raises
    ------
    ConfigError
        When a value is not allowed.
    PlanError
        When the values contradict each other.
    """
    sections: dict[str, Any] = {name: getattr(plan, name) for name in type(plan).model_fields}
    for name, changes in nested(values).items():
        merged = _merged(sections[name].model_dump(), changes)
        sections[name] = type(sections[name]).sealed(**merged)
    return type(plan)(**sections)


def without_search(plan: TrainingPlan) -> TrainingPlan:
    """Return the plan of a single training: the same without its search."""
    return type(plan)(**{n: getattr(plan, n) for n in type(plan).model_fields if n != "optimization"})


def _merged(old: Any, new: Any) -> Any:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return new
    return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}
