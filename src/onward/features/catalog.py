"""Every stage by name: made from a plan's options, written down, and found again.

A new stage is one file and one line in `CATALOG` (causal) or `FITTED` (fitted in a fold). Stages
of other packages come through the entry-point group ``onward.stages``. Classes are named as text
and loaded on first use, so that listing stages imports none of them.

What a saved model keeps of an outside stage names the package and its version beside the JSON.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol, Self, TypeVar, cast, runtime_checkable

from onward.errors import StageError, nearest
from onward.features.declarations import attributed
from onward.features.packages import OfferedStage, StageKind, installed_offer, offer_of, offered_stages
from onward.protocols import CausalStage, FittedStage
from onward.types import Market

__all__ = [
    "CATALOG",
    "FITTED",
    "BuildableStage",
    "TwoPartStage",
    "fitted_class",
    "fitted_from_saved",
    "make_fitted",
    "make_stage",
    "saved_spec",
    "saved_state",
    "stage_class",
    "stage_from_spec",
    "stage_kind",
    "stage_names",
    "stage_origin",
]

CATALOG: Mapping[str, str] = MappingProxyType(
    {
        "manual": "onward.features.manual.stage:ManualFeaturesStage",
        "alpha158": "onward.features.manual.stage:Alpha158Stage",
        "fracdiff": "onward.features.fracdiff.stage:FracDiffStage",
        "featuretools": "onward.features.featuretools.stage:FeaturetoolsStage",
        "tsfresh": "onward.features.tsfresh.stage:TSFreshStage",
    }
)
"""Causal stages: name -> ``module:class`` of a `BuildableStage`."""

FITTED: Mapping[str, str] = MappingProxyType(
    {
        "selection": "onward.features.selection.shifted_labels:ShiftedLabelSelector",
        "advanced_selection": "onward.features.selection.advanced:AdvancedFeatureSelector",
        "autofeat": "onward.features.autofeat.stage:AutoFeatStage",
        "tsfresh_relevance": "onward.features.tsfresh.relevance:TSFreshRelevance",
    }
)
"""Fitted stages: name -> ``module:class`` of a `FittedStage`."""

_OWN: Mapping[StageKind, Mapping[str, str]] = MappingProxyType({"causal": CATALOG, "fitted": FITTED})

ORIGIN = ("package", "version")
WRAPPED = frozenset({"stage", "spec", *ORIGIN})
"""Keys of a saved specification of an outside stage; its own one stands under ``spec``."""


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
    """Return the names of all causal stages, then of what other packages offer, of either kind.

    Nothing is imported for it; `stage_kind` tells what an outside stage is.
    """
    return (*CATALOG, *(name for name in offered_stages() if not _is_ours(name)))


def stage_kind(name: str) -> StageKind:
    """Return whether a stage is causal or fitted; raises `StageError` as `stage_class` does."""
    _refuse_rivals(name)
    if _is_ours(name):
        return "causal" if name in CATALOG else "fitted"
    return _offered(name).kind()


def stage_class(name: str) -> type[BuildableStage]:
    """Return the class of a causal stage.

    Raises
    ------
    StageError
        If no causal stage of that name exists, several claim it, or it cannot be loaded.
    """
    return cast("type[BuildableStage]", _class(name, "causal"))


def fitted_class(name: str) -> type[FittedStage]:
    """Return the class of a fitted stage; raises `StageError` as `stage_class` does."""
    return cast("type[FittedStage]", _class(name, "fitted"))


def make_stage(name: str, market: Market, options: Mapping[str, Any] | None = None) -> BuildableStage:
    """Return a causal stage made for a market with the options of a plan.

    Raises
    ------
    StageError
        If there is no such stage, it refuses the options, or it goes by another name than asked.
    """
    chosen = stage_class(name)
    accepted = _parameters(chosen.for_market, chosen)[1:]
    with attributed(name, "for_market()"), _options(name, options or {}, accepted):
        stage = chosen.for_market(market, **(options or {}))
    return _named(name, stage)


def make_fitted(name: str, options: Mapping[str, Any] | None = None) -> FittedStage:
    """Return an unfitted stage with the options of a plan; raises as `make_stage` does."""
    chosen: type[Any] = fitted_class(name)
    with attributed(name, "its constructor"), _options(name, options or {}, _parameters(chosen)):
        stage: FittedStage = chosen(**(options or {}))
    return _named(name, stage)


def stage_origin(stage: CausalStage | FittedStage) -> dict[str, str] | None:
    """Return ``package`` and ``version`` of an outside stage.

    None for Onward's own, and for those that no installed package offers by an entry point.
    """
    offer = offer_of(stage, stage.name)
    return None if offer is None else dict(zip(ORIGIN, (offer.package, offer.version), strict=True))


def saved_spec(stage: CausalStage) -> dict[str, Any]:
    """Return, as plain JSON values, what a bundle keeps of a causal stage found by name.

    Its own ``spec()``; of an outside stage, that together with package and version.

    Raises
    ------
    StageError
        If it has no ``spec()``, or nobody could find it again by its name.
    """
    spec = getattr(stage, "spec", None)
    origin = stage_origin(stage)
    if spec is None or (origin is None and type(stage).__module__.partition(".")[0] != "onward"):
        raise StageError(
            f"the stage {stage.name!r} cannot be saved",
            got=f"a {type(stage).__qualname__} "
            + ("without spec()" if spec is None else "that no installed package offers"),
            allowed="a stage named as module:name, or one with spec() and from_spec() in a catalogue",
            remedy="Name it in features.stages by its address, or add the two methods and the entry point "
            "onward.stages.",
        )
    written: dict[str, Any] = spec()
    return written if origin is None else {"stage": stage.name, **origin, "spec": written}


def saved_state(stage: FittedStage) -> dict[str, Any]:
    """Return, as plain JSON values, what a bundle keeps of a fitted stage: name, state and origin."""
    return {"stage": stage.name, **(stage_origin(stage) or {}), "state": stage.to_json()}


def stage_from_spec(spec: Mapping[str, Any]) -> BuildableStage:
    """Rebuild a causal stage from what `saved_spec` or its ``spec()`` returned, through JSON or not.

    Raises
    ------
    StageError
        If the specification names no stage or an unknown one, or an outside one of which the
        package is not here, or not in the version that wrote it.
    """
    name = _spelt_name(spec)
    chosen = cast("type[BuildableStage]", _saved_class(name, spec, "causal"))
    return chosen.from_spec(spec["spec"] if set(spec) == WRAPPED else spec)


def fitted_from_saved(saved: Mapping[str, Any]) -> FittedStage:
    """Rebuild a fitted stage from what `saved_state` returned; raises as `stage_from_spec` does."""
    chosen = cast("type[FittedStage]", _saved_class(_spelt_name(saved), saved, "fitted"))
    return chosen.from_json(saved["state"])


def _is_ours(name: str) -> bool:
    return name in CATALOG or name in FITTED


def _class(name: str, kind: StageKind) -> type[Any]:
    """Return the class that a plan means."""
    _refuse_rivals(name)
    if name in _OWN[kind]:
        return _own_class(name, _OWN[kind][name])
    offer = _offered(name, kind)
    if offer.kind() != kind:
        raise StageError(
            f"the stage {name!r} of {offer.origin} is {offer.kind()}, where a {kind} one is wanted",
            got=offer.place,
            allowed="compute() makes a stage causal, fit() without it fitted",
            remedy="Ask stage_kind() first, or rename one of the two.",
        )
    return offer.load()


def _refuse_rivals(name: str) -> None:
    """Let nobody take over a name in silence, neither Onward's nor each other's."""
    claims = [f"{offer.place} of {offer.origin}" for offer in offered_stages().get(name, ())]
    if claims and (_is_ours(name) or len(claims) > 1):
        raise StageError(
            f"more than one stage is called {name!r}",
            got=", ".join([*(["Onward's own"] if _is_ours(name) else []), *claims]),
            allowed="one stage a name",
            remedy="Rename the entry point in one of these packages, or uninstall it.",
        )


def _saved_class(name: str, saved: Mapping[str, Any], kind: StageKind) -> type[Any]:
    """Return the class that wrote something: Onward's own, unless a package is named."""
    if all(key in saved for key in ORIGIN) and name not in _OWN[kind]:
        return installed_offer(name, *(str(saved[key]) for key in ORIGIN)).load()
    if name in _OWN[kind]:
        return _own_class(name, _OWN[kind][name])
    return _class(name, kind)


