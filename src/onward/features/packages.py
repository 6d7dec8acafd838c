"""Stages of other packages: what the installed ones offer, and whether it is what it claims to be.

A package offers a stage by an entry point::

    [project.entry-points."onward.stages"]
    sessions = "onward_session_features.stage:SessionStage"

Nothing of a package is imported before one of its stages is asked for by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from onward.errors import StageError

__all__ = ["ENTRY_POINTS", "OfferedStage", "StageKind", "installed_offer", "offer_of", "offered_stages"]

ENTRY_POINTS = "onward.stages"
"""Entry-point group in which packages offer stages."""

PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]{0,98}")

StageKind: TypeAlias = Literal["causal", "fitted"]

NEEDED: Mapping[StageKind, tuple[str, ...]] = MappingProxyType(
    {
        "causal": ("columns", "compute", "for_market", "spec", "from_spec"),
        "fitted": ("fit", "transform", "to_json", "from_json"),
    }
)
"""Methods without which a stage can be neither built, nor saved, nor found again."""


@dataclass(frozen=True)
class OfferedStage:
    """A stage that an installed package offers.

    Attributes
    ----------
    name
        Name that plans use.
    place
        ``module:class``.
    package, version
        Distribution that offers it.
    point
        The entry point itself.
    """

    name: str
    place: str
    package: str
    version: str
    point: EntryPoint

    @property
    def origin(self) -> str:
        """Package and version, for messages."""
        return f"{self.package} {self.version}"

    def load(self) -> type[Any]:
        """Return the class, imported and looked over.

        Raises
        ------
        StageError
            If it cannot be imported, is no stage class, lacks methods, or has another name.
        """
        return _loaded(self)

    def kind(self) -> StageKind:
        """Return whether the class is causal or fitted; raises as `load` does."""
        return "causal" if callable(getattr(self.load(), "compute", None)) else "fitted"


@cache
def offered_stages() -> Mapping[str, tuple[OfferedStage, ...]]:
    """Return the stages that installed packages offer, by name; several claim a name at their peril.

    Read once a process: a package that is installed later is found after a restart.
    """
    found: dict[str, tuple[OfferedStage, ...]] = {}
    for point in entry_points(group=ENTRY_POINTS):
        package = (point.dist.name if point.dist else None) or point.value.partition(".")[0]
        version = (point.dist.version if point.dist else None) or "unknown"
        offer = OfferedStage(point.name, point.value, package, version, point)
        found[point.name] = (*found.get(point.name, ()), offer)
    return MappingProxyType(found)


def offer_of(stage: object, name: str) -> OfferedStage | None:
    """Return the offer whose class an object is made from; None when no package offers it."""
    if type(stage).__module__.partition(".")[0] == "onward":
        return None
    return next((offer for offer in offered_stages().get(name, ()) if offer.load() is type(stage)), None)


def installed_offer(name: str, package: str, version: str) -> OfferedStage:
    """Return the stage that a saved model was trained with, if the same version is installed.

    Another version is taken only if the class says that it gives the same values: by listing the
    version in ``same_values_as``.

    Raises
    ------
    StageError
        If the package is not installed, no longer offers the stage, or is of another version.
    """
    if not (PACKAGE.fullmatch(package) and VERSION.fullmatch(version)):
        raise StageError(
            f"the origin of the stage {name!r} is garbled",
            got=f"{package[:60]!r} {version[:60]!r}",
            allowed="the name and the version of a Python package",
            remedy="Take an undamaged copy of the bundle.",
        )
    offers = offered_stages().get(name, ())
    same = [offer for offer in offers if _canonical(offer.package) == _canonical(package)]
    if not same:
        raise StageError(
            f"the stage {name!r} needs the package {package}, which does not offer it here",
            got=", ".join(f"{name!r} of {offer.origin}" for offer in offers) or "no package that offers it",
            allowed=f"{package} {version}, with which the model was trained",
            remedy=f"Install it: pip install {package}=={version}",
        )
    (offer,) = same
    same_values = getattr(offer.load(), "same_values_as", ())
    if offer.version != version and version not in (
        [same_values] if isinstance(same_values, str) else same_values
    ):
        raise StageError(
            f"the stage {name!r} is of another version than the one that the model was trained with",
            got=offer.origin,
            allowed=f"{package} {version}: another version may compute other values under the same names",
            remedy=f"Install it (pip install {package}=={version}), or train again.",
        )
    return offer


@cache
def _loaded(offer: OfferedStage) -> type[Any]:
    try:
        found = offer.point.load()
    except Exception as error:  # whatever a stranger's module does when it is imported
        raise StageError(
            f"the stage {offer.name!r} cannot be imported",
            got=f"{type(error).__name__}: {error}"[:300],
            allowed=f"a class at {offer.place}, which {offer.origin} names in the entry point {ENTRY_POINTS}",
            remedy=f"Repair or reinstall {offer.package}, with everything that it needs.",
        ) from error
    _check_class(offer, found)
    return found  # type: ignore[no-any-return]


def _check_class(offer: OfferedStage, found: Any) -> None:
    causal, fitted = (callable(getattr(found, method, None)) for method in ("compute", "fit"))
    if not isinstance(found, type) or not (causal or fitted):
        raise StageError(
            f"what {offer.origin} offers as the stage {offer.name!r} is no stage",
            got=f"{offer.place}, {'a class' if isinstance(found, type) else 'a ' + type(found).__name__}",
            allowed="a class with compute(), or with fit() and transform()",
            remedy=f"Let the entry point of {offer.package} name the class of the stage.",
        )
    kind: StageKind = "causal" if causal else "fitted"
    missing = [method for method in NEEDED[kind] if not callable(getattr(found, method, None))]
    if missing:
        raise StageError(
            f"the {kind} stage {offer.name!r} of {offer.origin} is not complete",
            got=f"without {', '.join(missing)}",
            allowed=f"{', '.join(NEEDED[kind])} (see docs/how-to/write-your-own-stage.md)",
            remedy=f"Add what is missing to {offer.place}.",
        )
    named = getattr(found, "name", None)
    if isinstance(named, str) and named != offer.name:
        raise StageError(
            f"a stage of {offer.origin} goes by two names",
            got=f"{offer.name!r} in the entry point, {named!r} in the class",
            allowed="one name: it prefixes the columns and finds a saved stage again",
            remedy=f"Call the entry point of {offer.package} {named!r}.",
        )


def _canonical(package: str) -> str:
    """Return the one spelling of a distribution's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", package).lower()
