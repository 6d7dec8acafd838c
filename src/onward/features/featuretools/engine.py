"""featuretools itself: what runs in the child process.

`synthesise` has its deep feature synthesis make definitions, on an entity set of two rows that
shows it nothing but types; `calculate` has it compute definitions by cutoff time. Logical types
are always given: woodwork would infer them from the values.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.features.featuretools.columns import TIME
from onward.features.featuretools.definition import Expression, from_json
from onward.features.featuretools.parents import PARENTS

__all__ = ["calculate", "synthesise"]

Arrays = Mapping[str, npt.NDArray[Any]]
Told = Callable[[float, float, str], None]

BARS, INDEX, MOMENT = "bars", "bar", "time"
NAMES = {PARENTS[option].frame: option for option in PARENTS}


def synthesise(
    arrays: Arrays, values: dict[str, Any], progress: Told
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what deep feature synthesis defines over the bars.

    Parameters
    ----------
    arrays
        Empty.
    values
        ``columns``: ``number`` or ``flag`` by name; ``aggregations``, ``transforms``, ``ranks``:
        primitives; ``parents``; ``max_depth``.
    progress
        Told before the work begins.

    Returns
    -------
    arrays : dict
        Empty.
    values : dict
        ``expressions``: JSON of every definition that uses no key; ``version`` of featuretools.
    """
    del arrays
    progress(0, 1, "importing featuretools")
    ft = _featuretools()
    aliases = {f"x{i}": name for i, name in enumerate(values["columns"])}
    kinds = dict(zip(aliases, values["columns"].values(), strict=True))
    frame = {alias: np.array([0.0, 1.0]) for alias in aliases}
    times = np.array([0, 3_600_000_000_000], dtype=np.int64)
    groups = {parent: np.array([0, 0]) for parent in values["parents"]}
    entities = _entity_set(ft, times, frame, kinds, groups)
    names = {"agg_primitives": "aggregations", "trans_primitives": "transforms"}
    features = ft.dfs(
        entityset=entities,
        target_dataframe_name=BARS,
        groupby_trans_primitives=list(values["ranks"]),
        max_depth=values["max_depth"],
        features_only=True,
        **{key: list(values[option]) for key, option in names.items()},
    )
    found = [_expression(feature, aliases) for feature in features]
    return {}, {"expressions": [e.to_json() for e in found if e is not None], "version": str(ft.__version__)}


