"""The options of `FeaturetoolsStage`, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from onward.data.timeframe import format_timeframe
from onward.errors import ConfigError, nearest
from onward.features.featuretools.parents import PARENTS
from onward.features.featuretools.primitives import resolve_primitives

__all__ = [
    "DEFAULT_AGGREGATIONS",
    "DEFAULT_RANKS",
    "DEFAULT_TRANSFORMS",
    "Parameters",
    "check_parameters",
    "refuse_unknown",
]

DEFAULT_AGGREGATIONS = ("mean", "std", "min", "max", "skew", "trend", "sum", "percent_true", "count")
DEFAULT_TRANSFORMS = ("subtract_numeric", "divide_numeric")
DEFAULT_RANKS = ("percentile",)
DEEPEST = 5


@dataclass(frozen=True)
class Parameters:
    """See `onward.features.featuretools.FeaturetoolsStage`, whose arguments these are."""

    aggregations: tuple[str, ...]
    transforms: tuple[str, ...]
    ranks: tuple[str, ...]
    parents: tuple[str, ...]
    max_depth: int
    max_features: int | None
    comparable_only: bool
    training_window: str
    check_rows: int
    timeout_seconds: float
    max_gb: float

    @property
    def window_ns(self) -> int:
        """Training window in nanoseconds."""
        return int(pd.Timedelta(self.training_window).value)

    def to_json(self) -> dict[str, Any]:
        """Return the options by name as plain JSON values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def check_parameters(timeframe_ns: int, **given: Any) -> Parameters:
    """Return the options, checked.

    Parameters
    ----------
    timeframe_ns
        Length of a bar.
    given
        Values of all fields of `Parameters`, as a plan gives them.

    Raises
    ------
    ConfigError
        If one is unknown, refused or out of range, or if together they leave nothing to compute.
    """
    aggregations = resolve_primitives(given["aggregations"], "aggregation")
    transforms = resolve_primitives(given["transforms"], "transform")
    ranks = resolve_primitives(given["ranks"], "grouped")
    if not (aggregations or transforms or ranks):
        raise ConfigError(
            "featuretools is given no primitive",
            got="aggregations, transforms and ranks are empty",
            allowed="at least one primitive",
            remedy="Leave an option out to get its default, or featuretools out of the stages.",
            settings=("aggregations", "transforms", "ranks"),
        )
    parents = _parents(given["parents"], needed=bool(aggregations or ranks))
    for name, least, most in (("max_depth", 1, DEEPEST), ("check_rows", 0, 10_000)):
        whole = type(given[name]) is int and least <= given[name] <= most
        _check(name, given[name], whole, f"a whole number, {least} to {most}")
    most_features = given["max_features"]
    _check(
        "max_features",
        most_features,
        most_features is None or (type(most_features) is int and most_features >= 1),
        "a whole number, at least 1, or None for all",
    )
    _check(
        "comparable_only", given["comparable_only"], type(given["comparable_only"]) is bool, "true or false"
    )
    for name in ("timeout_seconds", "max_gb"):
        value = given[name]
        sound = isinstance(value, int | float) and not isinstance(value, bool)
        _check(name, value, sound and math.isfinite(value) and value > 0, "a finite number above 0")
    return Parameters(
        aggregations=aggregations,
        transforms=transforms,
        ranks=ranks,
        parents=parents,
        max_depth=given["max_depth"],
        max_features=most_features,
        comparable_only=given["comparable_only"],
        training_window=_window(given["training_window"], timeframe_ns),
        check_rows=given["check_rows"],
        timeout_seconds=float(given["timeout_seconds"]),
        max_gb=float(given["max_gb"]),
    )


def refuse_unknown(given: Mapping[str, Any], known: Sequence[str]) -> None:
    """Refuse options of names that do not exist, with the nearest that does; `ConfigError`."""
    for name in given:
        close = nearest(name, known)
        raise ConfigError(
            "the stage 'featuretools' has no option of this name",
            got=repr(name),
            allowed=", ".join(known),
            remedy=f"Did you mean {close!r}?" if close else "Leave it out.",
        )


def _parents(given: Any, *, needed: bool) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, Sequence):
        _check("parents", given, False, ", ".join(PARENTS))
    for name in names:
        if name not in PARENTS:
            close = nearest(str(name), PARENTS)
            raise ConfigError(
                "featuretools.parents names an unknown parent",
                got=repr(name),
                allowed=", ".join(PARENTS),
                remedy=f"Did you mean {close!r}?" if close else "Take some of the allowed ones.",
                settings=("parents",),
            )
    _check("parents", list(names), bool(names) or not needed, "at least one of " + ", ".join(PARENTS))
    return tuple(parent for parent in PARENTS if parent in names)


def _window(given: Any, timeframe_ns: int) -> str:
    try:
        window = pd.Timedelta(given)
        length = int(window.value)
    except (ValueError, TypeError, OverflowError):
        length = 0
    if isinstance(given, int | float) or length <= 0:
        _check("training_window", given, False, 'a duration such as "7d" or "36h"')
    if length < timeframe_ns:
        bar = format_timeframe(pd.Timedelta(timeframe_ns, unit="ns"))
        _check("training_window", given, False, f"at least one bar, which is {bar} long")
    if length > 366 * 86_400_000_000_000:
        _check("training_window", given, False, "at most 366 days")
    return str(given) if isinstance(given, str) else str(window)


def _check(name: str, value: Any, holds: bool, allowed: str) -> None:
    if not holds:
        raise ConfigError(
            f"featuretools.{name} is out of range",
            got=repr(value)[:120],
            allowed=allowed,
            remedy=f"Set featuretools.{name} accordingly.",
            settings=(name,),
        )
