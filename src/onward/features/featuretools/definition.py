"""Feature definitions as values: what featuretools says with its objects, in plain JSON."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from onward.errors import StageError
from onward.features.featuretools.columns import TIME
from onward.features.featuretools.parents import PARENTS
from onward.features.featuretools.primitives import PRIMITIVES, Primitive

__all__ = ["Definition", "Expression", "from_json", "name_columns"]

INFIX = {"add_numeric": "+", "subtract_numeric": "-", "multiply_numeric": "*", "divide_numeric": "/"}
SPOKEN = {
    "add_numeric": "plus",
    "subtract_numeric": "minus",
    "multiply_numeric": "times",
    "divide_numeric": "over",
}
PAIRED = frozenset(
    {*INFIX, "greater_than", "less_than", "greater_than_equal_to", "less_than_equal_to", "modulo_numeric"}
)
TIMED = frozenset({"trend", "time_since_last_max", "time_since_last_min", "time_since_last_true"})
"""Aggregations that take the time index beside a column."""

CLOCKED = frozenset(
    {"time_since_first", "time_since_last", "first_last_time_delta", "avg_time_between", "hour", "minute"}
    | {"weekday", "day", "month", "quarter", "day_of_year", "week", "is_weekend"}
)
"""Primitives that our kernels compute of the time index alone."""

DEEPEST = 12

Kind = Literal["column", "transform", "aggregation", "grouped"]


@dataclass(frozen=True)
class Expression:
    """A definition without its column name.

    featuretools' direct features, which hand a parent's value to its bars, are left implicit: a
    value of a parent stands at each of its bars.

    Attributes
    ----------
    kind
        ``column`` of the bars, ``transform`` of inputs row by row, ``aggregation`` of the parent's
        bars to one value, or ``grouped``: a transform within the parent (a rank).
    name
        Of the column or the primitive.
    inputs
        What it is computed from; ``count`` has none.
    parent
        Name in `onward.features.featuretools.parents.PARENTS`; empty for columns and transforms.
    """

    kind: Kind
    name: str
    inputs: tuple[Expression, ...] = ()
    parent: str = ""

    @cached_property
    def primitive(self) -> Primitive:
        """The primitive; columns have none."""
        assert self.kind != "column"
        return PRIMITIVES[self.kind, self.name]

    @cached_property
    def depth(self) -> int:
        """Depth as featuretools counts it, the direct feature behind an aggregation included."""
        if self.kind == "column":
            return 0
        below = max((item.depth for item in self.inputs), default=0)
        return below + (2 if self.kind == "aggregation" else 1)

    @cached_property
    def aggregates(self) -> bool:
        """Whether an aggregation or a rank is anywhere in it."""
        return self.kind in ("aggregation", "grouped") or any(item.aggregates for item in self.inputs)

    @cached_property
    def native(self) -> bool:
        """Whether our kernels give what featuretools gives.

        Not so where an aggregation's inputs are aggregations over the past: at the cutoff,
        featuretools gives every earlier bar the value of *now*, which is another thing than the
        value of then that a running aggregate would see. Rows of one moment have one now.
        """
        if self.kind == "column":
            return True
        if self.parent and not PARENTS[self.parent].cross_section and any(i.aggregates for i in self.inputs):
            return False
        timed = any(item.name == TIME for item in self.inputs)
        if timed and self.name not in (TIMED if len(self.inputs) > 1 else CLOCKED):
            return False  # such as the first moment of a day, or one moment against another
        if self.name in CLOCKED and not timed:
            return False
        return self.primitive.native and all(item.native for item in self.inputs)

    def walk(self) -> Iterator[Expression]:
        """Yield this expression and everything in it."""
        yield self
        for item in self.inputs:
            yield from item.walk()

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns of bars that it is computed from, the time index left out."""
        names = [item.name for item in self.walk() if item.kind == "column" and item.name != TIME]
        return tuple(dict.fromkeys(names))

    @cached_property
    def parents(self) -> tuple[str, ...]:
        """Parents that it aggregates over."""
        return tuple(dict.fromkeys(item.parent for item in self.walk() if item.parent))

    def with_column(self, old: str, new: str) -> Expression:
        """Return the same expression of another column."""
        if self.kind == "column":
            return Expression("column", new) if self.name == old else self
        return Expression(
            self.kind, self.name, tuple(i.with_column(old, new) for i in self.inputs), self.parent
        )

    def to_json(self) -> Any:
        """Return a column's name, or a mapping with the primitive, its inputs and its parent."""
        if self.kind == "column":
            return self.name
        inputs = [item.to_json() for item in self.inputs]
        body: dict[str, Any] = {self.kind: self.name, "of": inputs}
        return {**body, "over": self.parent} if self.parent else body

    def text(self) -> str:
        """Return the name that featuretools gives it, such as ``days.MEAN(bars.log_return)``."""
        if self.kind == "column":
            return self.name.lstrip("@")
        inside = [item.text() for item in self.inputs]
        if self.kind == "aggregation":
            given = ", ".join(f"bars.{item}" for item in inside) or "bars"
            return f"{PARENTS[self.parent].frame}.{self.name.upper()}({given})"
        if self.kind == "grouped":
            return f"{self.name.upper()}({', '.join(inside)}) by {self.parent}"
        if self.name in INFIX:
            return f" {INFIX[self.name]} ".join(inside)
        return f"{self.name.upper()}({', '.join(inside)})"

    def slug(self) -> str:
        """Return a safe name: lower-case letters, digits, underscores and dots."""
        if self.kind == "column":
            return re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_") or "column"
        inside = [item.slug() for item in self.inputs if item.name != TIME]
        if self.name in SPOKEN:
            return f".{SPOKEN[self.name]}.".join(inside)
        own = [PARENTS[self.parent].frame] if self.parent else []
        return ".".join([*own, self.name, *([".and.".join(inside)] if inside else [])])


