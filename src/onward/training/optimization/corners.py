"""Whether models can learn at the ends of what a search hands over to them, before any trial begins.

Parameters that a plan knows nothing of (`model.extra`) have bounds that only the library knows. A range
that begins outside of them would cost trials, or all of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice, product
from typing import Any

from onward.errors import PlanError
from onward.training.model_assembly import make_model
from onward.training.optimization.parameters import Parameter
from onward.training.optimization.reading import PLACE
from onward.training.optimization.space import Space

__all__ = ["require_corners"]

TABLES = ("model.extra.", "ensemble.parameters.", "ensemble.meta_parameters.")
SECONDS = 20.0
"""Longest time that all corners take; those that are left are known when a trial comes to them."""
MOST_BESIDE = 16
"""Combinations of the other handed-over parameters beside which a value is tried."""


def require_corners(space: Space) -> None:
    """Refuse values of handed-over parameters with which no trial could learn.

    The ends of ranges and every choice are tried on a few rows, beside every kind of model that the
    space chooses from and the ends of the other such parameters: what fails beside some of them alone
    is for the search to find out.

    Raises
    ------
    PlanError
        Naming the parameter and its value.
    """
    handed = [one for one in space.parameters if one.path.startswith(TABLES)]
    until = time.monotonic() + SECONDS
    for parameter in handed:
        others = [one for one in handed if one is not parameter]
        for value in parameter.extremes:
            refusal: PlanError | None = None
            for beside in _beside(space, others):
                if time.monotonic() > until:
                    return
                changes = space.used({**beside, parameter.path: value})
                if parameter.path not in changes:
                    continue  # this model does not take it
                try:
                    make_model(space.plan_with(changes))
                except PlanError as error:
                    refusal = refusal or error
                else:
                    break
            else:
                if refusal is not None:
                    raise _refused(refusal) from refusal


def _beside(space: Space, others: list[Parameter]) -> Iterator[dict[str, Any]]:
    """Give what the others may be at the same time."""
    for switched in space.switchings():
        for values in islice(product(*(one.extremes for one in others)), MOST_BESIDE):
            yield {**switched, **dict(zip((one.path for one in others), values, strict=True))}


def _refused(error: PlanError) -> PlanError:
    return PlanError(
        f"{PLACE}: {error.what}",
        got=error.got,
        allowed=error.allowed,
        remedy="Narrow the range, or take the value out of the choices.",
        settings=(PLACE, *error.settings),
    )
