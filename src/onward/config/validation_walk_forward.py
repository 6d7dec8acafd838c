"""What the settings of walk-forward must not contradict."""

from __future__ import annotations

from onward.config.validation import ValidationConfig
from onward.errors import PlanError

__all__ = ["check_walk_forward"]

OWN = ("step", "initial", "min_train_rows")
"""Settings that only walk-forward has a use for, beside ``window``."""


def check_walk_forward(validation: ValidationConfig) -> None:
    """Refuse settings of walk-forward that contradict each other or the method.

    Raises
    ------
    PlanError
        When they do; the message says which setting to change.
    """
    if validation.method == "walk_forward":
        _check_embargo(validation)
    else:
        _check_unused(validation)
    _check_window(validation)


def _check_embargo(validation: ValidationConfig) -> None:
    if validation.embargo is not None:
        raise PlanError(
            "walk-forward trains on rows whose outcome is known before the test begins, "
            "so there is nothing to embargo",
            got=f"validation.embargo = {validation.embargo}",
            allowed="none",
            remedy="Set validation.embargo to none, or validation.method to purged_kfold.",
            settings=("validation.embargo", "validation.method"),
        )


def _check_unused(validation: ValidationConfig) -> None:
    if validation.window not in ("expanding", "rolling"):
        changed = ["window"]
    elif validation.window == "rolling":
        raise PlanError(
            "a rolling window belongs to walk-forward: purged k-fold trains on both sides of a test",
            got="validation.window = rolling",
            allowed="expanding",
            remedy="Set validation.method to walk_forward, or validation.window to expanding.",
            settings=("validation.window", "validation.method"),
        )
    else:
        fields = type(validation).model_fields
        changed = [name for name in OWN if getattr(validation, name) != fields[name].default]
        if not changed:
            return
    given = ", ".join(f"validation.{name} = {getattr(validation, name)}" for name in changed)
    raise PlanError(
        "a retraining schedule belongs to walk-forward: other methods train on both sides of a test",
        got=f"{given}, validation.method = {validation.method}",
        allowed="validation.method = walk_forward",
        remedy="Set validation.method to walk_forward, or leave the schedule out.",
        settings=(*(f"validation.{name}" for name in changed), "validation.method"),
    )


def _check_window(validation: ValidationConfig) -> None:
    if validation.window == "expanding" and validation.window_bars is not None:
        raise PlanError(
            "an expanding window takes all of the past and has no length",
            got=f"validation.window_bars = {validation.window_bars}",
            allowed="none",
            remedy="Set validation.window to rolling, or validation.window_bars to none.",
            settings=("validation.window_bars", "validation.window"),
        )
    if validation.window == "rolling" and validation.window_bars is None:
        raise PlanError(
            "a rolling window needs a length",
            got="validation.window_bars = none",
            allowed="a whole number of bars, or validation.window = a length of time",
            remedy="Set validation.window_bars, for instance to 8760 (a year of hourly bars), or "
            "validation.window to a length such as 90d.",
            settings=("validation.window_bars", "validation.window"),
        )
    if validation.window not in ("expanding", "rolling") and validation.window_bars is not None:
        raise PlanError(
            "the rolling window has two lengths",
            got=f"validation.window = {validation.window}, validation.window_bars = {validation.window_bars}",
            allowed="one of them",
            remedy="Set validation.window_bars to none.",
            settings=("validation.window_bars", "validation.window"),
        )