@dataclass(frozen=True)
class Definition:
    """A column of the stage and what it is.

    Attributes
    ----------
    column
        Full column name, ``featuretools__...``.
    expression
        How it is computed.
    """

    column: str
    expression: Expression

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"column": self.column, "is": self.expression.to_json()}


def from_json(value: Any, depth: int = 0) -> Expression:
    """Rebuild an expression from what `Expression.to_json` gave.

    Raises
    ------
    StageError
        If it is no expression, names an unknown primitive or parent, or is nested too deeply.
    """
    if isinstance(value, str):
        return Expression("column", value)
    kinds: tuple[Literal["transform", "aggregation", "grouped"], ...] = (
        "transform",
        "aggregation",
        "grouped",
    )
    try:
        (kind,) = (key for key in kinds if key in value)
        name, given, parent = value[kind], value["of"], value.get("over", "")
        sound = (
            depth < DEEPEST
            and set(value) <= {kind, "of", "over"}
            and (kind, name) in PRIMITIVES
            and not PRIMITIVES[kind, name].refused
            and isinstance(given, list)
            and len(given) == _n_inputs(kind, name, given)
            and (parent in PARENTS if kind != "transform" else parent == "")
        )
    except (TypeError, ValueError, KeyError):
        sound = False
    if not sound:
        raise StageError(
            "a saved definition cannot be read",
            got=reprlib.repr(value),
            allowed='such as {"aggregation": "mean", "of": ["log_return"], "over": "day"}',
            remedy="Use what stage.spec() returned.",
        )
    return Expression(kind, name, tuple(from_json(item, depth + 1) for item in given), parent)


def _n_inputs(kind: Kind, name: str, given: list[Any]) -> int:
    """Return how many inputs a primitive takes; -1 when it needs the time index and has it not."""
    if kind == "transform":
        return 2 if name in PAIRED else 1
    if kind == "grouped":
        return 1
    if name in TIMED:
        return 2 if TIME in given else -1
    return 0 if name == "count" else 1


def name_columns(expressions: Iterable[Expression], prefix: str) -> tuple[Definition, ...]:
    """Give every expression its column name; of equal names the later ones are numbered."""
    seen: dict[str, int] = {}
    out = []
    for expression in expressions:
        slug = expression.slug()
        seen[slug] = seen.get(slug, 0) + 1
        out.append(Definition(f"{prefix}__{slug}" + (f".{seen[slug]}" if seen[slug] > 1 else ""), expression))
    return tuple(out)


def used_columns(definitions: Iterable[Definition]) -> tuple[str, ...]:
    """Return the columns of bars behind definitions, in order of first use."""
    found: Mapping[str, None] = dict.fromkeys(c for d in definitions for c in d.expression.columns)
    return tuple(found)
