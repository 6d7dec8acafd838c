"""What a plan asks of the search: nothing, a search, or something that contradicts itself."""

from __future__ import annotations

from onward.errors import PlanError
from onward.training.optimization.values import with_values
from onward.training.plan import TrainingPlan

__all__ = ["DEFAULT_TRIALS", "asks_for_search", "with_search"]

DEFAULT_TRIALS = 40


def asks_for_search(plan: TrainingPlan) -> bool:
    """Return whether a plan asks for a search.

    Raises
    ------
    PlanError
        When it names a space or a time for a search that has no trials.
    """
    wanted = plan.optimization
    if wanted.trials > 0:
        return True
    named = "a space" if wanted.space else "a time" if wanted.seconds is not None else ""
    if named:
        raise PlanError(
            f"the plan names {named} for a search that has no trials",
            got="optimization.trials = 0",
            allowed=f"1 or more, or no {named.split()[1]}",
            remedy=f"Set optimization.trials = {DEFAULT_TRIALS}, use `onward tune`, or take it out.",
        )
    return False


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
            )
    changes: dict[str, float] = {}
    if trials is not None or plan.optimization.trials == 0:
        changes["optimization.trials"] = DEFAULT_TRIALS if trials is None else trials
    if seconds is not None:
        changes["optimization.seconds"] = seconds
    return with_values(plan, changes) if changes else plan
