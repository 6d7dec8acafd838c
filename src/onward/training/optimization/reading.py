"""From the table ``optimization.space`` to typed parameters; whatever cannot be is refused here."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic.fields import FieldInfo

from onward.config.explain import unknown
from onward.config.layers import field_paths, nested
from onward.config.names import join_name, split_name
from onward.config.sections import PlanSections
from onward.config.text import options_of
from onward.errors import ConfigError, PlanError, nearest
from onward.training.optimization.parameters import Choice, Parameter, Range

__all__ = ["SEARCHABLE", "read_parameters"]

SEARCHABLE = ("labels", "features", "selection", "model", "ensemble")
"""Sections that a search may vary. The others say which data, how they are cut and how results are
judged: a search that moved those would choose its own examiner."""

KEYS = ("low", "high", "step", "log", "choices")
PLACE = "optimization.space"


def read_parameters(table: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Return the parameters of a space, in the order of their places.

    Parameters
    ----------
    table
        Choices (a list) or ranges (a table with ``low``, ``high``, ``step``, ``log``) by dotted
        place, nested tables or dotted names alike. A level that holds dots itself stands in quotes
        (`onward.config.names`); inside a free-form table (``features.tsfresh.parameters``) a nested
        key is one level, whatever it holds.

    Raises
    ------
    PlanError
        When a place does not exist or may not vary, there is nothing to choose, bounds contradict
        each other, or a value is none that the setting takes.
    """
    fields = {p: f for p, f in field_paths(PlanSections).items() if p.partition(".")[0] in SEARCHABLE}
    found = [_parameter(path, spec, fields) for path, spec in _entries(table, fields)]
    return tuple(sorted(found, key=lambda parameter: parameter.path))


def _entries(
    table: Mapping[str, Any], fields: Mapping[str, FieldInfo], above: tuple[str, ...] = ()
) -> Iterator[tuple[str, Any]]:
    free = bool(above) and _free_table(above, fields) is not None
    for name, value in table.items():
        levels = (*above, *([str(name)] if free else _levels(str(name))))
        if isinstance(value, Mapping) and value and not any(_says(value, key) for key in KEYS):
            yield from _entries(value, fields, levels)
        else:
            yield join_name(levels), value


def _levels(name: str) -> list[str]:
    try:
        return split_name(name)
    except ConfigError as error:
        raise PlanError(
            f"{PLACE}: {error.what}",
            got=error.got,
            allowed=error.allowed,
            remedy=error.remedy,
            settings=(PLACE,),
        ) from error


def _says(table: Mapping[str, Any], key: str) -> bool:
    return key in table and not isinstance(table[key], Mapping)


def _parameter(path: str, spec: Any, fields: Mapping[str, FieldInfo]) -> Parameter:
    field = _field(path, fields)
    if isinstance(spec, Mapping):
        for key in spec:
            if key not in KEYS:
                close = nearest(key, KEYS)
                raise _refusal(
                    path,
                    f"there is no {key!r}",
                    got=_short(dict(spec)),
                    allowed=", ".join(KEYS),
                    remedy=f"Did you mean {close}?" if close else "Remove it.",
                )
        if "choices" not in spec:
            parameter: Parameter = _range(path, spec, field)
        elif len(spec) > 1:
            raise _refusal(path, "choices and a range contradict each other", got=_short(dict(spec)))
        else:
            parameter = _choice(path, spec["choices"])
    else:
        parameter = _choice(path, spec)
    _check_values(parameter)
    return parameter


def _field(path: str, fields: Mapping[str, FieldInfo]) -> FieldInfo:
    if path in fields:
        return fields[path]
    levels = split_name(path)
    table = _free_table(levels[:-1], fields)
    if table is not None:
        return table
    if path.partition(".")[0] in PlanSections.model_fields and path.partition(".")[0] not in SEARCHABLE:
        raise PlanError(
            f"{PLACE}: {path} is not for a search to vary",
            got=path,
            allowed="settings of " + ", ".join(SEARCHABLE),
            remedy="Set it in the plan: data, folds and costs are the same for every trial.",
            settings=(PLACE,),
        )
    error = unknown(path, list(fields), origin=PLACE)
    raise PlanError(error.what, got=error.got, allowed=error.allowed, remedy=error.remedy, settings=(PLACE,))


