"""Every stage by name, and the way back from a saved specification to a stage.

A new stage is one file and one line in `CATALOG` (causal) or `FITTED` (fitted in a fold). Stages
of other packages come through the entry-point group ``onward.stages``. Classes are named as text
and loaded on first use, so that listing stages imports none of them.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, Protocol, Self, cast, runtime_checkable

from onward.errors import StageError, nearest
from onward.protocols import CausalStage, FittedStage
from onward.types import Market

__all__ = [
    "CATALOG",
    "FITTED",
    "BuildableStage",
    "TwoPartStage",
    "fitted_class",
    "stage_class",
    "stage_from_spec",
    "stage_names",
]

CATALOG: Mapping[str, str] = MappingProxyType(
    {
        "manual": "onward.features.manual.stage:ManualFeaturesStage",
        "alpha158": "onward.features.manual.stage:Alpha158Stage",
    }
)
"""Causal stages: name -> ``module:class`` of a `BuildableStage`."""

FITTED: Mapping[str, str] = MappingProxyType(
    {
        "selection": "onward.features.selection.shifted_labels:ShiftedLabelSelector",
        "advanced_selection": "onward.features.selection.advanced:AdvancedFeatureSelector",
        "autofeat": "onward.features.autofeat.stage:AutoFeatStage",
    }
)
"""Fitted stages: name -> ``module:class`` of a `FittedStage`."""

ENTRY_POINTS = "onward.stages"


class BuildableStage(CausalStage, Protocol):
    """A causal stage that can be made for a market, written down as JSON and rebuilt from it."""

    @classmethod
    def for_market(cls, market: Market, **options: Any) -> Self:
        """Return the stage for what a market offers: its defaults, but for the options given.

        The options are those of a plan: plain values from ``[features.<stage>]``, or for stages of
        other packages from ``[features.options.<stage>]``. Nothing but the shape of the market is
        read: symbols, timeframe, names of side series.

        Raises
        ------
        UserError
            If an option is unknown or refused.
        """

    @classmethod
    def examples(cls, market: Market) -> Sequence[Self]:
        """Return stages with several option sets; the contract suite runs on each."""

    def spec(self) -> dict[str, Any]:
        """Return plain JSON values with the key ``stage``: all that rebuilds the same columns."""

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Rebuild a stage from its specification."""


@runtime_checkable
class TwoPartStage(Protocol):
    """A causal stage of which something is fitted too, such as a relevance test of its columns.

    In a plan both go by one name. All causal parts run first, over the history; the fitted parts
    follow in plan order, inside the fold.
    """

    def fitted_part(self) -> FittedStage | None:
        """Return the unfitted part, new on every call; None when the options switch it off.

        It lets the columns of other stages pass untouched and is found in `FITTED` (or among the
        entry points) under its own name.
        """


def stage_names() -> tuple[str, ...]:
    """Return the names of all causal stages, those of other packages last."""
    return (*CATALOG, *(name for name in _foreign() if name not in CATALOG and name not in FITTED))


def stage_class(name: str) -> type[BuildableStage]:
    """Return the class of a causal stage.

    Raises
    ------
    StageError
        If no stage of that name exists or its module cannot be loaded.
    """
    return cast("type[BuildableStage]", _load(name, CATALOG))


def fitted_class(name: str) -> type[FittedStage]:
    """Return the class of a fitted stage; raises `StageError` as `stage_class` does."""
    return cast("type[FittedStage]", _load(name, FITTED))


def stage_from_spec(spec: Mapping[str, Any]) -> BuildableStage:
    """Rebuild a causal stage from what its ``spec()`` returned, through JSON or not.

    Raises
    ------
    StageError
        If the specification names no stage, or an unknown one.
    """
    name = dict(spec).get("stage")
    if not isinstance(name, str):
        raise StageError(
            "a stage specification does not name its stage",
            got=json.dumps(spec, default=str)[:120],
            allowed='a mapping such as {"stage": "manual", ...}',
            remedy="Use what stage.spec() returned.",
        )
    return stage_class(name).from_spec(spec)


@cache
def _foreign() -> Mapping[str, str]:
    return {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}


def _load(name: str, catalog: Mapping[str, str]) -> type[Any]:
    places = {**_foreign(), **catalog}
    if name not in places:
        close = nearest(name, places)
        raise StageError(
            "there is no stage of this name",
            got=repr(name),
            allowed=", ".join(places) or "none is installed",
            remedy=f"Did you mean {close!r}?" if close else "Install the package that provides it.",
        )
    module, _, attribute = places[name].partition(":")
    try:
        return cast("type[Any]", getattr(importlib.import_module(module), attribute))
    except (ImportError, AttributeError) as error:
        raise StageError(
            f"the stage {name!r} cannot be loaded",
            got=f"{type(error).__name__}: {error}",
            remedy=f"Repair or reinstall the package that provides {places[name]}.",
        ) from error
