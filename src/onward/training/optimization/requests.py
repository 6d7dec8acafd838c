"""What a plan asks of the search: nothing, or a search with so many trials."""

from __future__ import annotations

from onward.errors import PlanError
from onward.training.optimization.space import Space
from onward.training.optimization.values import with_values
from onward.training.plan import TrainingPlan

__all__ = ["DEFAULT_TRIALS", "asks_for_search", "with_search"]

DEFAULT_TRIALS = 40


def asks_for_search(plan: TrainingPlan) -> bool:
    """Return whether a plan asks for a search: whether it has trials.

    A space without trials is no contradiction: the same file serves `onward train`, which trains with
    the plan's own values and says that nothing was searched, and `onward tune`, which brings its
    default number of trials.

    Raises
    ------
    PlanError
        When it has none, and names a space that no search could use.
    """
    wanted = plan.optimization
    if wanted.trials == 0 and wanted.space:
        Space.of(plan)
    return wanted.trials > 0


def with_search(
    plan: TrainingPlan, *, trials: int | None = None, seconds: float | None = None
) -> TrainingPlan:
    """Return a plan that searches: as it is, or with the default number of trials.

    Parameters
    ----------
    plan
        What to search.
    trials, seconds
        Take the place of what the plan says.

    Raises
    ------
    PlanError
        When the budget is nothing.
    """
    for name, value in (("trials", trials), ("seconds", seconds)):
        if value is not None and value <= 0:
            raise PlanError(
                "the budget of a search is nothing",
                got=f"{name} = {value}",
                allowed="more than 0",
                remedy=f"Raise {name}; to train without a search, use `onward train`.",
                settings=(f"optimization.{name}",),
            )
    changes: dict[str, float] = {}
    if trials is not None or plan.optimization.trials == 0:
        changes["optimization.trials"] = DEFAULT_TRIALS if trials is None else trials
    if seconds is not None:
        changes["optimization.seconds"] = seconds
    return with_values(plan, changes) if changes else plan
