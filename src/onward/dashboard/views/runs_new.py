"""What the page of a new run shows: the form as it stands, from scratch or as a copy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from onward.config.describe import choices as offered
from onward.dashboard.i18n.texts import Texts
from onward.dashboard.views.run_check import Worded
from onward.dashboard.views.run_fields import (
    ADVANCED,
    CHOICES,
    STAGES,
    Values,
    Widget,
    as_text,
    first,
    limits,
    matters,
    plan_fields,
    widget,
)
from onward.dashboard.views.run_request import Bases
from onward.training.plan import PRESETS

if TYPE_CHECKING:
    from onward.server.coverage import Reach

__all__ = [
    "FieldView",
    "MarketLine",
    "RunFormView",
    "copied_values",
    "first_values",
    "followed_values",
    "market_lines",
    "run_form_view",
]

DAYS = re.compile(r"(\d{8})?-(\d{8})?", re.ASCII)
"""A range of time that two fields for days can say."""
PRESET_ORDER = ("fast", "default", "financial")


@dataclass(frozen=True)
class FieldView:
    """One setting of a plan in the form.

    Attributes
    ----------
    name, key
        Dotted, and as the catalogue of texts calls it.
    widget
        What it is asked with.
    values
        What stands in it.
    options
        What it offers.
    base
        What counts where it is left empty.
    when
        Fields and values under which it matters, for the script.
    matters
        Whether it does now.
    low, high, step
        For the browser's own check of numbers; empty where nothing bounds it.
    help, help_language
        What it is for, if the catalogue of the page does not say it.
    """

    name: str
    key: str
    widget: Widget
    values: tuple[str, ...]
    options: tuple[str, ...]
    base: str
    when: tuple[tuple[str, tuple[str, ...]], ...] = ()
    matters: bool = True
    low: str = ""
    high: str = ""
    step: str = ""
    help: str = ""
    help_language: str = ""

    @property
    def value(self) -> str:
        """What stands in it, where it is one value."""
        return self.values[-1] if self.values else ""


@dataclass(frozen=True)
class MarketLine:
    """Stored candles that a run may use."""

    value: str
    symbol: str
    timeframe: str
    rows: int
    first: datetime
    last: datetime
    chosen: bool


@dataclass(frozen=True)
class RunFormView:
    """The form.

    Attributes
    ----------
    values
        What stands in fields that are no settings of a plan.
    presets
        Names, in order.
    markets
        What is stored.
    groups
        Settings that are explained, by part of the form.
    advanced
        All others, by section.
    n_advanced
        How many those are.
    errors
        Refusals by field.
    models
        Names that models have, to be chosen again.
    by_preset
        For the script: what settings are under each preset, where presets differ.
    """

    values: Mapping[str, str]
    presets: tuple[str, ...]
    markets: tuple[MarketLine, ...]
    groups: Mapping[str, tuple[FieldView, ...]]
    advanced: tuple[tuple[str, tuple[FieldView, ...]], ...]
    n_advanced: int
    errors: Mapping[str, Worded]
    models: tuple[str, ...]
    by_preset: Mapping[str, Mapping[str, Any]]

    def error(self, name: str) -> Worded | None:
        """Return why a field was refused."""
        return self.errors.get(name)

    @property
    def has_advanced_error(self) -> bool:
        """Whether a field is refused that is folded away."""
        return any(name in ADVANCED for name in self.errors)

    @property
    def has_advanced_value(self) -> bool:
        """Whether a field that is folded away says something."""
        return any(one.value for _, fields in self.advanced for one in fields)


def run_form_view(
    *,
    values: Values,
    bases: Bases,
    coverage: Iterable[Reach],
    models: Sequence[str],
    learners: Sequence[str],
    errors: Iterable[Worded] = (),
    texts: Texts,
) -> RunFormView:
    """Return the form as it stands.

    Parameters
    ----------
    values
        What stands in it.
    bases
        What settings are under each preset.
    coverage
        What is stored.
    models
        Names that models have.
    learners
        Models that can be trained.
    errors
        What was refused.
    texts
        Of the reader's language.
    """
    preset = first(values, "preset") or "default"
    base = bases.get(preset, bases["default"])
    views = [_choice(choice.name, values, base, learners) for choice in CHOICES]
    advanced: dict[str, list[FieldView]] = {}
    for name in ADVANCED:
        advanced.setdefault(name.rpartition(".")[0], []).append(_advanced(name, values, base, texts))
    groups = {choice.group for choice in CHOICES}
    plain = ("kind", "since", "until", "save", "alias", "audit", "trials", "seconds", "request_key")
    return RunFormView(
        values={**{name: first(values, name) for name in plain}, "preset": preset},
        presets=PRESET_ORDER,
        markets=market_lines(coverage, values.get("market", ())),
        groups={
            group: tuple(v for v, c in zip(views, CHOICES, strict=True) if c.group == group)
            for group in groups
        },
        advanced=tuple((section, tuple(fields)) for section, fields in advanced.items()),
        n_advanced=len(ADVANCED),
        errors={one.field: one for one in errors},
        models=tuple(models),
        by_preset=_by_preset(bases),
    )


def first_values(
    bases: Bases, coverage: Iterable[Reach], *, preset: str = "fast", model: str = ""
) -> dict[str, tuple[str, ...]]:
    """Return what stands in the form at first: a preset over the settings, and all symbols of a timeframe.

    They are what a plan learns from that names none, on the command line and over HTTP; the timeframe
    is that of the fullest series.
    """
    values = _shown(bases[preset]) | {
        "kind": ("train",),
        "preset": (preset,),
        "shown_preset": (preset,),
        "audit": ("true",),
        "save": (model,),
    }
    candles = [one for one in coverage if one.kind == "candles"]
    if candles:
        most = max(candles, key=lambda one: one.rows)
        symbols = sorted(one.symbol for one in candles if one.timeframe == most.timeframe)
        values["market"] = tuple(f"{most.timeframe} {symbol}" for symbol in symbols)
    return values


def copied_values(
    bases: Bases,
    plan: Mapping[str, Any],
    *,
    kind: str,
    found: Mapping[str, Any] | None = None,
    save: str | None = None,
    alias: str | None = None,
    audit: bool = True,
) -> dict[str, tuple[str, ...]]:
    """Return what stands in the form when it begins as a copy of an earlier run.

    Parameters
    ----------
    bases
        What settings are under each preset.
    plan
        Every value of the earlier plan, nested.
    found
        Symbols and timeframe that a plan which named none came to, where it is known.
    kind, save, alias, audit
        Of the earlier request.
    """
    base = bases["default"]
    values = _shown(base) | {
        "kind": (kind,),
        "preset": ("default",),
        "shown_preset": ("default",),
        "audit": ("true",) if audit else (),
        "save": (save or "",),
        "alias": (alias or "",),
    }
    explained = {choice.name: choice for choice in CHOICES}
    for name in base:
        value = _within(plan, name, base[name])
        if name in explained:
            values[name] = tuple(value or ()) if explained[name].many else (as_text(value),)
        elif name in ADVANCED and value != base[name]:
            values[name] = (as_text(value),)
    data, search = plan.get("data") or {}, plan.get("optimization") or {}
    days = DAYS.fullmatch(str(data.get("timerange") or ""))
    if days:
        values.pop("data.timerange", None)
        for side, day in zip(("since", "until"), days.groups(), strict=True):
            values[side] = (f"{day[:4]}-{day[4:6]}-{day[6:]}" if day else "",)
    symbols, timeframe = ((data.get(name) or (found or {}).get(name)) for name in ("symbols", "timeframe"))
    if symbols and timeframe:
        values["market"] = tuple(f"{timeframe} {symbol}" for symbol in symbols)
    values["trials"] = (str(search.get("trials") or ""),) if kind == "tune" else ("",)
    values["seconds"] = (as_text(search["seconds"]),) if kind == "tune" and search.get("seconds") else ("",)
    return values


def market_lines(coverage: Iterable[Reach], chosen: Sequence[str]) -> tuple[MarketLine, ...]:
    """Return stored candles, those that are chosen marked."""
    lines = [
        MarketLine(
            value=f"{one.timeframe} {one.symbol}",
            symbol=one.symbol,
            timeframe=one.timeframe,
            rows=one.rows,
            first=one.first,
            last=one.last,
            chosen=f"{one.timeframe} {one.symbol}" in chosen,
        )
        for one in coverage
        if one.kind == "candles"
    ]
    return tuple(sorted(lines, key=lambda line: (line.symbol, line.timeframe)))


def followed_values(values: Values, bases: Bases) -> dict[str, tuple[str, ...]]:
    """Return the form after another preset was chosen without a script: what nobody changed follows it."""
    preset, shown = first(values, "preset"), first(values, "shown_preset")
    if preset == shown or preset not in bases or shown not in bases:
        return dict(values)
    before, now = _shown(bases[shown]), _shown(bases[preset])
    untouched = {name: now[name] for name, texts in before.items() if values.get(name) == texts}
    return {**values, **untouched, "shown_preset": (preset,)}


def _within(plan: Mapping[str, Any], name: str, otherwise: Any) -> Any:
    """Return a value of a nested plan; a setting that is younger than the plan is at its base."""
    value: Any = plan
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return otherwise
        value = value[part]
    return value


def _shown(base: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {c.name: tuple(base[c.name]) if c.many else (as_text(base[c.name]),) for c in CHOICES}


def _choice(name: str, values: Values, base: Mapping[str, Any], learners: Sequence[str]) -> FieldView:
    choice = next(one for one in CHOICES if one.name == name)
    given = tuple(values.get(name, ()))
    if name == "features.stages":
        known: tuple[str, ...] = STAGES
    elif name in ("model.name", "ensemble.members"):
        known = tuple(learners)
    else:
        known = offered(plan_fields()[name].annotation)
    kind: Widget = "select" if name == "model.name" else widget(name)
    more = tuple(value for value in given if value and value not in known) if known else ()
    low, high, step = _bounds(name)
    return FieldView(
        name=name,
        key=choice.key,
        widget=kind,
        values=given,
        options=known + more,
        base=_base_text(base[name]),
        when=choice.when,
        matters=matters(choice, values),
        low=low,
        high=high,
        step=step,
    )


def _advanced(name: str, values: Values, base: Mapping[str, Any], texts: Texts) -> FieldView:
    field = plan_fields()[name]
    kind = widget(name)
    options = ("true", "false") if kind == "switch" else offered(field.annotation)
    key, english = f"settings_help.{name}", field.description or ""
    translated = texts.language != "en" and key in texts
    # Alone the word reads as "nothing", and in most settings it stands for everything.
    short, none = name.replace(".", "_"), as_text(None)
    return FieldView(
        name=name,
        key=short,
        widget="select" if kind in ("switch", "select") else "text",
        values=(first(values, name),),
        options=options if kind in ("switch", "select") else (),
        base=_base_text(base[name]) if base[name] is not None else texts.get(f"runs_new.none.{short}", none),
        help=texts.get(key, english) if translated else english,
        help_language=texts.language if translated else "en",
    )


def _base_text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) and value else as_text(value)


def _bounds(name: str) -> tuple[str, str, str]:
    found = limits(name)
    if found is None:
        return "", "", ""
    low, high = (None if bound is None else f"{bound:g}" for bound in (found.low, found.high))
    return low or "", high or "", "1" if found.whole else "any"


def _by_preset(bases: Bases) -> dict[str, dict[str, Any]]:
    names = {name for preset in PRESETS.values() for name in preset}
    many = {choice.name for choice in CHOICES if choice.many}
    return {
        preset: {name: list(base[name]) if name in many else as_text(base[name]) for name in sorted(names)}
        for preset, base in bases.items()
    }
