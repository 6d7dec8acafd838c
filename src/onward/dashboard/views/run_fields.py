"""The choices of a run as fields of a form: which there are, what they take, and when they matter."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

from pydantic.fields import FieldInfo

from onward.config.base import Section
from onward.config.describe import allowed, choices
from onward.config.layers import field_paths
from onward.config.sections import PlanSections
from onward.config.text import options_of

__all__ = [
    "ADVANCED",
    "CHOICES",
    "STAGES",
    "Choice",
    "Limits",
    "Values",
    "Widget",
    "as_text",
    "first",
    "limits",
    "matters",
    "parsed",
    "plan_fields",
    "takes",
    "widget",
]

Values: TypeAlias = Mapping[str, tuple[str, ...]]
"""What stands in a form: texts by the name of their field."""
Widget: TypeAlias = Literal["number", "select", "switch", "text", "many"]
Condition: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]

STAGES = ("manual", "alpha158", "tsfresh", "featuretools", "autofeat", "fracdiff")
"""Stages of features in the order in which the form offers them."""
ELSEWHERE = frozenset(
    {
        "data.symbols",
        "data.timeframe",
        "optimization.trials",
        "optimization.seconds",
        "optimization.storage_url",  # an address with a password belongs into the server's settings
    }
)
"""Settings of a plan that other fields of the form say, or that a request must not."""


@dataclass(frozen=True)
class Choice:
    """A setting of a plan that the form explains.

    Attributes
    ----------
    name
        Dotted.
    group
        Which part of the form it stands in.
    when
        Names and the values of which one must hold for it to matter; it is hidden otherwise.
    many
        Whether several values may be chosen.
    """

    name: str
    group: str
    when: Condition = ()
    many: bool = False

    @property
    def key(self) -> str:
        """Its name in the catalogue of texts."""
        return self.name.replace(".", "_")


BARRIERS = ("triple_barrier", "meta")
CHOICES = (
    Choice("labels.method", "question"),
    Choice("labels.mode", "question", (("labels.method", ("threshold", *BARRIERS)),)),
    Choice("labels.horizon_bars", "question"),
    Choice(
        "labels.multiplier",
        "question",
        (("labels.method", ("threshold",)), ("labels.mode", ("volatility",))),
    ),
    Choice(
        "labels.threshold",
        "question",
        (("labels.method", ("threshold", *BARRIERS)), ("labels.mode", ("fixed",))),
    ),
    Choice(
        "labels.quantile",
        "question",
        (("labels.method", ("threshold",)), ("labels.mode", ("quantile", "adaptive"))),
    ),
    Choice("labels.profit", "question", (("labels.method", BARRIERS),)),
    Choice("labels.stop", "question", (("labels.method", BARRIERS),)),
    Choice("labels.signal", "question", (("labels.method", ("meta",)),)),
    Choice("labels.min_t_value", "question", (("labels.method", ("trend_scanning",)),)),
    Choice("features.stages", "features", many=True),
    Choice("selection.max_features", "features"),
    Choice("ensemble.method", "model"),
    Choice("model.name", "model", (("ensemble.method", ("none", "bagging")),)),
    Choice("ensemble.members", "model", (("ensemble.method", ("stacking", "voting")),), many=True),
    Choice("validation.method", "validation"),
    Choice("validation.n_splits", "validation", (("validation.method", ("purged_kfold", "walk_forward")),)),
    Choice("validation.n_groups", "validation", (("validation.method", ("combinatorial",)),)),
    Choice("validation.n_test_groups", "validation", (("validation.method", ("combinatorial",)),)),
    Choice("evaluation.fee_bps", "validation"),
    Choice("evaluation.slippage_bps", "validation"),
)
"""The settings that a run is mostly about, in the order of the form."""


@cache
def plan_fields() -> Mapping[str, FieldInfo]:
    """Return every setting of a plan by dotted name."""
    return field_paths(PlanSections)


ADVANCED = tuple(
    name for name in plan_fields() if name not in ELSEWHERE and name not in {one.name for one in CHOICES}
)
"""All other settings of a plan, in their order."""


@dataclass(frozen=True)
class Limits:
    """Between what a number must lie; None where nothing bounds it.

    Attributes
    ----------
    whole
        Whether it has no decimals.
    low, high
        The bounds.
    open_low, open_high
        Whether the bound itself is left out.
    """

    whole: bool
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False


def widget(name: str) -> Widget:
    """Return what a setting is asked with."""
    field = plan_fields()[name]
    if any(one.name == name and one.many for one in CHOICES):
        return "many"
    options = [option for option in options_of(field.annotation) if option is not type(None)]
    if choices(field.annotation) and len(options) == 1:
        return "select"
    if options == [bool]:
        return "switch"
    if len(options) == 1 and options[0] in (int, float) and type(None) not in options_of(field.annotation):
        return "number"
    return "text"


def limits(name: str) -> Limits | None:
    """Return between what a number lies; None for a setting that is no plain number."""
    field = plan_fields()[name]
    options = [option for option in options_of(field.annotation) if option is not type(None)]
    if len(options) != 1 or options[0] not in (int, float):
        return None
    found: dict[str, Any] = {}
    for bound, side, is_open in (
        ("ge", "low", False),
        ("gt", "low", True),
        ("le", "high", False),
        ("lt", "high", True),
    ):
        for one in field.metadata:
            value = getattr(one, bound, None)
            if value is not None:
                found |= {side: value, f"open_{side}": is_open}
    return Limits(whole=options[0] is int, **found)


def parsed(name: str, text: str | Sequence[str]) -> Any:
    """Return a setting's value, as JSON knows it, from what stands in its field.

    Raises
    ------
    ConfigError
        When the setting does not take it; ``allowed`` says what it takes.
    """
    kind: type[Any] = PlanSections
    *parents, leaf = name.split(".")
    for part in parents:
        kind = kind.model_fields[part].annotation
    assert issubclass(kind, Section)
    value = text if isinstance(text, str) else list(text)
    return kind.sealed(**{leaf: value}).model_dump(mode="json")[leaf]


def as_text(value: Any) -> str:
    """Return a value as a field shows it, so that `parsed` reads the same again."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else "{}"
    if isinstance(value, list | tuple):
        plain = all(isinstance(one, str) and "," not in one for one in value) and value
        return ", ".join(value) if plain else json.dumps(list(value), ensure_ascii=False)
    return f"{value:.6g}" if isinstance(value, float) and float(f"{value:.6g}") == value else str(value)


def first(values: Values, name: str) -> str:
    """Return what stands in a field; empty when nothing does."""
    texts = values.get(name, ())
    return texts[-1] if texts else ""


def matters(choice: Choice, values: Values) -> bool:
    """Return whether a choice has a use, by what stands in the fields that it depends on."""
    return all(first(values, name) in wanted for name, wanted in choice.when)


def takes(name: str) -> str:
    """Return what a setting takes, in English words."""
    return allowed(plan_fields()[name])
