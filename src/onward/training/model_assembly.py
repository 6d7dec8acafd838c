"""From the sections ``model`` and ``ensemble`` of a plan to what learns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from onward.ensembles import (
    BaggedModel,
    CompositeModel,
    StackedModel,
    VotingModel,
    accepted_parameters,
    require_members,
)
from onward.errors import PlanError, nearest
from onward.models import model_class
from onward.protocols import Model
from onward.training.idle_settings import is_usual
from onward.training.plan import TrainingPlan
from onward.training.settings_errors import naming_setting
from onward.training.trial_fit import check_values

__all__ = ["make_ensemble", "make_model", "model_title", "unused_settings"]

OWN = {"seed": "training.seed", "n_threads": "training.n_threads"}
"""Parameters that a model gets from elsewhere in the plan."""

OF_METHOD: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "bagging": ("members", "parameters", "n_estimators", "sample_share", "bootstrap", "out_of_bag"),
    "stacking": ("members", "parameters", "meta", "meta_parameters", "passthrough"),
    "voting": ("members", "parameters", "votes"),
}
"""Settings of the section ``ensemble`` that each method has a use for."""


def make_model(plan: TrainingPlan) -> Callable[[int], Model]:
    """Return a function that makes the unfitted model of a plan, or its ensemble, from a seed.

    Raises
    ------
    PlanError
        When there is no such model, or it has no parameter of a name that is set, or
        cannot learn with a value that is handed over to it.
    """
    if plan.ensemble.method != "none":
        return make_ensemble(plan)
    with naming_setting("model.name"):
        chosen = model_class(plan.model.name)
    accepted = accepted_parameters(chosen)
    _check_extra(plan, plan.model.name, accepted)
    values = _shared(plan, plan.model.name, accepted)
    check_values(chosen, values, plan.model.extra, "model.extra")
    values |= _known({"n_threads": _threads(plan)}, accepted)
    return partial(_new_model, chosen, values, accepted is None or "seed" in accepted)


def make_ensemble(plan: TrainingPlan) -> Callable[[int], CompositeModel]:
    """Return a function that makes the unfitted ensemble of a plan from a seed.

    Raises
    ------
    PlanError
        When members are too few, unknown or named twice, a parameter is none of theirs, or its value is.
    """
    ensemble = plan.ensemble
    members = ensemble.members
    if ensemble.method == "bagging" and not members:
        members = (plan.model.name,)
    with naming_setting("ensemble.members"):
        require_members(ensemble.method, members, at_least=1 if ensemble.method == "bagging" else 2)
        for name in members:
            model_class(name)
    _check_owners(plan, members)
    parameters = {name: _member_parameters(plan, name) for name in members}
    common: dict[str, Any] = {
        "members": members,
        "parameters": parameters,
        "n_threads": _threads(plan),
    }
    if ensemble.method == "bagging":
        return partial(
            _new_ensemble,
            BaggedModel,
            common
            | {
                "n_estimators": ensemble.n_estimators,
                "sample_share": ensemble.sample_share,
                "bootstrap": ensemble.bootstrap,
            },
        )
    common["n_folds"] = plan.training.inner_folds
    if ensemble.method == "voting":
        return partial(_new_ensemble, VotingModel, common | {"votes": ensemble.votes})
    with naming_setting("ensemble.meta"):
        meta = model_class(ensemble.meta)
    accepted = accepted_parameters(meta)
    for name in ensemble.meta_parameters:
        _check_parameter(ensemble.meta, name, accepted, f"ensemble.meta_parameters.{name}")
    check_values(meta, ensemble.meta_parameters, ensemble.meta_parameters, "ensemble.meta_parameters")
    own = {
        "meta": ensemble.meta,
        "meta_parameters": dict(ensemble.meta_parameters),
        "passthrough": ensemble.passthrough,
    }
    return partial(_new_ensemble, StackedModel, common | own)


def model_title(plan: TrainingPlan) -> str:
    """Return the name of what learns, for people: ``lightgbm``, ``stacking (lightgbm, logistic)``."""
    ensemble = plan.ensemble
    if ensemble.method == "none":
        return plan.model.name
    return f"{ensemble.method} ({', '.join(ensemble.members or (plan.model.name,))})"


def unused_settings(plan: TrainingPlan) -> tuple[str, ...]:
    """Return sentences about settings of model and ensemble that were changed and count for nothing."""
    sentences: list[str] = []
    members = _learners(plan)
    fields = type(plan.model).model_fields
    accepted = [accepted_parameters(model_class(name)) for name in members]
    ignored = [
        f"model.{name}"
        for name in fields
        if name not in ("name", "extra")
        and all(known is not None and name not in known for known in accepted)
        and not is_usual(plan, f"model.{name}")
    ]
    if plan.model.name not in members and plan.model.name != fields["name"].default:
        ignored.insert(0, "model.name")
    if ignored:
        who = f"The model {members[0]!r}" if plan.ensemble.method == "none" else f"The {model_title(plan)}"
        sentences.append(f"{who} has no use for {', '.join(ignored)}, which the plan sets.")
    used = OF_METHOD[plan.ensemble.method]
    other = [
        f"ensemble.{name}"
        for name in type(plan.ensemble).model_fields
        if name != "method" and name not in used and not is_usual(plan, f"ensemble.{name}")
    ]
    if other:
        sentences.append(
            f"ensemble.method = {plan.ensemble.method} has no use for {', '.join(other)}, "
            "which the plan sets."
        )
    return tuple(sentences)


def _learners(plan: TrainingPlan) -> tuple[str, ...]:
    if plan.ensemble.method == "none":
        return (plan.model.name,)
    return plan.ensemble.members or (plan.model.name,)


def _member_parameters(plan: TrainingPlan, name: str) -> dict[str, Any]:
    chosen = model_class(name)
    accepted = accepted_parameters(chosen)
    shared = _shared(plan, name, accepted)
    if name == plan.model.name:
        _check_extra(plan, name, accepted)
        check_values(chosen, shared, plan.model.extra, "model.extra")
    own = dict(plan.ensemble.parameters.get(name, {}))
    for parameter in own:
        _check_parameter(name, parameter, accepted, f"ensemble.parameters.{name}.{parameter}")
    check_values(chosen, shared | own, own, f"ensemble.parameters.{name}")
    return shared | own


def _shared(plan: TrainingPlan, name: str, accepted: frozenset[str] | None) -> dict[str, Any]:
    """Return the section ``model`` as far as a model takes it; ``extra`` is for ``model.name`` alone."""
    values = plan.model.parameters()
    if name != plan.model.name:
        values = {k: v for k, v in values.items() if k not in plan.model.extra}
    return _known(values, accepted)


def _known(values: Mapping[str, Any], accepted: frozenset[str] | None) -> dict[str, Any]:
    return {k: v for k, v in values.items() if accepted is None or k in accepted}


def _threads(plan: TrainingPlan) -> int:
    return plan.training.n_threads or 0


def _check_owners(plan: TrainingPlan, members: tuple[str, ...]) -> None:
    for name, table in plan.ensemble.parameters.items():
        if name not in members:
            close = nearest(name, members)
            raise PlanError(
                "there are parameters for a model that is no member of the ensemble",
                got=f"ensemble.parameters.{name}",
                allowed=", ".join(members),
                remedy=f"Did you mean {close}?" if close else "Name it in ensemble.members, or remove them.",
                settings=("ensemble.parameters", "ensemble.members"),
            )
        if not isinstance(table, Mapping):
            raise PlanError(
                "the parameters of a member are no table",
                got=f"ensemble.parameters.{name} = {table!r}",
                allowed=f"[ensemble.parameters.{name}] with one parameter a line",
                remedy=f"Set ensemble.parameters.{name}.<parameter>.",
                settings=("ensemble.parameters",),
            )
    if plan.model.extra and plan.model.name not in members:
        raise PlanError(
            "model.extra belongs to a model that is no member of the ensemble",
            got=f"model.name = {plan.model.name}, members {', '.join(members)}",
            allowed="a table ensemble.parameters.<member>",
            remedy="Move the parameters there.",
            settings=("model.extra", "ensemble.members"),
        )


def _check_parameter(model: str, name: str, accepted: frozenset[str] | None, place: str) -> None:
    if name in OWN:
        raise PlanError(
            f"{place} repeats a parameter that has a setting of its own",
            got=place,
            allowed="parameters that no other setting sets",
            remedy=f"Set {OWN[name]} instead.",
            settings=(place,),
        )
    if accepted is None or name in accepted:
        return
    close = nearest(name, accepted)
    raise PlanError(
        f"the model {model!r} has no parameter {name!r}",
        got=place,
        allowed=", ".join(sorted(accepted - set(OWN))) or "no parameter",
        remedy=f"Did you mean {close}?" if close else f"Remove {place}.",
        settings=(place,),
    )


def _check_extra(plan: TrainingPlan, model: str, accepted: frozenset[str] | None) -> None:
    named = set(type(plan.model).model_fields) - {"name", "extra"}
    for name in plan.model.extra:
        if name in named or name in OWN:
            place = OWN.get(name, f"model.{name}")
            raise PlanError(
                f"model.extra repeats a parameter that has a setting of its own: {name}",
                got=f"model.extra.{name} = {plan.model.extra[name]!r}",
                allowed="parameters that no other setting sets",
                remedy=f"Set {place} instead.",
                settings=("model.extra",),
            )
        if accepted is not None and name not in accepted:
            others = sorted(accepted - named - set(OWN))
            close = nearest(name, accepted)
            raise PlanError(
                f"the model {model!r} has no parameter {name!r}",
                got=f"model.extra.{name}",
                allowed=", ".join(others) or "no further parameter",
                remedy=f"Did you mean {close}?" if close else f"Remove model.extra.{name}.",
                settings=("model.extra",),
            )


def _new_model(chosen: type[Any], values: dict[str, Any], seeded: bool, seed: int) -> Model:
    model: Model = chosen(**values, **({"seed": seed} if seeded else {}))
    return model


def _new_ensemble(chosen: type[Any], values: dict[str, Any], seed: int) -> CompositeModel:
    ensemble: CompositeModel = chosen(**values, seed=seed)
    return ensemble
