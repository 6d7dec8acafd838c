"""Every labeler that ships with Onward, by the name that plans and bundles use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol, Self

from onward.errors import LabelError, nearest
from onward.labels.threshold import ThresholdLabeler
from onward.protocols import Labeler

__all__ = ["CATALOG", "BuildableLabeler", "labeler_from_json"]


class BuildableLabeler(Labeler, Protocol):
    """A labeler that a catalogue can name and a bundle can keep. It can be built without arguments."""

    @property
    def name(self) -> str:
        """Name in the catalogue."""

    def to_json(self) -> dict[str, Any]:
        """Return parameters and fitted state as plain JSON values, ``labeler`` being the name."""

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild a labeler from what ``to_json`` gave."""


CATALOG: Mapping[str, type[BuildableLabeler]] = MappingProxyType({"threshold": ThresholdLabeler})
"""Labelers by name."""


def labeler_from_json(state: Mapping[str, Any]) -> BuildableLabeler:
    """Rebuild any labeler of the catalogue from what its ``to_json`` gave.

    Raises
    ------
    LabelError
        When the state names no labeler of the catalogue, or does not fit it.
    """
    name = state.get("labeler")
    if name not in CATALOG:
        close = nearest(str(name), CATALOG)
        raise LabelError(
            "a labeler of this name is not known",
            got=repr(name),
            allowed=", ".join(CATALOG),
            remedy=f"Did you mean {close!r}?" if close else "Install the package that offers it.",
        )
    return CATALOG[str(name)].from_json(state)
