"""Rows and folds of a market, and which setting is to blame when there are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from onward.config.layers import field_paths
from onward.errors import OnwardError, SplitError, in_section
from onward.protocols import Labeler, Splitter
from onward.splits import require_training_rows
from onward.training.dataset import label_spans
from onward.training.idle_settings import is_usual
from onward.training.plan import TrainingPlan
from onward.types import Fold, Market, Spans

__all__ = ["label_and_cut", "to_blame"]

RANGE, BARS, HORIZON, SPACE = "data.timerange", "data.symbols", "labels.horizon_bars", "optimization.space"
WINDOW = ("validation.window", "validation.window_bars")


def label_and_cut(market: Market, labeler: Labeler, splitter: Splitter) -> tuple[Spans, Sequence[Fold]]:
    """Return the spans of a market and its outer folds, each of which has rows to learn from.

    Raises
    ------
    NotEnoughDataError
        When no row has an outcome.
    SplitError
        When folds cannot be cut, or purging leaves one without training rows.
    """
    with in_section("labels"):
        spans = label_spans(market, labeler)
    try:
        with in_section("validation"):
            folds = splitter.folds(spans)
            require_training_rows(folds)
    except SplitError as error:
        error.settings += (HORIZON,)  # splitters know how long labels last, and not who says so
        raise
    return spans, folds


def to_blame(
    asked: Sequence[str], plan: TrainingPlan, fits: Callable[[TrainingPlan], object]
) -> tuple[str, ...]:
    """Return the settings of which one has to be changed so that a plan fits a market, the likeliest first.

    What refuses a market often has several reasons: labels outlast the blocks on which they are scored
    because the horizon is long, because folds are many, or because the range of time is short. It is
    the setting that, put back to its default, lets the plan fit; where there is none, the data.

    Parameters
    ----------
    asked
        Settings that the refusal names.
    plan
        What was refused.
    fits
        Raises `OnwardError` for a plan that does not fit the market.
    """
    asked = tuple(_written(name, plan) for name in asked)
    if plan.optimization.space:
        asked += (SPACE,)
    fields = field_paths(type(plan))
    changed = [name for name in dict.fromkeys(asked) if name in fields and not is_usual(plan, name)]
    blamed = next((name for name in changed if _mends((name,), plan, fits)), None)
    if blamed is None and len(changed) > 1 and _mends(changed, plan, fits):
        blamed = changed[0]  # one after the other
    if blamed is None:
        blamed = BARS if plan.data.timerange is None else RANGE
    return tuple(dict.fromkeys((blamed, *asked)))


def _written(name: str, plan: TrainingPlan) -> str:
    """Return where a plan says it: a rolling window has its length in a setting of its own."""
    return WINDOW[1] if name == WINDOW[0] and plan.validation.window == "rolling" else name


def _mends(names: Sequence[str], plan: TrainingPlan, fits: Callable[[TrainingPlan], object]) -> bool:
    """Return whether a plan fits with settings put back to their defaults."""
    fields = field_paths(type(plan))
    back = {one for name in names for one in (WINDOW if name in WINDOW else (name,))}
    try:
        fits(plan.with_overrides({one: fields[one].get_default(call_default_factory=True) for one in back}))
    except OnwardError:
        return False
    return True
