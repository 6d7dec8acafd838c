"""From what stands in the form to a request for a job, with a refusal for every field that is wrong."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from onward.dashboard.views.run_fields import (
    ADVANCED,
    CHOICES,
    Values,
    as_text,
    first,
    matters,
    parsed,
    plan_fields,
)
from onward.dashboard.views.run_places import SIDES, field_of
from onward.errors import (
    ConfigError,
    DataError,
    ForbiddenError,
    LabelError,
    ModelError,
    OnwardError,
    RegistryError,
    SplitError,
    StageError,
)
from onward.naming.names import check_alias, check_name
from onward.training.plan import PRESETS

__all__ = ["FROM_FORM", "Asked", "Bases", "Kind", "Refusal", "bases_of", "placed", "read", "sentence"]

Kind: TypeAlias = Literal["train", "tune"]
Bases: TypeAlias = Mapping[str, Mapping[str, Any]]
"""What every setting is where nobody changes it, by preset and dotted name."""

DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
BY_KIND: tuple[tuple[type[OnwardError], str], ...] = (
    (ForbiddenError, "alias"),
    (RegistryError, "save"),
    (LabelError, "labels.method"),
    (SplitError, "validation.method"),
    (StageError, "features.stages"),
    (DataError, "market"),
)
"""Where an error belongs that names no setting."""


FROM_FORM = " (from the values given)"
"""Where a value comes from, as errors say it; a form has no other place."""


@dataclass(frozen=True)
class Refusal:
    """Why the value of a field is not taken.

    Attributes
    ----------
    field
        Name of the field; empty where it is the request as a whole.
    key
        Text ``runs_new.error.<key>`` that says it in either language.
    setting
        Setting whose limits say it in either language.
    english
        The sentence of the product, for everything else.
    error
        The error that it was made of, whose parts are known in other languages.
    """

    field: str
    key: str = ""
    setting: str = ""
    english: str = ""
    error: OnwardError | None = dataclasses.field(default=None, compare=False)


@dataclass(frozen=True)
class Asked:
    """A run as it is asked for.

    Attributes
    ----------
    kind
        ``train`` or ``tune``.
    preset
        Name of the preset.
    changes
        Settings over it by dotted name, plain JSON values.
    save, alias
        Name of the model and alias of the version; None publishes nothing.
    audit
        Whether to look for leaks.
    trials, seconds
        Budget of a search; None = that of the settings.
    """

    kind: Kind = "train"
    preset: str = "default"
    changes: Mapping[str, Any] = field(default_factory=dict)
    save: str | None = None
    alias: str | None = None
    audit: bool = True
    trials: int | None = None
    seconds: float | None = None

    @property
    def plan(self) -> str | dict[str, Any]:
        """The plan as a request gives it: a preset's name, or values by dotted name."""
        return {**PRESETS[self.preset], **self.changes} if self.changes else self.preset

    @property
    def searched(self) -> dict[str, Any]:
        """The plan together with the budget of the search, to be checked before there is a job."""
        budget: dict[str, Any] = {}
        if self.kind == "tune":
            budget = {"optimization.trials": self.trials, "optimization.seconds": self.seconds}
        known = {name: value for name, value in budget.items() if value is not None}
        return {**PRESETS[self.preset], **self.changes, **known}

    @property
    def body(self) -> dict[str, Any]:
        """The request that the HTTP API takes, what is left at its default left out."""
        given: dict[str, Any] = {"plan": self.plan}
        if not self.audit:
            given["audit"] = False
        for name in ("save", "alias", *(("trials", "seconds") if self.kind == "tune" else ())):
            if getattr(self, name) is not None:
                given[name] = getattr(self, name)
        return given


def bases_of(plan: Any) -> Bases:
    """Return what every setting is under each preset, over the plan that the server's settings make.

    Parameters
    ----------
    plan
        ``settings.plan``.
    """
    written = plan.model_dump(mode="json")
    own = {}
    for name in plan_fields():
        value = written
        for part in name.split("."):
            value = value[part]
        own[name] = value
    return {preset: {**own, **values} for preset, values in PRESETS.items()}


def read(
    values: Values, bases: Bases, *, may_alias: bool, check_text: Callable[[Any], None]
) -> tuple[Asked, tuple[Refusal, ...]]:
    """Return what a form asks for, and everything that is wrong with it.

    A value that stands as it was shown (``shown_preset`` says under which preset) is not asked
    for: the plan follows the preset there.

    Parameters
    ----------
    values
        What stands in the form.
    bases
        From `bases_of`.
    may_alias
        Whether the sender may move aliases.
    check_text
        Raises for a value that requests may not hold (`onward.server.ownership.refuse_own_code`).
    """
    refusals: list[Refusal] = []
    preset = first(values, "preset")
    preset = preset if preset in bases else "default"
    shown = bases.get(first(values, "shown_preset"), bases["default"])
    changes: dict[str, Any] = {}
    for name, given in _given(values, shown):
        if not given:
            refusals.append(Refusal(name, key="none_chosen"))
            continue
        try:
            changes[name] = parsed(name, given)
            check_text({name: changes[name]})
        except ConfigError as error:
            refusals.append(Refusal(name, setting=name, english=sentence(error), error=error))
        except OnwardError as error:
            refusals.append(_refused(name, error))
    changes |= _market(values, refusals)
    asked = Asked(
        kind="tune" if first(values, "kind") == "tune" else "train",
        preset=preset,
        changes=changes,
        save=_name(values, "save", check_name, refusals),
        alias=_name(values, "alias", check_alias, refusals),
        audit=bool(first(values, "audit")),
        **_budget(values, refusals),
    )
    if asked.alias and not may_alias:
        refusals.append(Refusal("alias", key="alias_admin"))
    elif asked.alias and not first(values, "save").strip():
        refusals.append(Refusal("save", key="alias_needs_name"))
    elif asked.alias and not asked.audit:
        refusals.append(Refusal("alias", key="alias_needs_audit"))
    return asked, tuple(refusals)