def _free_table(levels: Sequence[str], fields: Mapping[str, FieldInfo]) -> FieldInfo | None:
    """Return the free-form table at or above a place; None where every key is a setting."""
    for length in range(len(levels), 0, -1):
        field = fields.get(join_name(levels[:length]))
        if field is not None and dict in {getattr(o, "__origin__", o) for o in options_of(field.annotation)}:
            return field
    return None


def _choice(path: str, values: Any) -> Choice:
    if not isinstance(values, list | tuple):
        raise _refusal(
            path,
            "a single value leaves nothing to search",
            got=_short(values),
            allowed="a list of choices, or { low = ..., high = ... }",
            remedy=f"Write a list, or set {path} in the plan.",
        )
    texts = [json.dumps(value, default=str) for value in values]
    if len(set(texts)) < 2:
        raise _refusal(
            path,
            "there is nothing to choose" if values else "the list of choices is empty",
            got=_short(list(values)),
            allowed="two or more different values",
            remedy=f"Add values, or set {path} in the plan and take it out of the space.",
        )
    if len(set(texts)) < len(texts):
        raise _refusal(
            path, "a choice is named twice", got=_short(list(values)), remedy="Name each of them once."
        )
    return Choice(path, tuple(list(v) if isinstance(v, tuple) else v for v in values))


def _range(path: str, spec: Mapping[str, Any], field: FieldInfo) -> Range:
    kinds = {getattr(option, "__origin__", option) for option in options_of(field.annotation)}
    free = dict in kinds
    if not free and not kinds & {int, float}:
        raise _refusal(
            path,
            "this setting is not a number, it has no range",
            got=_short(dict(spec)),
            allowed="a list of choices",
            remedy="Write the values in a list.",
        )
    for key in ("low", "high"):
        if key not in spec:
            raise _refusal(
                path,
                f"a range needs {key}",
                got=_short(dict(spec)),
                allowed="low and high, and step or log where wanted",
                remedy=f"Add {key}.",
            )
    numbers = {key: spec[key] for key in ("low", "high", "step") if spec.get(key) is not None}
    for key, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise _refusal(path, f"{key} is not a number", got=repr(value), remedy="Write a number.")
    log = spec.get("log", False)
    if not isinstance(log, bool):
        raise _refusal(path, "log is true or false", got=repr(log), remedy="Write log = true.")
    whole = (int in kinds and float not in kinds) or (
        free and all(isinstance(value, int) for value in numbers.values())
    )
    if whole and any(value != int(value) for value in numbers.values()):
        raise _refusal(
            path, "this setting takes whole numbers", got=_short(dict(spec)), remedy="Round the bounds."
        )
    low, high, step = spec["low"], spec["high"], spec.get("step")
    if low >= high:
        raise _refusal(
            path,
            "low is not below high, the range is empty" if low > high else "the range is a single value",
            got=f"low = {low}, high = {high}",
            allowed="low < high",
            remedy="Exchange the two." if low > high else f"Set {path} in the plan, or widen the range.",
        )
    if step is not None and not 0 < step <= high - low:
        raise _refusal(
            path,
            "step does not fit into the range",
            got=_short(dict(spec)),
            allowed=f"above 0, to {high - low}",
        )
    if log and (low <= 0 or step is not None):
        raise _refusal(
            path,
            "orders of magnitude begin above 0 and know no steps",
            got=_short(dict(spec)),
            remedy="Raise low above 0, and leave out step or log.",
        )
    return Range(path, low, high, step=step, log=log, whole=whole)


def _check_values(parameter: Parameter) -> None:
    """Let the setting itself say whether it takes the values at the ends."""
    section, _, rest = parameter.path.partition(".")
    for value in parameter.extremes:
        try:
            PlanSections.sections()[section].sealed(**nested({rest: value}))
        except ConfigError as error:
            raise PlanError(
                f"{PLACE}: {error.what}",
                got=error.got,
                allowed=error.allowed,
                remedy=error.remedy,
                settings=(PLACE,),
            ) from error


def _refusal(
    path: str, what: str, *, got: object = None, allowed: str | None = None, remedy: str | None = None
) -> PlanError:
    return PlanError(f'{PLACE}."{path}": {what}', got=got, allowed=allowed, remedy=remedy, settings=(PLACE,))


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:79] + "…"
