"""From a plan to the objects that carry it out; nothing is computed here.

Whatever a plan asks for that cannot be is refused here, before any work is done.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from onward.data.timeframe import format_timeframe, parse_timeframe
from onward.errors import PlanError, nearest
from onward.features.cache import FeatureCache
from onward.labels import labeler_from_settings
from onward.models import model_class
from onward.protocols import Labeler, Model, Splitter
from onward.splits import PurgedKFold, WalkForward
from onward.training.cautions import data_cautions
from onward.training.plan import TrainingPlan
from onward.training.settings_errors import naming_setting, section_values
from onward.training.single_model import SingleModelTrainer
from onward.training.stages import make_pipeline, make_selector
from onward.training.trainer import BaseTrainer
from onward.types import Market

__all__ = [
    "make_labeler",
    "make_model",
    "make_pipeline",
    "make_selector",
    "make_splitter",
    "make_trainer",
    "plan_cautions",
]

OWN = {"seed": "training.seed", "n_threads": "training.n_threads"}
"""Parameters that a model gets from elsewhere in the plan."""


def make_trainer(plan: TrainingPlan, market: Market, *, cache: FeatureCache | None = None) -> BaseTrainer:
    """Return the trainer that a plan asks for, ready for a market.

    The market decides which feature families are on (its side series, its number of symbols) and
    how long a bar is; none of its values are read.

    Parameters
    ----------
    plan
        What to do.
    market
        What to do it on.
    cache
        Where causal feature matrices are kept.

    Raises
    ------
    PlanError
        When the plan names something that does not exist, or does not fit the market; the
        message says which setting to change.
    """
    _check_timeframe(plan, market)
    return SingleModelTrainer(
        new_model=make_model(plan),
        pipeline=make_pipeline(plan, market, cache=cache),
        labeler=make_labeler(plan),
        splitter=make_splitter(plan),
        seed=plan.training.seed,
        n_shifts=plan.evaluation.n_shifts,
    )


def make_labeler(plan: TrainingPlan) -> Labeler:
    """Return the labeler of a plan, unfitted."""
    values = section_values(plan.labels, without=("method",))
    with naming_setting("labels"):
        return labeler_from_settings(plan.labels.method, values)


def make_splitter(plan: TrainingPlan) -> Splitter:
    """Return the splitter of a plan."""
    validation = plan.validation
    with naming_setting("validation"):
        if validation.method == "walk_forward":
            return WalkForward(validation.n_splits, window=validation.window_bars)
        return PurgedKFold(validation.n_splits, embargo=validation.embargo)


def make_model(plan: TrainingPlan) -> Callable[[int], Model]:
    """Return a function that makes an unfitted model from a seed.

    Raises
    ------
    PlanError
        When there is no such model, or ``model.extra`` names a parameter that it does not have.
    """
    with naming_setting("model.name"):
        chosen = model_class(plan.model.name)
    accepted = _accepted(chosen)
    _check_extra(plan, accepted)
    values = {k: v for k, v in plan.model.parameters().items() if accepted is None or k in accepted}
    own = {"n_threads": plan.training.n_threads or 0}
    values |= {k: v for k, v in own.items() if accepted is None or k in accepted}
    return partial(_new_model, chosen, values, accepted is None or "seed" in accepted)


def plan_cautions(plan: TrainingPlan, market: Market) -> tuple[str, ...]:
    """Return what a person should know about a plan and a market: what is ignored, what differs."""
    sentences = data_cautions(plan.data, market)
    ignored = ", ".join(f"model.{name}" for name in _ignored(plan))
    if not ignored:
        return sentences
    return (f"The model {plan.model.name!r} has no use for {ignored}, which the plan sets.", *sentences)


def _check_timeframe(plan: TrainingPlan, market: Market) -> None:
    wanted = plan.data.timeframe
    if wanted is not None and parse_timeframe(wanted) != market.timeframe:
        raise PlanError(
            "the bars are of another timeframe than the plan's",
            got=format_timeframe(market.timeframe),
            allowed=f"data.timeframe = {wanted}",
            remedy="Give the bars that the plan is for, or change data.timeframe.",
        )


def _check_extra(plan: TrainingPlan, accepted: frozenset[str] | None) -> None:
    named = set(type(plan.model).model_fields) - {"name", "extra"}
    for name in plan.model.extra:
        if name in named or name in OWN:
            place = OWN.get(name, f"model.{name}")
            raise PlanError(
                f"model.extra repeats a parameter that has a setting of its own: {name}",
                got=f"model.extra.{name} = {plan.model.extra[name]!r}",
                allowed="parameters that no other setting sets",
                remedy=f"Set {place} instead.",
            )
        if accepted is not None and name not in accepted:
            others = sorted(accepted - named - set(OWN))
            close = nearest(name, accepted)
            raise PlanError(
                f"the model {plan.model.name!r} has no parameter {name!r}",
                got=f"model.extra.{name}",
                allowed=", ".join(others) or "no further parameter",
                remedy=f"Did you mean {close}?" if close else f"Remove model.extra.{name}.",
            )


def _accepted(chosen: type[Model]) -> frozenset[str] | None:
    """Return the parameters of a model's constructor; None when it takes any."""
    parameters = list(inspect.signature(chosen).parameters.values())
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return None
    return frozenset(p.name for p in parameters)


def _ignored(plan: TrainingPlan) -> list[str]:
    accepted = _accepted(model_class(plan.model.name))
    fields = type(plan.model).model_fields
    return [
        name
        for name, field in fields.items()
        if name not in ("name", "extra")
        and accepted is not None
        and name not in accepted
        and getattr(plan.model, name) != field.default
    ]


def _new_model(chosen: type[Any], values: dict[str, Any], seeded: bool, seed: int) -> Model:
    model: Model = chosen(**values, **({"seed": seed} if seeded else {}))
    return model
