"""Definitions: JSON and back, names, depth, and which of them kernels may compute."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from onward.errors import StageError
from onward.features.featuretools.columns import TIME
from onward.features.featuretools.comparable import canonical, is_comparable
from onward.features.featuretools.definition import Expression, from_json, name_columns
from onward.features.featuretools.synthesis import _shipped

X = Expression("column", "x")
NOW = Expression("column", TIME)


def over(name: str, parent: str = "day", *inputs: Expression) -> Expression:
    return Expression("aggregation", name, inputs or (X,), parent)


def transform(name: str, *inputs: Expression) -> Expression:
    return Expression("transform", name, inputs)


SHIPPED = [e for expressions in _shipped().values() for e in expressions]


def test_every_shipped_definition_survives_json() -> None:
    assert len(SHIPPED) > 300
    for expression in SHIPPED:
        assert from_json(json.loads(json.dumps(expression.to_json()))) == expression
        assert expression.native


def test_column_names_are_safe_and_unique() -> None:
    names = [d.column for d in name_columns(_shipped()["number"], "featuretools")]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"featuretools__[a-z0-9_.]+", name) for name in names)


def test_equal_names_are_numbered_and_strange_ones_made_safe() -> None:
    first = over("mean", "day", Expression("column", "dev activity"))
    second = over("mean", "day", Expression("column", "Dev/Activity"))
    assert [d.column for d in name_columns([first, second], "featuretools")] == [
        "featuretools__days.mean.dev_activity",
        "featuretools__days.mean.dev_activity.2",
    ]


def test_text_is_what_featuretools_calls_it() -> None:
    assert over("mean").text() == "days.MEAN(bars.x)"
    assert Expression("aggregation", "count", (), "week").text() == "weeks.COUNT(bars)"
    assert over("trend", "day", X, NOW).text() == "days.TREND(bars.x, bars.time)"
    assert transform("subtract_numeric", X, over("max")).text() == "x - days.MAX(bars.x)"
    assert Expression("grouped", "percentile", (X,), "day").text() == "PERCENTILE(x) by day"
    assert transform("absolute", X).text() == "ABSOLUTE(x)"


def test_depth_counts_direct_features() -> None:
    assert (X.depth, transform("absolute", X).depth, over("mean").depth) == (0, 1, 2)
    assert transform("divide_numeric", X, over("std")).depth == 3
    assert over("mean", "day", transform("absolute", X)).depth == 3


def test_an_aggregate_of_past_aggregates_is_not_for_kernels() -> None:
    assert not over("mean", "week", over("std", "day")).native
    assert over("mean", "moment", over("std", "day")).native
    assert not over("count_above_mean").native
    assert not transform("tangent", over("mean")).native


def test_of_time_kernels_know_the_clock_of_the_row_alone() -> None:
    assert transform("hour", NOW).native
    assert over("time_since_first", "day", NOW).native
    assert over("trend", "day", X, NOW).native
    assert not transform("hour", over("first", "day", NOW)).native
    assert not over("first", "day", NOW).native
    assert not transform("greater_than", NOW, over("first", "day", NOW)).native


@pytest.mark.parametrize(
    "value",
    [
        3,
        None,
        [],
        {},
        {"aggregation": "mean"},
        {"aggregation": "meen", "of": ["x"], "over": "day"},
        {"aggregation": "mean", "of": ["x"]},
        {"aggregation": "mean", "of": "x", "over": "day"},
        {"aggregation": "mean", "of": ["x"], "over": "year"},
        {"aggregation": ["mean"], "of": ["x"], "over": "day"},
        {"transform": "cum_sum", "of": ["x"]},
        {"transform": "absolute", "of": ["x"], "over": "day"},
        {"transform": "absolute", "aggregation": "mean", "of": ["x"]},
        {"transform": "divide_numeric", "of": ["x"]},
        {"aggregation": "trend", "of": ["x", "y"], "over": "day"},
        {"aggregation": "count", "of": ["x"], "over": "day"},
        {"transform": "absolute", "of": ["x"], "code": "import os"},
    ],
)
def test_what_is_no_definition_is_refused(value: Any) -> None:
    with pytest.raises(StageError, match="cannot be read"):
        from_json(value)


def test_deep_nesting_is_refused_rather_than_followed() -> None:
    value: Any = "x"
    for _ in range(500):
        value = {"transform": "absolute", "of": [value]}
    with pytest.raises(StageError, match="cannot be read"):
        from_json(value)


@pytest.mark.parametrize(
    ("expression", "kept_for"),
    [
        (X, set()),
        (over("mean"), {"change", "size"}),
        (over("std"), {"change", "size", "level"}),
        (over("sum"), {"change"}),
        (over("percent_true"), {"flag"}),
        (transform("subtract_numeric", X, over("mean")), {"level"}),
        (transform("divide_numeric", X, over("std")), {"change", "size"}),
        (transform("divide_numeric", X, over("mean")), {"size"}),
        (transform("divide_numeric", X, over("min")), set()),
        (transform("divide_numeric", over("mean", "day"), over("mean", "week")), {"size"}),
        (transform("divide_numeric", over("mean", "week"), over("mean", "day")), set()),
        (transform("divide_numeric", over("max", "day"), over("mean", "week")), set()),
        (transform("subtract_numeric", over("max", "day"), over("min", "day")), set()),
        (transform("add_numeric", X, over("mean")), set()),
        (over("mean", "moment"), {"change", "size"}),
        (over("trend", "moment", X, NOW), set()),
        (transform("subtract_numeric", X, over("mean", "moment")), {"change"}),
        (transform("hour", NOW), {"change", "size", "level", "flag"}),
        (Expression("grouped", "percentile", (X,), "day"), {"change", "size", "level"}),
        (Expression("grouped", "percentile", (X,), "moment"), {"change", "size"}),
        (Expression("grouped", "percentile", (over("std"),), "week"), set()),
        (Expression("grouped", "percentile", (over("std"),), "moment"), {"change", "size", "level"}),
    ],
)
def test_like_is_compared_with_like(expression: Expression, kept_for: set[str]) -> None:
    kept = {m for m in ("change", "size", "level", "flag") if is_comparable(expression, lambda _, m=m: m)}  # type: ignore[misc]
    assert kept == kept_for


def test_different_columns_are_never_compared() -> None:
    other = over("std", "day", Expression("column", "y"))
    assert not is_comparable(transform("divide_numeric", X, other), lambda _: "change")


def test_a_difference_has_one_spelling() -> None:
    short, long = over("max", "day"), over("max", "week")
    assert canonical(transform("subtract_numeric", long, short)) == transform("subtract_numeric", short, long)
    assert canonical(transform("subtract_numeric", short, X)) == transform("subtract_numeric", X, short)
    assert canonical(transform("divide_numeric", long, short)) == transform("divide_numeric", long, short)
