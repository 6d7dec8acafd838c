"""What stages over several series share: series found by name, side values as known at each bar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from onward.data.availability import as_of
from onward.errors import SeriesError, StageError, nearest
from onward.types import FloatArray, Market

__all__ = ["chosen_series", "side_values"]

Source = TypeVar("Source")


def chosen_series(
    stage: str,
    names: Sequence[str],
    known: Mapping[str, Source],
    *,
    example: str,
    of_bars: Iterable[str],
    values: Sequence[str],
    variant: str,
) -> tuple[Source, ...]:
    """Return series by name, in the order asked for.

    Parameters
    ----------
    stage
        Name of the stage, whose setting ``columns`` the names come from.
    names
        What is asked for.
    known
        Every series that there is.
    example
        Names as a plan would write them.
    of_bars, values
        The series of the bars, and the value columns of side series, for the refusal.
    variant
        What else a side value comes as: ``with _change for its change``.

    Raises
    ------
    StageError
        If there is no series of a name, with the nearest one; or a name occurs twice.
    """
    if not names or len(set(names)) != len(names):
        raise StageError(
            f"the setting {stage}.columns names no series, or one twice",
            got=", ".join(map(str, names)) or "nothing",
            allowed="each series once",
            remedy=f"Write columns = {example}.",
            settings=("columns",),
        )
    for name in names:
        if name not in known:
            close = nearest(str(name), known)
            side = ", ".join(values) or "none: the market has no side series"
            raise StageError(
                f"the setting {stage}.columns names a series that is not there",
                got=repr(name),
                allowed=f"of the bars: {', '.join(of_bars)}; of side series: {side}, each also {variant}",
                remedy=(f"Did you mean {close!r}? " if close else "")
                + "A side series has to be read with the bars (data.series).",
                settings=("columns",),
            )
    return tuple(known[name] for name in names)


def side_values(market: Market, wanted: Iterable[str]) -> dict[str, FloatArray]:
    """Return value columns of side series as known at each bar's decision time, shape (rows,).

    A value column that the market lacks is NaN throughout.

    Raises
    ------
    SeriesError
        If two side series carry a wanted value column.
    """
    asked = set(wanted)
    owner: dict[str, str] = {}
    for name, series in market.series.items():
        for value in series.values:
            if value in asked and value in owner:
                raise SeriesError(
                    "two side series carry the same value column",
                    got=f"{value!r} in {owner[value]!r} and {name!r}",
                    allowed="value columns that are unique over all side series",
                    remedy="Rename one of them.",
                )
            if value in asked:
                owner[value] = name
    joined = {name: as_of(market, name) for name in dict.fromkeys(owner.values())}
    unknown = np.full(len(market), np.nan)
    return {
        value: joined[owner[value]][value].to_numpy(np.float64) if value in owner else unknown
        for value in asked
    }
