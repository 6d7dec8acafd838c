"""The retraining schedule of a walk-forward run on the terminal, with what every retrain scored."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from onward.cli.output import print_note, print_table

if TYPE_CHECKING:
    from onward.evaluation.scores import Scores
    from onward.splits import RetrainingSchedule

__all__ = ["print_retrains"]

NOISY = (
    "A single retrain scores few independent outcomes: its AUC strays far from 0.5 on pure noise too. "
    "The verdict rests on all of them together."
)


def print_retrains(schedule: RetrainingSchedule, scores: Scores) -> None:
    """Write when the model was fitted anew, on what, and what each fit was worth until the next."""
    print_note(schedule.sentence)
    rows = []
    for number, retrain in schedule.frame().iterrows():
        found = scores.folds[int(str(number))]
        rows.append(
            (
                int(str(number)) + 1,
                retrain["trained_from"],
                retrain["n_train"],
                retrain["scored_from"],
                retrain["n_test"],
                _score(found.direction_auc, ".3f"),
                _score(found.range_auc, ".3f"),
                _score(found.log_loss_skill, "+.4f"),
            )
        )
    columns = ("retrain", "learns from", "rows", "scores from", "rows")
    scored = ("up/down AUC", "range AUC", "log-loss skill")
    print_table((*columns, *scored), rows)
    if len(schedule) > 1:
        print_note(NOISY)


def _score(value: float, form: str) -> str:
    return "–" if math.isnan(value) else format(value, form)