def calculate(
    arrays: Arrays, values: dict[str, Any], progress: Told
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what featuretools computes for some rows with their decision times as cutoffs.

    Parameters
    ----------
    arrays
        ``time``: decision times, ns UTC, (n,); ``values``: columns of the bars, (k, n); ``groups``:
        group numbers, (parents, n); ``rows``: positions of the rows that are wanted, (m,).
    values
        ``columns``: ``number`` or ``flag`` by name, in the order of ``values``; ``parents`` in the
        order of ``groups``; ``expressions``; ``window_ns``: the training window.
    progress
        Told how many rows are finished.

    Returns
    -------
    arrays : dict
        ``matrix``: float64, (m, expressions), NaN for what is not a number.
    values : dict
        ``seconds`` of CPU time that it took, without the import; ``failed``: error by position of an
        expression that raised.
    """
    import time as clock

    ft = _featuretools()
    aliases = {f"x{i}": name for i, name in enumerate(values["columns"])}
    kinds = dict(zip(aliases, values["columns"].values(), strict=True))
    frame = {alias: np.array(arrays["values"][i]) for i, alias in enumerate(aliases)}
    groups = {parent: np.array(arrays["groups"][i]) for i, parent in enumerate(values["parents"])}
    started = clock.process_time()
    entities = _entity_set(ft, np.array(arrays["time"]), frame, kinds, groups)
    entities.add_last_time_indexes()
    builder = _Builder(ft, entities, {name: alias for alias, name in aliases.items()})
    features = [builder.feature(from_json(value)) for value in values["expressions"]]
    rows = np.array(arrays["rows"])
    cutoffs = pd.DataFrame({"instance_id": rows, "time": pd.to_datetime(np.array(arrays["time"])[rows])})
    window = ft.Timedelta(values["window_ns"] / 1e9, "s")
    failed: dict[str, str] = {}

    def matrix(wanted: Sequence[Any]) -> npt.NDArray[np.float64]:
        table = ft.calculate_feature_matrix(
            list(wanted), entityset=entities, cutoff_time=cutoffs.copy(), training_window=window, n_jobs=1
        )
        return np.column_stack([_numbers(table[feature.get_name()]) for feature in wanted])

    progress(0, len(rows), "computing by cutoff time")
    try:
        out = matrix(features)
    except Exception:  # one primitive that fails must not hide the others
        out = np.full((len(rows), len(features)), np.nan)
        for i, feature in enumerate(features):
            try:
                out[:, i] = matrix([feature])[:, 0]
            except Exception as error:
                failed[str(i)] = f"{type(error).__name__}: {error}"
    return {"matrix": out}, {"seconds": clock.process_time() - started, "failed": failed}


def _featuretools() -> Any:
    warnings.simplefilter("ignore")
    return importlib.import_module("featuretools")


def _numbers(column: Any) -> npt.NDArray[np.float64]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    numbers = pd.to_numeric(column, errors="coerce") if column.dtype == object else column
    values = np.asarray(numbers.astype("Float64").to_numpy(np.float64, na_value=np.nan))
    return np.where(np.isfinite(values), values, np.nan)


def _entity_set(
    ft: Any,
    times: npt.NDArray[np.int64],
    values: Mapping[str, npt.NDArray[Any]],
    kinds: Mapping[str, str],
    groups: Mapping[str, npt.NDArray[Any]],
) -> Any:
    """Return bars with their parents; parents have no time of their own."""
    frame: dict[str, Any] = {INDEX: np.arange(len(times)), MOMENT: pd.to_datetime(times)}
    types = {INDEX: "Integer", MOMENT: "Datetime"}
    for name, array in values.items():
        if kinds[name] == "flag":
            frame[name] = pd.array([pd.NA if np.isnan(x) else bool(x) for x in array], dtype="boolean")
        else:
            frame[name] = array
        types[name] = "BooleanNullable" if kinds[name] == "flag" else "Double"
    for parent, numbers in groups.items():
        frame[parent] = np.char.add("g", numbers.astype(str)).astype(object)
        types[parent] = "Unknown"
    entities = ft.EntitySet("market")
    bars = pd.DataFrame(frame)
    entities.add_dataframe(
        dataframe_name=BARS, dataframe=bars, index=INDEX, time_index=MOMENT, logical_types=types
    )
    for parent in groups:
        entities.add_dataframe(
            dataframe_name=PARENTS[parent].frame,
            dataframe=pd.DataFrame({parent: bars[parent].unique()}),
            index=parent,
            logical_types={parent: "Unknown"},
        )
        entities.add_relationship(PARENTS[parent].frame, parent, BARS, parent)
    return entities


def _expression(feature: Any, aliases: Mapping[str, str]) -> Expression | None:
    """Return a feature as an expression; None when it uses a key as if it were a value."""
    kind = type(feature).__name__
    if kind == "DirectFeature":
        return _expression(feature.base_features[0], aliases)
    if kind == "IdentityFeature":
        if feature.column_name == MOMENT:
            return Expression("column", TIME)
        return Expression("column", aliases[feature.column_name]) if feature.column_name in aliases else None
    name = feature.primitive.name
    if kind == "AggregationFeature":
        parent = NAMES[feature.dataframe_name]
        if name == "count":
            return Expression("aggregation", name, (), parent)
        return _with_inputs("aggregation", name, feature.base_features, parent, aliases)
    if kind == "GroupByTransformFeature":
        return _with_inputs("grouped", name, feature.base_features[:-1], feature.groupby.column_name, aliases)
    return _with_inputs("transform", name, feature.base_features, "", aliases)


def _with_inputs(
    kind: Any, name: str, bases: Sequence[Any], parent: str, aliases: Mapping[str, str]
) -> Expression | None:
    inputs = [_expression(base, aliases) for base in bases]
    if any(item is None for item in inputs):
        return None
    return Expression(kind, name, tuple(item for item in inputs if item is not None), parent)


class _Builder:
    """Makes featuretools' features of expressions."""

    def __init__(self, ft: Any, entities: Any, aliases: Mapping[str, str]) -> None:
        self.ft = ft
        self.entities = entities
        self.aliases = aliases
        self.relationships = {r.parent_name: r for r in entities.relationships}
        primitives = importlib.import_module("featuretools.primitives")
        self.aggregations = primitives.get_aggregation_primitives()
        self.transforms = primitives.get_transform_primitives()
        self._made: dict[Expression, Any] = {}

    def feature(self, expression: Expression) -> Any:
        if expression not in self._made:
            self._made[expression] = self._make(expression)
        return self._made[expression]

    def _make(self, expression: Expression) -> Any:
        base = importlib.import_module("featuretools.feature_base")
        if expression.kind == "column":
            name = MOMENT if expression.name == TIME else self.aliases[expression.name]
            return self._column(BARS, name)
        inputs = [self.feature(item) for item in expression.inputs]
        if expression.kind == "transform":
            return base.TransformFeature(inputs, primitive=self.transforms[expression.name]())
        if expression.kind == "grouped":
            return base.GroupByTransformFeature(
                inputs,
                primitive=self.transforms[expression.name](),
                groupby=self._column(BARS, expression.parent),
            )
        frame = PARENTS[expression.parent].frame
        aggregated = base.AggregationFeature(
            inputs or [self._column(BARS, INDEX)],
            parent_dataframe_name=frame,
            primitive=self.aggregations[expression.name](),
        )
        return base.DirectFeature(aggregated, BARS)

    def _column(self, frame: str, name: str) -> Any:
        return importlib.import_module("featuretools.feature_base").IdentityFeature(
            self.entities[frame].ww[name]
        )
