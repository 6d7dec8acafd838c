"""What a search tells of its trials: each once, with its score and the best so far."""

from __future__ import annotations

from typing import Any

import pytest

from onward.training.optimization.records import RECORD
from onward.training.optimization.studies import StudyKeeper
from onward.training.optimization.telling import Teller
from onward.types import ProgressEvent


@pytest.fixture
def study() -> Any:
    return StudyKeeper().open("it")


def ended(study: Any, score: float | None, *, reason: str = "") -> None:
    from optuna.trial import TrialState

    trial = study.ask()
    scores = [] if score is None else [score]
    trial.set_user_attr(RECORD, {"values": {}, "scores": scores, "reason": reason, "seconds": 0.1})
    if score is None:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, score)


def teller(told: list[ProgressEvent]) -> Teller:
    return Teller(told.append, "fold 1 of 3", "sharpe", 9)


def test_each_trial_is_told_once_with_its_score_and_the_best_so_far(study: Any) -> None:
    told: list[ProgressEvent] = []
    one = teller(told)
    one.begin(study)
    assert told == [ProgressEvent("search", 0, 9, "fold 1 of 3")]
    ended(study, None)
    one.news(study)
    ended(study, 0.5)
    ended(study, 0.25)  # a helper was as quick
    one.news(study)
    one.news(study)
    ended(study, None, reason="it does not fit")
    one.news(study)
    assert [(event.done, event.message, dict(event.values)) for event in told[1:]] == [
        (1, "fold 1 of 3, pruned", {"trial": 0}),
        (2, "fold 1 of 3", {"trial": 1, "inner sharpe": 0.5, "best inner sharpe": 0.5}),
        (3, "fold 1 of 3", {"trial": 2, "inner sharpe": 0.25, "best inner sharpe": 0.5}),
        (4, "fold 1 of 3, refused", {"trial": 3, "best inner sharpe": 0.5}),
    ]
    assert all(event.total == 9 for event in told)


def test_what_a_search_goes_on_from_is_told_and_lost_trials_take_no_number(study: Any) -> None:
    from optuna.trial import TrialState

    ended(study, 0.5)
    study.tell(study.ask(), state=TrialState.FAIL)
    ended(study, 0.75)
    told: list[ProgressEvent] = []
    teller(told).begin(study)
    assert [(event.done, event.values["trial"], event.values["best inner sharpe"]) for event in told] == [
        (1, 0, 0.5),
        (2, 1, 0.75),
    ]