def _offered(name: str, kind: StageKind | None = None) -> OfferedStage:
    offers = offered_stages().get(name)
    if offers:
        return offers[0]
    known = [*(_OWN[kind] if kind else {**CATALOG, **FITTED}), *offered_stages()]
    close = nearest(name, known)
    raise StageError(
        "there is no stage of this name",
        got=repr(name),
        allowed=", ".join(known) or "none is installed",
        remedy=f"Did you mean {close!r}?" if close else "Install the package that provides it.",
    )


@cache
def _own_class(name: str, place: str) -> type[Any]:
    module, _, attribute = place.partition(":")
    try:
        return cast("type[Any]", getattr(importlib.import_module(module), attribute))
    except (ImportError, AttributeError) as error:
        raise StageError(
            f"the stage {name!r} cannot be loaded",
            got=f"{type(error).__name__}: {error}",
            remedy=f"Repair or reinstall the package that provides {place}.",
        ) from error


def _spelt_name(saved: Mapping[str, Any]) -> str:
    name = dict(saved).get("stage")
    if not isinstance(name, str):
        raise StageError(
            "a stage specification does not name its stage",
            got=json.dumps(saved, default=str)[:120],
            allowed='a mapping such as {"stage": "manual", ...}',
            remedy="Use what stage.spec() returned.",
        )
    return name


StageT = TypeVar("StageT", bound=CausalStage | FittedStage)


def _named(name: str, stage: StageT) -> StageT:
    found = getattr(stage, "name", None)
    if found != name:
        raise StageError(
            f"the stage {name!r} goes by another name",
            got=repr(found) if found is not None else f"a {type(stage).__name__} without a name",
            allowed="the name under which it was found: a saved model finds it by that",
            remedy="Give the stage and its entry point one name.",
        )
    return stage


@contextmanager
def _options(name: str, options: Mapping[str, Any], accepted: Sequence[str]) -> Iterator[None]:
    """Turn what a constructor says about its arguments into a refusal that teaches."""
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        unknown = [option for option in options if option not in accepted]
        close = nearest(unknown[0], accepted) if unknown else None
        raise StageError(
            f"the stage {name!r} refuses its options" if options else f"the stage {name!r} cannot be made",
            got=f"{', '.join(f'{k} = {v!r}' for k, v in options.items()) or 'no option'} "
            f"({type(error).__name__}: {error})"[:300],
            allowed=", ".join(accepted) or "no option",
            remedy=f"Did you mean {close!r}?" if close else "Correct the options, or leave them out.",
        ) from error


def _parameters(*makers: Callable[..., Any]) -> tuple[str, ...]:
    """Return the arguments by name; of a maker that takes any, those of the next one as well."""
    names: list[str] = []
    for maker in makers:
        found = list(inspect.signature(maker).parameters.values())
        names += [p.name for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        if not any(p.kind is p.VAR_KEYWORD for p in found):
            break
    return tuple(dict.fromkeys(names))