def placed(error: OnwardError, asked: Asked, values: Values, first_bar: datetime | None = None) -> Refusal:
    """Return an error of the services at the field that has to be changed.

    Parameters
    ----------
    error
        What was refused.
    asked, values
        What was asked for, and what stands in the form.
    first_bar
        When the chosen bars begin: a range of time that ends before is wrong at its end.
    """
    if error.setting is not None:
        return _refused(field_of(error.setting, values, first_bar), error)
    for kind, where in BY_KIND:
        if isinstance(error, kind):
            return _refused(where, error)
    if isinstance(error, ModelError):
        members = asked.changes.get("ensemble.method") in ("stacking", "voting")
        return _refused("ensemble.members" if members else "model.name", error)
    return _refused("", error)


def _refused(where: str, error: OnwardError) -> Refusal:
    return Refusal(where, english=sentence(error), error=error)


def sentence(error: OnwardError) -> str:
    """Return an error as one or two sentences."""
    said = error.what.replace(FROM_FORM, "")
    parts = [said if "." in said.partition(" ")[0] else said[:1].upper() + said[1:]]
    if error.allowed:
        parts.append(f"Allowed: {error.allowed}")
    if error.remedy:
        parts.append(error.remedy)
    return " ".join(part if part.endswith("?") else f"{part.rstrip('.')}." for part in parts)


def _given(values: Values, shown: Mapping[str, Any]) -> list[tuple[str, str | tuple[str, ...]]]:
    """Return the settings that the form changes, as they stand there."""
    found: list[tuple[str, str | tuple[str, ...]]] = []
    standing = {c.name: (as_text(shown[c.name]),) for c in CHOICES} | dict(values)
    for choice in CHOICES:
        if choice.name not in values or not matters(choice, standing):
            continue
        if choice.many:
            if set(values[choice.name]) != set(shown[choice.name]):
                found.append((choice.name, values[choice.name]))
            continue
        text = first(values, choice.name).strip()
        if text and text != as_text(shown[choice.name]):
            found.append((choice.name, text))
    for name in ADVANCED:
        text = first(values, name).strip()
        if text:
            found.append((name, text))
    return found


def _market(values: Values, refusals: list[Refusal]) -> dict[str, Any]:
    """Return which bars are asked for."""
    texts = [text for text in values.get("market", ()) if text.strip()]
    chosen = [text.partition(" ")[::2] for text in texts]
    timeframes = {timeframe for timeframe, _ in chosen}
    if len(timeframes) != 1:
        refusals.append(Refusal("market", key="timeframes" if chosen else "no_market"))
        return {}
    changes: dict[str, Any] = {
        "data.symbols": [symbol for _, symbol in chosen],
        "data.timeframe": chosen[0][0],
    }
    sides = {side: first(values, side).strip() for side in SIDES}
    wrong = [side for side, text in sides.items() if text and not _is_day(text)]
    refusals += [Refusal(side, key="date") for side in wrong]
    if wrong or not any(sides.values()):
        return changes
    timerange = "-".join(text.replace("-", "") for text in sides.values())
    try:
        changes["data.timerange"] = parsed("data.timerange", timerange)
    except ConfigError:
        refusals.append(Refusal("until", key="range"))
    return changes


def _is_day(text: str) -> bool:
    try:
        parsed("data.timerange", text.replace("-", "") + "-" if DAY.fullmatch(text) else "")
    except ConfigError:
        return False
    return True


def _name(values: Values, name: str, check: Callable[[object], str], refusals: list[Refusal]) -> str | None:
    text = first(values, name).strip()
    if not text:
        return None
    try:
        return check(text)
    except RegistryError as error:
        refusals.append(Refusal(name, key=name, english=sentence(error)))
        return None


def _budget(values: Values, refusals: list[Refusal]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if first(values, "kind") != "tune":
        return found
    for name, setting in (("trials", "optimization.trials"), ("seconds", "optimization.seconds")):
        text = first(values, name).strip()
        if not text:
            continue
        try:
            value = parsed(setting, text)
        except ConfigError:
            value = None
        if not value:
            refusals.append(Refusal(name, key=name))
        else:
            found[name] = value
    return found
