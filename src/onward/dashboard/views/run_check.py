"""What a check of the form of a new run found: what would run and what it costs, or what is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_origin

from onward.config.describe import choices as offered
from onward.config.toml import to_toml
from onward.dashboard.i18n.languages import DEFAULT
from onward.dashboard.i18n.said import Said
from onward.dashboard.i18n.texts import Texts
from onward.dashboard.views.run_cost import Fits, Precedent, WholeJob, n_fits, whole_job
from onward.dashboard.views.run_fields import limits, plan_fields, takes
from onward.dashboard.views.run_request import FROM_FORM, Asked, Refusal
from onward.dashboard.views.run_snippets import Snippets
from onward.errors import OnwardError

__all__ = ["CheckView", "Found", "Worded", "found_in", "worded"]

MUCH_MEMORY = 4 * 2**30


@dataclass(frozen=True)
class Worded:
    """Why a field is refused, in the reader's language or, failing that, in English.

    Attributes
    ----------
    field
        Its name; empty for the request as a whole.
    text, language
        The sentence, and the language that it is written in.
    """

    field: str
    text: str
    language: str


@dataclass(frozen=True)
class Found:
    """What a plan will make of its market.

    Attributes
    ----------
    symbols, timeframe, rows
        The market.
    columns, seconds, matrix_bytes, lookback_bars
        The features and what they cost.
    on, off
        Families of features, and those that are off with the reason (English).
    fitted
        What is fitted in every fold (English).
    folds
        How many there are; None where the data decide.
    trials, inner
        Of each search, and its inner folds; 0 trials without a search.
    warnings
        Names and values of texts ``runs_new.warning.<name>``.
    toml
        The whole plan as a plan file.
    plan_hash
        Its content hash.
    whole
        How long the whole job will take; None where no earlier one tells.
    fits
        How often models are fitted; None where the data decide.
    """

    symbols: tuple[str, ...]
    timeframe: str
    rows: int
    columns: int
    seconds: float
    matrix_bytes: int
    lookback_bars: int
    on: tuple[Mapping[str, Any], ...]
    off: tuple[Mapping[str, Any], ...]
    fitted: tuple[Mapping[str, Any], ...]
    folds: int | None
    trials: int
    inner: int
    warnings: tuple[tuple[str, Mapping[str, Any]], ...]
    toml: str
    plan_hash: str
    whole: WholeJob | None
    fits: Fits | None


@dataclass(frozen=True)
class CheckView:
    """What a check of the form found.

    Attributes
    ----------
    asked
        What was asked for.
    errors
        What is refused, in words.
    found
        What the run will make of the market; None when it is refused.
    snippets
        The same run from elsewhere; None when it is refused.
    """

    asked: Asked
    errors: tuple[Worded, ...] = ()
    found: Found | None = None
    snippets: Snippets | None = None

    @property
    def told(self) -> list[dict[str, str]]:
        """The refusals for the script, which puts them at their fields."""
        return [{"field": one.field, "text": one.text, "language": one.language} for one in self.errors]


def found_in(view: Mapping[str, Any], asked: Asked, before: Precedent | None = None) -> Found:
    """Return what the service found out about a plan (`onward.server.views.plans.plan_view`).

    ``before`` is the earlier job by which the time of the whole one is told.
    """
    plan = view["plan"]
    folds = _folds(plan["validation"])
    families = tuple(view["families"])
    off = tuple(family for family in families if family["off"])
    return Found(
        symbols=tuple(view["symbols"]),
        timeframe=view["timeframe"],
        rows=view["rows"],
        columns=view["columns"],
        seconds=view["seconds"],
        matrix_bytes=view["matrix_bytes"],
        lookback_bars=view["lookback_bars"],
        on=tuple(family for family in families if not family["off"]),
        off=off,
        fitted=tuple(view["fitted"]),
        folds=folds,
        trials=plan["optimization"]["trials"] if asked.kind == "tune" else 0,
        inner=plan["optimization"]["inner_splits"],
        warnings=tuple(_warnings(view, asked)),
        toml=to_toml(plan),
        plan_hash=view["plan_hash"],
        whole=None if before is None else whole_job(before, view["rows"]),
        fits=n_fits(plan, folds, search=asked.kind == "tune", fitted=bool(view["fitted"])),
    )


def worded(refusal: Refusal, texts: Texts) -> Worded:
    """Return a refusal as the reader is told it."""
    if refusal.setting:
        told = _takes(refusal.setting, texts)
        if told:
            return Worded(refusal.field, texts("runs_new.error.takes", takes=told), texts.language)
        say, english = Said(texts), takes(refusal.setting)
        told = say.plain(say.allowed(english))
        if told != english:
            return Worded(refusal.field, texts("runs_new.error.takes", takes=told), texts.language)
        return Worded(refusal.field, f"Takes {english}.", "en")
    if refusal.key:
        return Worded(refusal.field, texts.below("runs_new.error")[refusal.key], texts.language)
    said = _told(refusal.error, texts) if refusal.error is not None else None
    if said is not None:
        return Worded(refusal.field, said, texts.language)
    return Worded(refusal.field, refusal.english, "en")


def _told(error: OnwardError, texts: Texts) -> str | None:
    """Return an error in the reader's language; None when one of its parts is not known there."""
    if texts.language == DEFAULT:
        return None
    say = Said(texts)
    what = error.what.replace(FROM_FORM, "")
    if say.stay_english(part for part in (what, error.allowed, error.remedy) if part):
        return None
    told = say.plain(what)
    found = [told if told.endswith("?") else texts("runs_new.error.what", what=told)]
    if error.allowed:
        found.append(texts("runs_new.error.allowed", allowed=say.plain(say.allowed(error.allowed))))
    if error.remedy:
        found.append(say.plain(error.remedy))
    return "".join(found)


def _takes(name: str, texts: Texts) -> str:
    """Return what a setting takes in the reader's language; empty where that needs other words."""
    words = offered(plan_fields()[name].annotation)
    if words:
        return texts("runs_new.takes.choices", choices=", ".join(words))
    if get_origin(plan_fields()[name].annotation) is dict:
        return texts("runs_new.takes.table", example='{"depth": 6}')
    found = limits(name)
    if found is None:
        return ""
    parts = [texts("runs_new.takes.whole") if found.whole else texts("runs_new.takes.number")]
    if found.low is not None:
        key = "runs_new.takes.more_than" if found.open_low else "runs_new.takes.at_least"
        parts.append(texts(key, bound=f"{found.low:,g}"))
    if found.high is not None:
        key = "runs_new.takes.less_than" if found.open_high else "runs_new.takes.at_most"
        parts.append(texts(key, bound=f"{found.high:,.10g}"))
    return ("、" if texts.language == "ja" else ", ").join(parts)


def _folds(validation: Mapping[str, Any]) -> int | None:
    if validation["method"] == "combinatorial":
        return math.comb(validation["n_groups"], validation["n_test_groups"])
    follows = validation["method"] == "walk_forward" and validation["step"] is not None
    return None if follows else int(validation["n_splits"])


def _warnings(view: Mapping[str, Any], asked: Asked) -> Iterable[tuple[str, Mapping[str, Any]]]:
    unknown, rows, back = view["columns_of_unknown_cost"], view["rows"], view["lookback_bars"]
    if rows < 2 * back:
        yield "few", {"count": rows, "bars": back}
    if view["matrix_bytes"] > MUCH_MEMORY:
        yield "memory", {}
    if unknown:
        yield "unknown", {"count": unknown}
    if not asked.audit:
        yield "no_audit", {}
    if asked.save is None:
        yield "not_saved", {}
