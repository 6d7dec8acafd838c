"""Every labeler that ships with Onward, by the name that plans and bundles use."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol, Self

from onward.errors import ConfigError, LabelError, nearest
from onward.labels.events import CusumSampledLabeler
from onward.labels.meta import MetaLabeler
from onward.labels.threshold import ThresholdLabeler
from onward.labels.trend_scanning import TrendScanningLabeler
from onward.labels.triple_barrier import TripleBarrierLabeler
from onward.protocols import Labeler

__all__ = ["CATALOG", "BuildableLabeler", "labeler_from_json", "labeler_from_settings"]


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


CATALOG: Mapping[str, type[BuildableLabeler]] = MappingProxyType(
    {
        "threshold": ThresholdLabeler,
        "triple_barrier": TripleBarrierLabeler,
        "trend_scanning": TrendScanningLabeler,
        "meta": MetaLabeler,
    }
)
"""Labelers by name."""

SAMPLING = frozenset({"events", "cusum_threshold", "cusum_mode"})
"""Settings of the labels section that choose moments; they go with every method."""
WEIGHTING = frozenset({"weights", "time_decay"})
"""Settings of the labels section that are the trainer's: see `onward.labels.sample_weights`."""


def labeler_from_json(state: Mapping[str, Any]) -> BuildableLabeler:
    """Rebuild any labeler of the catalogue, sampled or not, from what its ``to_json`` gave.

    Raises
    ------
    LabelError
        When the state names no labeler of the catalogue, or does not fit it.
    """
    name = state.get("labeler")
    if name == CusumSampledLabeler.name:
        return CusumSampledLabeler.from_json(state)
    return _known(name).from_json(state)


def labeler_from_settings(method: str, values: Mapping[str, Any]) -> Labeler:
    """Return the labeler that the settings of the section ``labels`` describe, unfitted.

    Parameters
    ----------
    method
        Name in the catalogue.
    values
        Fields of `onward.config.LabelConfig` by name, without ``method``; those left out keep
        their defaults. ``weights`` and ``time_decay`` are passed over: weighting is the trainer's.

    Raises
    ------
    ConfigError
        When a value differs from the default and the method has no use for it, or a name is none
        of the section's.
    LabelError
        When there is no such method, or it refuses a value.
    """
    from onward.config.labels import LabelConfig

    chosen = _known(method)
    fields = LabelConfig.model_fields
    accepted = [name for name in inspect.signature(chosen).parameters if name in fields]
    events = values.get("events", "all")
    sampling = (*SAMPLING, "window_bars") if events == "cusum" else ("events",)
    for name, value in values.items():
        if name not in fields:
            close = nearest(name, fields)
            raise ConfigError(
                f"there is no setting labels.{name}",
                got=f"labels.{name} = {value!r}",
                allowed=", ".join(fields),
                remedy=f"Did you mean labels.{close}?" if close else f"Remove labels.{name}.",
                settings=(f"labels.{name}",),
            )
        used = name in accepted or name in sampling or name in WEIGHTING or name == "method"
        if not used and value != fields[name].default:
            raise _no_use(method, name, value, accepted, events)
    arguments = {name: values[name] for name in accepted if name in values}
    build: Any = chosen
    labeler: Labeler = build(**arguments)
    if events != "cusum":
        return labeler
    wanted = ("cusum_threshold", "cusum_mode", "window_bars")
    return CusumSampledLabeler(labeler, **{name: values[name] for name in wanted if name in values})


def _known(name: Any) -> type[BuildableLabeler]:
    if name not in CATALOG:
        close = nearest(str(name), CATALOG)
        raise LabelError(
            "a labeler of this name is not known",
            got=repr(name),
            allowed=", ".join(CATALOG),
            remedy=f"Did you mean {close!r}?" if close else "Install the package that offers it.",
            settings=("method",),
        )
    return CATALOG[str(name)]


def _no_use(method: str, name: str, value: Any, accepted: list[str], events: Any) -> ConfigError:
    if name in SAMPLING:
        return ConfigError(
            f"labels.{name} belongs to event sampling, which is off",
            got=f"labels.{name} = {value!r}, labels.events = {events!r}",
            allowed="labels.events = 'cusum'",
            remedy=f"Set labels.events to cusum, or leave labels.{name} out.",
            settings=(f"labels.{name}", "labels.events"),
        )
    others = [other for other, cls in CATALOG.items() if name in inspect.signature(cls).parameters]
    return ConfigError(
        f"labels of method {method!r} have no use for labels.{name}",
        got=f"labels.{name} = {value!r}",
        allowed="labels." + ", labels.".join(accepted),
        remedy=f"Leave labels.{name} out, or set labels.method to {' or '.join(others)}.",
        settings=(f"labels.{name}", "labels.method"),
    )
