"""Train/test splits that know when each label's outcome became known.

A splitter cuts test blocks; `onward.splits.folds` alone derives the training rows, for outer and
inner folds, calibration, stacking and search alike. `CATALOG` lists the splitters that plans can
name; the contract suite finds them there.
"""

from onward.splits.base import BaseSplitter
from onward.splits.catalog import CATALOG
from onward.splits.combinatorial import CombinatorialPurgedKFold
from onward.splits.folds import final_rows, require_training_rows, training_rows
from onward.splits.purged_kfold import PurgedKFold
from onward.splits.walk_forward import WalkForward
from onward.splits.walk_forward_schedule import RetrainingSchedule

__all__ = [
    "CATALOG",
    "BaseSplitter",
    "CombinatorialPurgedKFold",
    "PurgedKFold",
    "RetrainingSchedule",
    "WalkForward",
    "final_rows",
    "require_training_rows",
    "training_rows",
]
