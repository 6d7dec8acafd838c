"""What the columns of a `FeaturetoolsStage` need: bars of history, and time."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from onward.features.description import FeatureInfo
from onward.features.featuretools.columns import column
from onward.features.featuretools.definition import Definition, Expression
from onward.features.featuretools.parents import PARENTS

__all__ = ["describe_definitions", "lookback_of", "warn_of_cost"]

_log = logging.getLogger(__name__)

KERNEL_MICROSECONDS = 0.005
"""What a column costs a row beside its primitives."""

COSTLY_MICROSECONDS = 100.0
"""What no kernel costs: a column above this is computed by featuretools itself."""


def lookback_of(expression: Expression, *, window_ns: int, timeframe_ns: int) -> int:
    """Bars in the longest window, missing ones counted as if they were there, and the column's own."""
    own = max((column(name).lookback for name in expression.columns), default=1)
    spans = [min(window_ns, PARENTS[parent].span) for parent in expression.parents]
    return own - 1 + max((-(-span // timeframe_ns) for span in (*spans, 1)), default=1)


def describe_definitions(
    stage: str, definitions: Sequence[Definition], *, window_ns: int, timeframe_ns: int
) -> tuple[FeatureInfo, ...]:
    """Return one line a column; the family names the parents that it looks at."""
    n_engine = sum(not definition.expression.native for definition in definitions)
    return tuple(
        FeatureInfo(
            definition.column,
            stage,
            "+".join(definition.expression.parents) or "bar",
            lookback_of(definition.expression, window_ns=window_ns, timeframe_ns=timeframe_ns),
            _microseconds(definition.expression, n_engine),
        )
        for definition in definitions
    )


def warn_of_cost(features: Sequence[FeatureInfo]) -> None:
    """State what the columns cost that featuretools itself computes, before it begins."""
    engine = [info for info in features if (info.microseconds or 0.0) > COSTLY_MICROSECONDS]
    if engine:
        milliseconds = sum(info.microseconds or 0.0 for info in engine) / 1e3
        _log.warning(
            "featuretools: %d features are computed by featuretools itself, about %.0f ms a row"
            " (%.0f min for 10,000 rows): %s",
            len(engine),
            milliseconds,
            milliseconds * 10_000 / 60_000,
            ", ".join(info.column for info in engine[:3]) + (" ..." if len(engine) > 3 else ""),
        )


def _microseconds(expression: Expression, n_engine: int) -> float:
    """Return the cost of a definition: its kernels' share, or of the engine what a row costs at all."""
    if not expression.native:
        own = expression.walk()
        return max(e.primitive.microseconds for e in own if e.kind != "column" and not e.native) / n_engine
    return KERNEL_MICROSECONDS + sum(
        e.primitive.microseconds for e in expression.walk() if e.kind != "column"
    )
