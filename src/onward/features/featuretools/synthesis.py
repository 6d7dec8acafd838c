"""Options to definitions: from the file that ships with the package, or from featuretools itself.

Deep feature synthesis is monotone: what it makes of some primitives, parents and depth is what it
makes of more of them, less everything that uses the rest. So one file with the definitions of all
primitives in `SHIPPED` answers most requests by filtering, and a plain installation needs no
featuretools. Whatever goes beyond is synthesised in a child process.

Columns are synthesised one by one, as differences between unlike columns would be filtered out
anyway (`onward.features.featuretools.comparable`); with ``comparable_only=False`` all at once.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from onward.errors import ConfigError, StageError
from onward.features.featuretools.columns import Meaning, column
from onward.features.featuretools.comparable import canonical, is_comparable
from onward.features.featuretools.definition import Definition, Expression, from_json, name_columns
from onward.features.featuretools.parameters import Parameters
from onward.features.featuretools.parents import PARENTS
from onward.features.featuretools.primitives import PRIMITIVES
from onward.features.isolation import IsolatedProcess, Limits

__all__ = ["SHIPPED", "definitions", "is_installed", "synthesise_templates"]

ENGINE = "onward.features.featuretools.engine:synthesise"
TEMPLATE = "x"
NUMBERS: tuple[Meaning, ...] = ("change", "size", "level")

SHIPPED: Mapping[str, Any] = {
    "aggregations": tuple(p.name for p in PRIMITIVES.values() if p.kind == "aggregation" and p.native),
    "transforms": (
        *("subtract_numeric", "divide_numeric", "absolute", "hour", "minute", "weekday", "day", "month"),
        *("quarter", "day_of_year", "week", "is_weekend"),
    ),
    "ranks": ("percentile",),
    "parents": tuple(PARENTS),
    "max_depth": 3,
}
"""What the shipped definitions were synthesised with."""


def is_installed() -> bool:
    """Return whether featuretools can be imported, without importing it."""
    return importlib.util.find_spec("featuretools") is not None


def definitions(parameters: Parameters, columns: Sequence[str], prefix: str) -> tuple[Definition, ...]:
    """Return the definitions that options ask for, in a stable order.

    Raises
    ------
    ConfigError
        When featuretools would be needed and is not installed, or nothing is left.
    StageError
        When the child process that synthesises fails, is killed or times out.
    """
    if not parameters.comparable_only:
        found = _synthesised({name: _kind(column(name).meaning) for name in columns}, parameters)
        kept = [canonical(expression) for expression in found if expression.kind != "column"]
    else:
        templates = _shipped() if _covered(parameters) else synthesise_templates(parameters)
        kept = [e for e in _instances(templates, columns) if _wanted(e, parameters)]
    unique = list(dict.fromkeys(kept))
    if parameters.max_features is not None:
        unique = sorted(unique, key=lambda expression: expression.depth)[: parameters.max_features]
    if not unique:
        raise ConfigError(
            "featuretools makes no feature of these options",
            got=f"columns {', '.join(columns) or 'none'}; aggregations {', '.join(parameters.aggregations)};"
            f" max_depth {parameters.max_depth}",
            allowed="options that leave at least one feature",
            remedy="Raise max_depth (an aggregation needs 2, a comparison with it 3), or add primitives"
            " or columns.",
        )
    return name_columns(unique, prefix)


def synthesise_templates(parameters: Parameters | None = None) -> dict[str, list[Expression]]:
    """Return what featuretools makes of one column, by its kind: ``number`` and ``flag``.

    The column is named `TEMPLATE`. Without parameters, with those of `SHIPPED`.
    """
    return {
        kind: [canonical(e) for e in _synthesised({TEMPLATE: kind}, parameters) if _ever(e, kind)]
        for kind in ("number", "flag")
    }


def _synthesised(columns: Mapping[str, str], parameters: Parameters | None) -> list[Expression]:
    options = SHIPPED if parameters is None else parameters.to_json()
    if not is_installed():
        shipped = {name: list(value) for name, value in SHIPPED.items() if isinstance(value, tuple)}
        raise ConfigError(
            "these featuretools options need featuretools itself, which is not installed",
            got=f"aggregations {', '.join(options['aggregations'])}; transforms"
            f" {', '.join(options['transforms'])}; max_depth {options['max_depth']}",
            allowed=f"without it: comparable_only, max_depth up to {SHIPPED['max_depth']}, aggregations"
            f" {', '.join(shipped['aggregations'])}; transforms {', '.join(shipped['transforms'])}",
            remedy='Install the extra with pip install "onward[automl]", or stay within these options.',
        )
    limits = Limits() if parameters is None else _limits(parameters)
    values = {
        "columns": dict(columns),
        **{name: options[name] for name in ("aggregations", "transforms", "ranks", "parents", "max_depth")},
    }
    values = {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
    with IsolatedProcess(limits=limits, hash_seed=0) as child:
        answer = child.call(ENGINE, {}, values, stage="featuretools")
    return [from_json(value) for value in answer.results["expressions"]]


def _limits(parameters: Parameters) -> Limits:
    return Limits(seconds=parameters.timeout_seconds, memory_bytes=int(parameters.max_gb * 1e9))


def _covered(parameters: Parameters) -> bool:
    return parameters.max_depth <= SHIPPED["max_depth"] and all(
        set(getattr(parameters, name)) <= set(SHIPPED[name])
        for name in ("aggregations", "transforms", "ranks", "parents")
    )


@cache
def _shipped() -> dict[str, list[Expression]]:
    source = files("onward.features.featuretools").joinpath("definitions.json")
    try:
        content = json.loads(source.read_text(encoding="utf-8"))
        return {kind: [from_json(value) for value in content[kind]] for kind in ("number", "flag")}
    except (OSError, ValueError, KeyError) as error:
        raise StageError(
            "the feature definitions that ship with Onward cannot be read",
            got=f"{type(error).__name__}: {error}",
            remedy="Reinstall Onward.",
        ) from error


def _instances(templates: Mapping[str, Iterable[Expression]], columns: Sequence[str]) -> list[Expression]:
    """Return the templates for every column; those that use no column once, at the beginning."""
    out = [e for e in templates["number"] if not e.columns and is_comparable(e, _no_column)]
    for name in columns:
        meaning = column(name).meaning
        out.extend(
            template.with_column(TEMPLATE, name)
            for template in templates[_kind(meaning)]
            if template.columns
            and set(template.parents) <= set(column(name).parents)
            and is_comparable(template, _always(meaning))
        )
    return out


def _wanted(expression: Expression, parameters: Parameters) -> bool:
    allowed = {
        "aggregation": parameters.aggregations,
        "transform": parameters.transforms,
        "grouped": parameters.ranks,
    }
    return (
        expression.depth <= parameters.max_depth
        and set(expression.parents) <= set(parameters.parents)
        and all(item.name in allowed[item.kind] for item in expression.walk() if item.kind != "column")
    )


def _ever(expression: Expression, kind: str) -> bool:
    meanings: tuple[Meaning, ...] = ("flag",) if kind == "flag" else NUMBERS
    return any(is_comparable(canonical(expression), _always(meaning)) for meaning in meanings)


def _kind(meaning: Meaning) -> str:
    return "flag" if meaning == "flag" else "number"


def _always(meaning: Meaning) -> Callable[[str], Meaning]:
    return lambda _: meaning


def _no_column(name: str) -> Meaning:
    raise AssertionError(name)
