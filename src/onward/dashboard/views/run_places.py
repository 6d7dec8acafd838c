"""At which field of the form of a new run a setting is asked: where an error about it is told."""

from __future__ import annotations

from datetime import UTC, datetime

from onward.dashboard.views.run_fields import ADVANCED, CHOICES, Values, first

__all__ = ["SIDES", "field_of"]

SIDES = ("since", "until")
"""Fields that together say ``data.timerange``."""
STANDS_IN = {
    "data.symbols": "market",
    "data.timeframe": "market",
    "optimization.trials": "trials",
    "optimization.seconds": "seconds",
}
"""Fields of the form that say a setting under another name."""
OF_SECTION = {
    "data": "market",
    "labels": "labels.method",
    "features": "features.stages",
    "selection": "selection.max_features",
    "validation": "validation.method",
    "model": "model.name",
    "ensemble": "ensemble.method",
    "optimization": "optimization.space",
}
"""Where it is told what is wrong with a section as a whole."""
FIELDS = frozenset((*ADVANCED, *(choice.name for choice in CHOICES)))


def field_of(setting: str, values: Values, first_bar: datetime | None = None) -> str:
    """Return the field at which a setting is to be changed; empty where the form does not ask for it.

    Parameters
    ----------
    setting
        Dotted name of a setting, of an entry of a table (``model.extra.depth``) or of a section.
    values
        What stands in the form: a range of time is told at the side that was filled in.
    first_bar
        When the chosen bars begin.
    """
    if setting == "data.timerange":
        return _side(values, first_bar)
    if setting in STANDS_IN:
        return STANDS_IN[setting]
    name = setting
    while name not in FIELDS and "." in name:
        name = name.rpartition(".")[0]
    return name if name in FIELDS else OF_SECTION.get(name, "")


def _side(values: Values, first_bar: datetime | None) -> str:
    """Return the side of a range that is to blame: its begin, unless it is over before the first bar."""
    given = {side: text for side in SIDES if (text := first(values, side).strip())}
    if len(given) < len(SIDES):
        return next(iter(given), "data.timerange")
    since, until = SIDES
    early = first_bar is not None and _day(given[until]) <= first_bar
    return until if early else since


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
