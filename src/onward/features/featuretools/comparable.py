"""Which definitions compare like with like.

Deep feature synthesis combines whatever types allow: returns minus volumes, prices divided by
weekly prices, quotients whose divisor passes through zero. What is kept are values that mean the
same in every year:

- a *level* (logarithm of price or volume) enters only as the difference between two values of its
  own, or as a spread, shape or trend;
- differences and quotients stand between a bar's own value and an aggregate of the same column, or
  between the same aggregate over a shorter and a longer parent;
- divisors are *sizes*, which cannot pass through zero;
- over the symbols of one moment, levels are not compared at all, and nothing that asks for the
  order of rows is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from onward.features.featuretools.columns import TIME, Meaning
from onward.features.featuretools.definition import Expression
from onward.features.featuretools.parents import PARENTS

__all__ = ["canonical", "is_comparable"]

Sense = Literal["change", "size", "level", "flag", "time", "pure"] | None
MeaningOf = Callable[[str], Meaning]

COMPARED = frozenset({"mean", "min", "max", "median", "first", "last", "std", "variance", "max_min_delta"})
DIVISORS = frozenset({"mean", "max", "median", "std", "variance", "max_min_delta"})
POSITIONS = frozenset({"mean", "min", "max", "median", "first", "last"})
SPREADS = frozenset({"std", "variance", "max_min_delta"})
FLAGS = frozenset({"percent_true", "num_true", "any", "all", "time_since_last_true"})
COUNTED = frozenset({"num_zero_crossings", "max_consecutive_positives", "max_consecutive_negatives"})
CLOCK = frozenset(
    {"hour", "minute", "second", "weekday", "day", "month", "quarter", "day_of_year", "week", "is_weekend"}
    | {"days_in_month", "is_first_week_of_month", "is_month_end", "is_month_start", "is_quarter_end"}
    | {"is_quarter_start", "is_year_end", "is_year_start", "is_leap_year", "is_lunch_time"}
    | {"is_working_hours", "nth_week_of_month"}
)


def is_comparable(expression: Expression, meaning: MeaningOf) -> bool:
    """Return whether a definition is worth keeping as a feature.

    Parameters
    ----------
    expression
        Of a synthesised feature.
    meaning
        What a column of bars means.
    """
    if expression.kind == "column":
        return False  # the bars' own columns are not synthesised
    return _sense(expression, meaning) in ("change", "size", "flag", "pure")


def canonical(expression: Expression) -> Expression:
    """Return a difference with the shorter-lived value first; everything else as it is.

    Which of ``a - b`` and ``b - a`` featuretools makes is, by its own documentation, not
    guaranteed.
    """
    if expression.kind == "column":
        return expression
    inputs = tuple(canonical(item) for item in expression.inputs)
    if expression.name == "subtract_numeric" and _reach(inputs[0]) > _reach(inputs[1]):
        inputs = (inputs[1], inputs[0])
    return Expression(expression.kind, expression.name, inputs, expression.parent)


def _reach(expression: Expression) -> tuple[int, str]:
    names = list(PARENTS)
    return max((names.index(parent) + 1 for parent in expression.parents), default=0), expression.text()


def _sense(expression: Expression, meaning: MeaningOf) -> Sense:
    if expression.kind == "column":
        return "time" if expression.name == TIME else meaning(expression.name)
    senses = [_sense(item, meaning) for item in expression.inputs]
    if None in senses:
        return None
    if expression.kind == "aggregation":
        return _aggregation(expression, senses)
    if expression.kind == "grouped":
        return _rank(expression, senses[0])
    return _transform(expression, senses)


def _aggregation(expression: Expression, senses: list[Sense]) -> Sense:
    name = expression.name
    if PARENTS[expression.parent].cross_section and (expression.primitive.ordered or "level" in senses):
        return None
    if not expression.inputs or set(senses) == {"time"}:
        return "pure"
    of = senses[0] if senses[0] != "time" else senses[-1]
    if of == "flag":
        return "pure" if name in FLAGS else None
    if of == "pure" or name in FLAGS:
        return None
    if name in POSITIONS:
        return of
    if name == "sum":
        return "change" if of == "change" else None
    if name in SPREADS:
        return "size"
    if name in COUNTED:
        return "pure" if of == "change" else None
    return "pure"


def _rank(expression: Expression, of: Sense) -> Sense:
    crossed = PARENTS[expression.parent].cross_section
    if of == "level" and crossed:
        return None
    if not crossed and any(item.aggregates for item in expression.inputs):
        return None  # at the cutoff, featuretools would rank now's value against itself
    return "pure" if of in ("change", "size", "level") else None


def _transform(expression: Expression, senses: list[Sense]) -> Sense:
    name = expression.name
    if name in CLOCK:
        return "pure" if senses == ["time"] else None
    if name == "not":
        return None  # the same in other words
    if len(senses) == 1:
        return _unary(name, senses[0])
    first, second = expression.inputs
    if first == second or not _alike(first, second):
        return None
    if name == "divide_numeric":
        fits = senses[1] == "size" and senses[0] in ("change", "size") and second.name in DIVISORS
        return None if not fits or (senses[0] == "change" and first.aggregates) else senses[0]
    if name in ("subtract_numeric", "greater_than", "less_than"):
        across = any(PARENTS[parent].cross_section for parent in second.parents)
        fits = senses[0] == senses[1] and (senses[0] == "level" or (senses[0] == "change" and across))
        return ("change" if name == "subtract_numeric" else "flag") if fits else None
    return None


def _unary(name: str, of: Sense) -> Sense:
    if name == "absolute":
        return "size" if of == "change" else None
    if name == "square_root":
        return "size" if of == "size" else None
    if name == "natural_logarithm":
        return "level" if of == "size" else None
    if name in ("sine", "cosine", "tangent"):
        return "pure" if of == "change" else None
    return None  # negated: the same in other words


def _alike(first: Expression, second: Expression) -> bool:
    """Return whether two inputs are values of one column that may be held against each other."""
    if first.columns != second.columns or second.name not in COMPARED:
        return False
    if not first.aggregates:
        return second.kind == "aggregation" and all(not item.aggregates for item in second.inputs)
    if first.kind != "aggregation" or second.kind != "aggregation":
        return False
    names = list(PARENTS)
    shorter = names.index(first.parent) < names.index(second.parent)
    crossed = PARENTS[first.parent].cross_section or PARENTS[second.parent].cross_section
    return shorter and not crossed and first.name == second.name and first.inputs == second.inputs
