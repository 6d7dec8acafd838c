"""Whether a parameter of a search means anything beside the other values of the same trial.

A trial with triple-barrier labels has no use for a quantile, a forest none for a learning rate.
Such parameters are left out of the trial: drawn anyway they would be noise to the sampler, and some
would be refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from onward.config.names import split_name
from onward.labels import CATALOG as LABELERS
from onward.models import model_class
from onward.training.idle_rules import RULES, Read, is_idle

__all__ = ["DECIDERS", "SWITCHES", "Read", "deciders_of", "deciding", "is_active", "learners"]

SWITCHES = (
    "ensemble.method",
    "ensemble.members",
    "features.stages",
    "labels.events",
    "labels.method",
    "labels.mode",
    "labels.price",
    "model.name",
    "selection.enabled",
)
"""Parameters that decide which others are taken at all; they are drawn first, in this order."""

DECIDERS = (*SWITCHES, *sorted({name for rule in RULES for name in rule.deciders} - set(SWITCHES)))
"""Those, and what decides whether a setting that is taken counts (`onward.training.idle_rules`)."""

ALWAYS = frozenset({"labels.method", "labels.weights", "labels.time_decay", "labels.events"})
SAMPLING = frozenset({"labels.cusum_mode", "labels.cusum_threshold"})
METHODS: Mapping[str, tuple[str, ...]] = {
    "n_estimators": ("bagging",),
    "sample_share": ("bagging",),
    "bootstrap": ("bagging",),
    "out_of_bag": ("bagging",),
    "meta": ("stacking",),
    "meta_parameters": ("stacking",),
    "passthrough": ("stacking",),
    "votes": ("voting",),
}
"""Ensemble settings that some methods alone have a use for."""


def learners(read: Read) -> tuple[str, ...]:
    """Return the names of the models that learn: one, or the members of an ensemble."""
    members = tuple(read("ensemble.members")) if read("ensemble.method") != "none" else ()
    return members or (read("model.name"),)


def deciders_of(path: str) -> frozenset[str]:
    """Return the places whose values decide whether a parameter changes anything."""
    return frozenset(SWITCHES).union(*(rule.deciders for rule in RULES if path in rule.settings))


def deciding(path: str, read: Read) -> str:
    """Return the place of what leaves a parameter that is not active without a use."""
    if not _is_taken(path, read):
        by = {"model": "model.name", "labels": "labels.method", "ensemble": "ensemble.method"}
        return by.get(path.partition(".")[0], "features.stages")
    return next((rule.deciders[0] for rule in RULES if path in rule.settings and rule.idle(read)), path)


def is_active(path: str, read: Read) -> bool:
    """Return whether a parameter changes anything, given the other values of the trial.

    ``read`` returns the value of a trial at a dotted place: what was drawn, else what the plan says.
    """
    return _is_taken(path, read) and not is_idle(path, read)


def _is_taken(path: str, read: Read) -> bool:
    """Return whether what the other values choose takes the parameter at all."""
    section, _, name = path.partition(".")
    if section == "labels":
        return _label_setting(path, name, read)
    if section == "model":
        return _model_setting(name, read)
    if section == "ensemble":
        return _ensemble_setting(name, read)
    if section == "features":
        return _feature_setting(name, read)
    return True


def _label_setting(path: str, name: str, read: Read) -> bool:
    if path in ALWAYS:
        return True
    sampled = bool(read("labels.events") == "cusum")
    if path in SAMPLING:
        return sampled
    if sampled and name == "window_bars":
        return True
    return name in inspect.signature(LABELERS[read("labels.method")]).parameters


def _model_setting(name: str, read: Read) -> bool:
    if name == "name":
        return read("ensemble.method") == "none" or not read("ensemble.members")
    first, *rest = split_name(name)
    argument = rest[0] if first == "extra" and rest else first
    return any(_takes(model, argument) for model in learners(read))


def _takes(model: str, name: str) -> bool:
    parameters = inspect.signature(model_class(model)).parameters
    free = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    return free or name in parameters


def _ensemble_setting(name: str, read: Read) -> bool:
    method = read("ensemble.method")
    if name == "method":
        return True
    if name.startswith("parameters."):
        return method != "none" and split_name(name)[1] in learners(read)
    return method in METHODS.get(name.partition(".")[0], ("bagging", "stacking", "voting"))


def _feature_setting(name: str, read: Read) -> bool:
    if name == "stages":
        return True
    levels = split_name(name.removeprefix("options."))
    return bool(levels[0] in read("features.stages"))
