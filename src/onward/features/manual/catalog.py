"""Every family of manual features by name, and which of them a stage can use.

A new family is one file and one line here.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from onward.errors import StageError, nearest
from onward.features.manual.family import Family, PanelFamily

__all__ = ["CONTEXT", "FAMILIES", "GROUPS", "Resolution", "expand", "parameters", "resolve"]

_PLACE = "onward.features.manual"

FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "price": f"{_PLACE}.price:Price",
        "returns": f"{_PLACE}.returns:Returns",
        "moving_average": f"{_PLACE}.moving_average:MovingAverage",
        "volatility": f"{_PLACE}.volatility:Volatility",
        "volume": f"{_PLACE}.volume:Volume",
        "temporal": f"{_PLACE}.temporal:Temporal",
        "oscillators": f"{_PLACE}.technical_oscillators:Oscillators",
        "trend": f"{_PLACE}.technical_trend:Trend",
        "levels": f"{_PLACE}.technical_levels:Levels",
        "divergence": f"{_PLACE}.technical_divergence:Divergence",
        "interaction": f"{_PLACE}.interaction:Interaction",
        "multi_timeframe": f"{_PLACE}.multi_timeframe:MultiTimeframe",
        "funding": f"{_PLACE}.market:Funding",
        "open_interest": f"{_PLACE}.market:OpenInterest",
        "leverage": f"{_PLACE}.market:Leverage",
        "sentiment": f"{_PLACE}.sentiment:Sentiment",
        "custom_series": f"{_PLACE}.custom_series:CustomSeries",
        "cross_asset": f"{_PLACE}.cross_asset:CrossAsset",
    }
)
"""Families in column order: name -> ``module:class``."""

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "technical": ("oscillators", "trend", "levels", "divergence"),
        "market": ("funding", "open_interest", "leverage"),
    }
)
"""Names that stand for several families."""

CONTEXT = ("values", "timeframe")
"""Fields that the stage fills in: value columns nobody else reads, bar length in ns."""


@dataclass(frozen=True)
class Resolution:
    """What became of the families that were asked for.

    Attributes
    ----------
    families
        Families that run on each symbol alone, in catalogue order.
    panel_families
        Families that compare symbols.
    disabled
        Families that switched themselves off, with the reason.
    """

    families: tuple[Family, ...]
    panel_families: tuple[PanelFamily, ...]
    disabled: Mapping[str, str]


def expand(names: Iterable[str] | None, catalog: Mapping[str, str] = FAMILIES) -> tuple[str, ...]:
    """Return family names in catalogue order, groups spelt out; ``None`` means all.

    Raises
    ------
    StageError
        If a name is neither a family nor a group.
    """
    if names is None:
        return tuple(catalog)
    if isinstance(names, str):
        names = [names]
    known = {**{name: (name,) for name in catalog}, **GROUPS}
    wanted: set[str] = set()
    for name in names:
        if name not in known:
            close = nearest(str(name), known)
            raise StageError(
                "there is no family of manual features of this name",
                got=repr(name),
                allowed=", ".join(known),
                remedy=f"Did you mean {close!r}?" if close else "Choose from the list.",
            )
        wanted.update(known[name])
    return tuple(name for name in catalog if name in wanted)


def resolve(
    names: Sequence[str],
    *,
    series: Sequence[str],
    panel: bool,
    options: Mapping[str, Mapping[str, Any]],
    timeframe: int,
    catalog: Mapping[str, str] = FAMILIES,
) -> Resolution:
    """Build the families that have their inputs; say why the others are off.

    Parameters
    ----------
    names
        Families wanted, as `expand` gives them.
    series
        Value columns of the side series at hand.
    panel
        Whether several symbols will be given.
    options
        Parameters by family.
    timeframe
        Length of a bar, ns.
    catalog
        Where families are looked up.

    Raises
    ------
    StageError
        If options name an unknown family or parameter, or a value is refused.
    """
    for name in options:
        if name not in catalog:
            close = nearest(name, catalog)
            raise StageError(
                "options are given for a family that does not exist",
                got=repr(name),
                allowed=", ".join(catalog),
                remedy=f"Did you mean {close!r}?" if close else "Choose from the list.",
                settings=("options",),
            )
    families: list[Family] = []
    panel_families: list[PanelFamily] = []
    disabled: dict[str, str] = {}
    read: set[str] = set()
    for name in names:
        kind = _load(catalog[name])
        fields = {field.name for field in dataclasses.fields(kind)}
        context: dict[str, Any] = {"timeframe": timeframe} if "timeframe" in fields else {}
        if "values" in fields:
            context["values"] = tuple(value for value in series if value not in read)
        family = _build(name, kind, context, options.get(name, {}))
        requires = tuple(getattr(family, "requires", ()))
        missing = [value for value in requires if value not in series]
        if "values" in fields and not context["values"]:
            disabled[name] = "there is no side series that other families do not read already"
        elif missing:
            disabled[name] = f"needs the side series value{'s' * (len(missing) > 1)} {', '.join(missing)}"
        elif not family.columns():
            disabled[name] = "has nothing to compute on this timeframe"
        elif hasattr(family, "requires"):
            read.update(requires)
            families.append(cast("Family", family))
        elif panel:
            panel_families.append(cast("PanelFamily", family))
        else:
            disabled[name] = "needs a panel of two or more symbols"
    return Resolution(tuple(families), tuple(panel_families), MappingProxyType(disabled))


def parameters(family: Family | PanelFamily) -> dict[str, Any]:
    """Return a family's own parameters as plain JSON values, without what the stage fills in."""
    return {
        field.name: _plain(getattr(family, field.name))
        for field in dataclasses.fields(cast("Any", family))
        if field.init and field.name not in CONTEXT
    }


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value


def _load(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _build(name: str, kind: Any, context: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    allowed = [f.name for f in dataclasses.fields(kind) if f.init and f.name not in CONTEXT]
    for option in options:
        if option not in allowed:
            close = nearest(option, allowed)
            raise StageError(
                f"the family {name!r} has no such parameter",
                got=repr(option),
                allowed=", ".join(allowed) or "none",
                remedy=f"Did you mean {close!r}?" if close else "Remove it.",
                settings=("options",),
            )
    default = kind(**context)
    chosen = {option: _frozen(value) for option, value in options.items()}
    for option, value in chosen.items():
        _check(name, option, value, getattr(default, option))
    try:
        return kind(**context, **chosen)
    except (TypeError, ValueError) as error:
        raise StageError(
            f"the parameters of the family {name!r} are refused",
            got=f"{dict(options)}",
            allowed=str(error),
            remedy="Correct them or leave them out.",
            settings=("options",),
        ) from error


def _check(name: str, option: str, value: Any, default: Any) -> None:
    """Hold a parameter to the kind of its default: positive whole numbers where windows stand."""
    if default is None or isinstance(default, str) or _alike(value, default):
        return
    raise StageError(
        f"the parameter {option!r} of the family {name!r} has a value that it cannot have",
        got=repr(value),
        allowed=f"values like its default, {default!r}: whole numbers from 1 up where windows stand",
        remedy="Correct it or leave it out.",
        settings=("options",),
    )


def _alike(value: Any, default: Any) -> bool:
    if isinstance(default, tuple):
        return isinstance(value, tuple) and (
            not default or all(any(_alike(item, like) for like in default) for item in value)
        )
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, int):
        return isinstance(value, int) and not isinstance(value, bool) and (value >= 1 or value == default)
    if isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return True
