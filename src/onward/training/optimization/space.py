"""The space of a search: typed parameters, which of them a trial has a use for, how one is drawn."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Self

from onward.errors import OnwardError, PlanError
from onward.models import model_class
from onward.training.optimization.defaults import default_space
from onward.training.optimization.parameters import Choice, Parameter
from onward.training.optimization.reading import PLACE, read_parameters
from onward.training.optimization.relevance import (
    DECIDERS,
    SWITCHES,
    deciders_of,
    deciding,
    is_active,
    learners,
)
from onward.training.optimization.values import read_value, with_values, without_search
from onward.training.plan import TrainingPlan

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

__all__ = ["Space", "plan_of_trial"]

MOST_SWITCHINGS = 200
"""Combinations of switches that are looked at before the search."""


@dataclass(frozen=True)
class Space:
    """What may vary between trials, around a plan that says all the rest.

    Attributes
    ----------
    parameters
        Switches first (they decide which others mean anything), then by place.
    plan
        The plan of a single training.
    """

    parameters: tuple[Parameter, ...]
    plan: TrainingPlan

    @classmethod
    def of(cls, plan: TrainingPlan) -> Self:
        """Return the space that a plan asks for; without one, that of its model.

        Raises
        ------
        PlanError
            When the space is contradictory, or no trial would have a use for a parameter.
        """
        single = without_search(plan)
        table = plan.optimization.space or default_space(learners(lambda path: read_value(single, path)))
        order = {path: place for place, path in enumerate(DECIDERS)}
        parameters = sorted(read_parameters(table), key=lambda p: (order.get(p.path, len(order)), p.path))
        space = cls(tuple(parameters), single)
        space._require_uses()
        space._require_plans()
        return space

    @property
    def searches_labels(self) -> bool:
        """Whether the question itself varies."""
        return any(p.path.startswith("labels.") for p in self.parameters)

    @property
    def longest_horizon_bars(self) -> int:
        """Bars after which every trial's labels have ended, at the latest."""
        horizon = next((p for p in self.parameters if p.path == "labels.horizon_bars"), None)
        own = self.plan.labels.horizon_bars
        return own if horizon is None else max(map(int, horizon.extremes))

    @property
    def size(self) -> float:
        """Number of combinations at most; infinite when a parameter is continuous."""
        return math.prod(parameter.size for parameter in self.parameters)

    def draw(self, trial: BaseTrial) -> dict[str, Any]:
        """Draw the values of a trial; parameters that it has no use for are left out."""
        values: dict[str, Any] = {}
        for parameter in self.parameters:
            if self._active(parameter, values):
                drawn = _drawn(trial, parameter.path, parameter.distribution())
                values[parameter.path] = parameter.decoded(drawn)
        return values

    def own_values(self) -> dict[str, Any] | None:
        """Return the draws that give the plan as it was written; None when it lies outside."""
        draws: dict[str, Any] = {}
        for parameter in self.parameters:
            if not self._active(parameter, {}):
                continue
            value = read_value(self.plan, parameter.path)
            encoded = parameter.encoded(list(value) if isinstance(value, tuple) else value)
            if encoded is None:
                return None
            draws[parameter.path] = encoded
        return draws

    def label_choices(self) -> list[dict[str, Any]]:
        """Return the labels that trials may ask about: all where they can be counted, else their ends."""
        labels = tuple(p for p in self.parameters if p.path.startswith("labels."))
        alone = type(self)(labels, self.plan)
        if alone.size <= MOST_SWITCHINGS:
            by_path = {p.path: p for p in labels}
            drawn = alone.combinations()
            return [{path: by_path[path].decoded(value) for path, value in one.items()} for one in drawn]
        ends = product(*(p.extremes for p in labels))
        few = [value for _, value in zip(range(MOST_SWITCHINGS), ends, strict=False)]
        return [alone.used(dict(zip((p.path for p in labels), one, strict=True))) for one in few]

    def combinations(self) -> list[dict[str, Any]]:
        """Return the draws of every combination that differs in what a trial has a use for."""
        found: dict[str, dict[str, Any]] = {}
        for chosen in product(*(_all_values(parameter) for parameter in self.parameters)):
            draws: dict[str, Any] = {}
            values: dict[str, Any] = {}
            for parameter, value in zip(self.parameters, chosen, strict=True):
                if self._active(parameter, values):
                    values[parameter.path], draws[parameter.path] = value, parameter.encoded(value)
            found.setdefault(json.dumps(draws), draws)
        return list(found.values())

    def plan_with(self, values: Mapping[str, Any]) -> TrainingPlan:
        """Return the plan of a trial.

        Label settings for which the method that was drawn has no use go back to their defaults:
        set to anything else they would be refused.
        """
        return with_values(self.plan, {**self._useless_labels(values), **values})

    def _useless_labels(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if not any(path in values for path in ("labels.method", "labels.events")):
            return {}
        found: dict[str, Any] = {}
        for name, info in type(self.plan.labels).model_fields.items():
            path = f"labels.{name}"
            if getattr(self.plan.labels, name) != info.default and path not in values:
                used = is_active(path, lambda p: values[p] if p in values else read_value(self.plan, p))
                found |= {} if used else {path: info.default}
        return found

    def to_dict(self) -> list[dict[str, Any]]:
        """Return plain JSON values."""
        return [parameter.to_dict() for parameter in self.parameters]

    def _active(self, parameter: Parameter, values: Mapping[str, Any]) -> bool:
        return is_active(
            parameter.path, lambda path: values[path] if path in values else read_value(self.plan, path)
        )

    def switchings(self, names: Collection[str] = SWITCHES) -> list[dict[str, Any]]:
        """Return the combinations of the switches that vary, the first ones when there are many."""
        switches = [p for p in self.parameters if p.path in names]
        combinations = product(*(p.extremes for p in switches))
        found = []
        for _, combination in zip(range(MOST_SWITCHINGS), combinations, strict=False):
            found.append(dict(zip((p.path for p in switches), combination, strict=True)))
        return found

    def _require_uses(self) -> None:
        for parameter in self.parameters:
            switchings = self.switchings(deciders_of(parameter.path) - {parameter.path})
            try:
                used = any(self._active(parameter, values) for values in switchings)
            except OnwardError as error:
                raise PlanError(
                    f"{PLACE}: {error.what}",
                    got=error.got,
                    allowed=error.allowed,
                    remedy=error.remedy,
                    settings=(PLACE,),
                ) from error
            if not used:
                decides = deciding(parameter.path, lambda path: read_value(self.plan, path))
                raise PlanError(
                    f"{PLACE}: no trial has a use for {parameter.path}",
                    got=f"{decides} = {read_value(self.plan, decides)}",
                    allowed="settings that the plan's other choices leave a meaning",
                    remedy=f"Take {parameter.path} out of the space, or change {decides}.",
                    settings=(PLACE, decides),
                )

    def _require_plans(self) -> None:
        """Build the plan at the ends of every parameter: contradictions show before any work.

        Label settings are tried together, because they are those that can contradict each other;
        of many combinations the first ones.
        """
        labels = [p for p in self.parameters if p.path.startswith("labels.")]
        together = [
            dict(zip((p.path for p in labels), values, strict=True))
            for values in product(*(p.extremes for p in labels))
        ]
        alone = [{p.path: value} for p in self.parameters for value in p.extremes if p not in labels]
        for changes in (*together[:MOST_SWITCHINGS], *alone):
            kept = self.used(changes)
            try:
                self.plan_with(kept)
                if "model.name" in kept:
                    model_class(kept["model.name"])
            except OnwardError as error:
                raise PlanError(
                    f"{PLACE}: the values {_written(kept)} contradict the plan: {error.what}",
                    got=error.got,
                    allowed=error.allowed,
                    remedy=f"{error.remedy or ''} Or narrow the space.".strip(),
                    settings=(PLACE, *error.settings),
                ) from error

    def switched_plans(self) -> list[TrainingPlan]:
        """Return the plans of the combinations of switches, the first ones when there are many.

        A horizon that varies is at its shortest.
        """
        horizons = [p for p in self.parameters if p.path == "labels.horizon_bars"]
        shortest = {p.path: min(p.extremes) for p in horizons}
        return [self.plan_with(self.used({**shortest, **values})) for values in self.switchings()]

    def used(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of some values that a trial has a use for."""
        by_path = {p.path: p for p in self.parameters}
        return {path: value for path, value in values.items() if self._active(by_path[path], values)}


def plan_of_trial(plan: TrainingPlan, values: Mapping[str, Any]) -> TrainingPlan:
    """Return the plan of a single training with what a search chose, by dotted place."""
    return Space((), without_search(plan)).plan_with(values)


def _all_values(parameter: Parameter) -> tuple[Any, ...]:
    if isinstance(parameter, Choice):
        return parameter.values
    step = parameter.step or 1
    return tuple(
        parameter.decoded(round(parameter.low + place * step, 12)) for place in range(int(parameter.size))
    )


def _drawn(trial: BaseTrial, path: str, distribution: BaseDistribution) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(distribution, IntDistribution):
        low, high, step, log = distribution.low, distribution.high, distribution.step, distribution.log
        return trial.suggest_int(path, low, high, step=step, log=log)
    if isinstance(distribution, FloatDistribution):
        bounds = (distribution.low, distribution.high)
        return trial.suggest_float(path, *bounds, step=distribution.step, log=distribution.log)
    assert isinstance(distribution, CategoricalDistribution)
    return trial.suggest_categorical(path, distribution.choices)


def _written(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{path} = {value}" for path, value in values.items())
