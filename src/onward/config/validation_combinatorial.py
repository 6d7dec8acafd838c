"""What the settings of combinatorial validation must not contradict."""

from __future__ import annotations

import math

from onward.config.validation import ValidationConfig
from onward.errors import PlanError, told_count

__all__ = ["check_combinatorial"]

OWN = ("n_groups", "n_test_groups")
"""Settings that only combinatorial validation has a use for."""

MOST_FOLDS = 1_000
"""Trainings that a plan may ask for: as many as of the other methods."""


def check_combinatorial(validation: ValidationConfig) -> None:
    """Refuse settings of combinatorial validation that contradict each other or the method.

    Raises
    ------
    PlanError
        When they do; the message says which setting to change.
    """
    if validation.method == "combinatorial":
        _check_groups(validation.n_groups, validation.n_test_groups)
        return
    fields = type(validation).model_fields
    changed = [name for name in OWN if getattr(validation, name) != fields[name].default]
    if changed:
        given = ", ".join(f"validation.{name} = {getattr(validation, name)}" for name in changed)
        raise PlanError(
            "groups belong to combinatorial validation: other methods test every row at most once",
            got=f"{given}, validation.method = {validation.method}",
            allowed="validation.method = combinatorial",
            remedy="Set validation.method to combinatorial, or set validation.n_splits instead.",
            settings=(*(f"validation.{name}" for name in changed), "validation.method"),
        )


def _check_groups(n_groups: int, n_test_groups: int) -> None:
    if n_test_groups >= n_groups:
        raise PlanError(
            "no group is left to train on",
            got=f"validation.n_test_groups = {n_test_groups}, validation.n_groups = {n_groups}",
            allowed=f"n_test_groups from 1 to {n_groups - 1}",
            remedy="Test fewer groups at a time, or raise validation.n_groups.",
            settings=("validation.n_test_groups", "validation.n_groups"),
        )
    n_folds = math.comb(n_groups, n_test_groups)
    if n_folds > MOST_FOLDS:
        raise PlanError(
            "there are too many combinations of test groups, each of which is a training",
            got=f"{told_count(n_folds)} folds ({n_test_groups} of {n_groups} groups)",
            allowed=f"at most {MOST_FOLDS:,}",
            remedy="Lower validation.n_groups or n_test_groups: 6 groups tested 2 at a time are 15 folds "
            "and 5 paths.",
            settings=("validation.n_groups", "validation.n_test_groups"),
        )
