"""What a causal stage says about itself, held to its contract; whatever its code raises bears its name.

Stages come from people: a property may raise, a list may be a text, a number may be none. Each of
these ends in a `StageError` that names the stage, never in a traceback of ours.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from onward.errors import OnwardError, StageError, told_bars
from onward.protocols import CausalStage
from onward.types import Market

__all__ = [
    "attributed",
    "declared_columns",
    "declared_lookback",
    "declared_name",
    "is_onwards",
    "require_declared",
    "require_possible_lookback",
]

LONGEST = pd.Timedelta(days=36_525)
"""No stage looks further back than a century; one that says so has miscounted."""

_OURS = Path(__file__).resolve().parent.parent


@contextmanager
def attributed(name: str, doing: str) -> Iterator[None]:
    """Turn what a stage's own code raises into a `StageError` that names stage, place and reason.

    Errors that Onward raises on purpose pass, and so does a lack of memory.

    Parameters
    ----------
    name
        Name of the stage.
    doing
        What it was asked for, such as ``compute()``.
    """
    try:
        yield
    except (OnwardError, MemoryError):
        raise
    except Exception as error:  # whatever a stranger's code does
        raise StageError(
            f"the stage {name!r} fails in {doing}",
            got=f"{type(error).__name__}: {str(error)[:200]}{_place(error)}",
            allowed="no error for any market: NaN where something is missing or not known yet",
            remedy=f"Repair the stage; `onward.testing.stages` finds where {doing} breaks its contract.",
        ) from error


def is_onwards(stage: object) -> bool:
    """Return whether a stage is made of Onward's own code."""
    return type(stage).__module__.partition(".")[0] == "onward"


def require_declared(stage: CausalStage) -> None:
    """Check name, scope, columns and lookback of a stage; raises `StageError`."""
    name = declared_name(stage)
    declared_columns(stage)
    declared_lookback(stage)
    with attributed(name, "scope"):
        scope: object = stage.scope
    if scope not in ("symbol", "cross_section"):
        raise StageError(
            f"the stage {name!r} does not say whether it compares symbols",
            got=f"scope = {scope!r}",
            allowed="symbol, cross_section",
            remedy='Write scope = "symbol", unless a row reads other symbols of its moment.',
        )


def declared_name(stage: CausalStage) -> str:
    """Return the name of a stage; raises `StageError` when it has none."""
    kind = type(stage).__qualname__
    with attributed(kind, "name"):
        name: object = stage.name
    if not isinstance(name, str) or not name:
        raise StageError(
            f"a stage of the class {kind} has no name",
            got=f"name = {name!r}",
            allowed="text: it prefixes every column",
            remedy='Write for instance name = "sessions".',
        )
    return name


def declared_columns(stage: CausalStage) -> tuple[str, ...]:
    """Return the columns that a stage declares; raises `StageError` when they cannot be used."""
    name = stage.name
    with attributed(name, "columns()"):
        given: object = stage.columns()
    if not isinstance(given, tuple | list):
        raise StageError(
            f"the stage {name!r} does not declare its columns",
            got=f"columns() gives {_shown(given)}",
            allowed=f"a tuple of unique names that begin with {name + '__'!r}",
            remedy=f'Return a tuple, also of a single name: ("{name}__a",) with the comma.',
        )
    columns, prefix = tuple(given), f"{name}__"
    counts = Counter(column for column in columns if isinstance(column, str))
    wrong = [
        column
        for column in columns
        if not isinstance(column, str)
        or not column.startswith(prefix)
        or column == prefix
        or counts[column] > 1
    ]
    if wrong or not columns:
        raise StageError(
            f"the stage {name!r} names its columns wrongly",
            got=", ".join(list(dict.fromkeys(map(str, wrong)))[:5]) or "no column",
            allowed=f"unique names that begin with {prefix!r}",
            remedy="Correct its columns().",
        )
    return columns


def declared_lookback(stage: CausalStage) -> int:
    """Return the bars that a stage declares to need; raises `StageError` when that is no number of bars."""
    name = stage.name
    with attributed(name, "lookback"):
        lookback: object = stage.lookback
    if isinstance(lookback, bool) or not isinstance(lookback, int | np.integer) or lookback < 1:
        raise StageError(
            f"the stage {name!r} does not say how many bars it needs",
            got=f"lookback = {_shown(lookback)}",
            allowed="a whole number of bars from 1 up, the row itself included",
            remedy="Live prediction reads exactly so many bars: declare them, warm-up counted in.",
        )
    return int(lookback)


def require_possible_lookback(stage: CausalStage, market: Market) -> None:
    """Refuse a lookback that no market can have; `StageError`."""
    lookback = declared_lookback(stage)
    longest = LONGEST // market.timeframe
    if lookback > longest:
        bars = max((rows.stop - rows.start for rows in market.rows.values()), default=0)
        raise StageError(
            f"the stage {stage.name!r} declares a lookback that no market has",
            got=f"{lookback:,} bars, where the longest symbol has {told_bars(bars)}",
            allowed=f"1 to {longest:,} bars of this length, a century",
            remedy="Declare the bars that its longest window and its warm-up read.",
        )


def _shown(value: object) -> str:
    text = repr(value)
    return f"{text[:80]} ({type(value).__name__})"


def _place(error: BaseException) -> str:
    """Return where in a stranger's code an error arose, as far as it can be told."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _OURS not in Path(f.filename).parents]
    if not frames:
        return ""
    own = [frame for frame in frames if frame.filename == frames[0].filename][-1]
    return f" (line {own.lineno} of {Path(own.filename).name}, in {own.name})"
