"""The inner folds by which trials are chosen."""

from __future__ import annotations

from onward.splits import PurgedKFold
from onward.training.plan import TrainingPlan

__all__ = ["inner_splitter"]


def inner_splitter(plan: TrainingPlan, n_splits: int) -> PurgedKFold:
    """Return what cuts the inner folds by which trials are chosen.

    Purged k-fold whatever the outer folds are: it scores every row that the search may see. The
    embargo is that of the plan; walk-forward has none, and leaves the default.
    """
    return PurgedKFold(n_splits, embargo=plan.validation.embargo)
