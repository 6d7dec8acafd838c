"""One search: trials on the rows in hand, judged by purged inner folds of those rows."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from onward.config.optimization import OptimizationConfig
from onward.errors import OnwardError, PlanError
from onward.protocols import Progress
from onward.training.optimization.bench import Bench
from onward.training.optimization.objective import fold_score, fold_signals
from onward.training.optimization.pruning import is_hopeless, rivals
from onward.training.optimization.records import RECORD, TrialRecord, packed_sides, trial_records
from onward.training.optimization.studies import finished, quiet_optuna
from onward.training.optimization.telling import Teller
from onward.types import BoolArray

if TYPE_CHECKING:
    from optuna import Study, Trial

__all__ = ["Search", "best_of"]

MOST_COMBINATIONS = 10_000


@dataclass(frozen=True, eq=False)
class Search:
    """What is searched, on which rows.

    Attributes
    ----------
    title
        Name for people: ``fold 2 of 5``, ``all rows``.
    config
        Trials, inner folds, objective, sampler and pruner.
    bench
        Makes trials.
    allowed
        Bars whose labels may be seen, shape (n_bars,); nothing of any other row is looked at.
    seed
        Seed of the draws.
    """

    title: str
    config: OptimizationConfig
    bench: Bench
    allowed: BoolArray
    seed: int

    def run(
        self,
        study: Study,
        report: Progress,
        *,
        deadline: float | None = None,
        joining: bool = False,
    ) -> tuple[TrialRecord, ...]:
        """Run trials until there are enough, or time is up; a study that has some goes on from there.

        Parameters
        ----------
        study
            Where trials are kept.
        report
            Told of every trial (see `Teller`); inner scores may be seen.
        deadline
            Moment (`time.monotonic`) after which no trial begins; the first one always does.
        joining
            Whether other processes work on this study: trials under way are then theirs.

        Returns
        -------
        All trials of the study.

        Raises
        ------
        PlanError
            When every trial was refused; says why the first one was.
        """
        from onward.training.optimization.sampling import RepeatableSampler

        given = self._given()
        target = min(self.config.trials, len(given)) if self._exhaustive(given) else self.config.trials
        shared = joining or self.config.processes > 1
        if not joining:
            self.close_orphans(study)
        study.sampler = RepeatableSampler(
            self.config.sampler,
            self.seed,
            startup_trials=self.config.startup_trials,
            given=given,
            shared=shared,
        )
        with quiet_optuna():
            teller = Teller(report, self.title, self.config.objective, target)
            teller.begin(study)
            while self._begun(study, shared) < target:
                if deadline is not None and time.monotonic() >= deadline and finished(study):
                    break
                self._one(study, target)
                teller.news(study)
        records = trial_records(study)
        if not joining:
            best_of(records)
        return records

    def close_orphans(self, study: Study) -> None:
        """Close trials that a process which is no more left open; their places are taken anew."""
        from optuna.trial import TrialState

        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)

    def _begun(self, study: Study, shared: bool) -> int:
        """Return how many trials have a result, or are being worked on by others."""
        from optuna.trial import TrialState

        if not shared:
            return len(finished(study))
        states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
        return len(study.get_trials(deepcopy=False, states=states))

    def _one(self, study: Study, target: int) -> None:
        from optuna.trial import TrialState

        from onward.training.optimization.sampling import place_of

        trial = study.ask()
        if place_of(study, trial.number) >= target:  # another process was quicker
            study.tell(trial, state=TrialState.FAIL)
            return
        started = time.perf_counter()
        try:
            told = self._evaluate(study, trial)
        except BaseException:
            study.tell(trial, state=TrialState.FAIL)
            raise
        told["seconds"] = round(time.perf_counter() - started, 4)
        state, score = told.pop("state"), told.pop("score")
        trial.set_user_attr(RECORD, told)
        if state == "complete":
            study.tell(trial, score)
        else:
            study.tell(trial, state=TrialState.PRUNED)

    def _evaluate(self, study: Study, trial: Trial) -> dict[str, Any]:
        """Draw the trial, take it through the inner folds, and return what is to be kept of it."""
        before = trial_records(study)
        values = self.bench.space.draw(trial)
        told: dict[str, Any] = {"values": values, "scores": []}
        twin = next((one for one in before if one.parameters == values and one.state == "complete"), None)
        if twin is not None:
            known = finished(study)[twin.number].user_attrs[RECORD]
            return (
                told | {k: known[k] for k in ("scores", "sides")} | {"state": "complete", "score": twin.score}
            )
        try:
            return told | self._through_folds(trial, values, before)
        except OnwardError as error:
            return told | {"state": "refused", "score": math.nan, "reason": str(error)}

    def _through_folds(
        self, trial: Trial, values: dict[str, Any], before: tuple[TrialRecord, ...]
    ) -> dict[str, Any]:
        candidate = self.bench.trial(values)
        folds = self.bench.inner_folds(candidate, self.allowed, self.config.inner_splits)
        others = rivals(self.config.pruner, before)
        side = np.full(len(self.bench.market), np.nan)
        scores: list[float] = []
        for number, fold in enumerate(folds):
            outcome = candidate.trainer.fit_fold(candidate.dataset, candidate.labeler, fold)
            scores.append(fold_score(self.config.objective, candidate, outcome))
            traded = fold_signals(candidate, outcome)["signal"]
            side[self.bench.market.index.get_indexer(traded.index)] = traded.to_numpy()
            known = [score for score in scores if not math.isnan(score)]
            if known:
                trial.report(float(np.mean(known)), number)
            is_last = number == len(folds) - 1
            if not is_last and is_hopeless(self.config.pruner, scores, others):
                return {"state": "pruned", "score": math.nan, "scores": _plain(scores)}
        known = [score for score in scores if not math.isnan(score)]
        if not known:
            reason = f"{self.config.objective} is not defined in any inner fold"
            return {"state": "refused", "score": math.nan, "scores": _plain(scores), "reason": reason}
        return {
            "state": "complete",
            "score": float(np.mean(known)),
            "scores": _plain(scores),
            "sides": packed_sides(side),
        }

    def _given(self) -> Sequence[Mapping[str, Any]]:
        """Return the draws of the first trials: all combinations of a small space, else the plan's own."""
        space = self.bench.space
        if space.size <= min(self.config.trials, MOST_COMBINATIONS):
            return space.combinations()
        own = space.own_values()
        return [] if own is None else [own]

    def _exhaustive(self, given: Sequence[Mapping[str, Any]]) -> bool:
        return bool(given) and self.bench.space.size <= min(self.config.trials, MOST_COMBINATIONS)


def best_of(records: tuple[TrialRecord, ...]) -> TrialRecord:
    """Return the complete trial with the highest score, the earliest of equals.

    Raises
    ------
    PlanError
        When no trial was completed.
    """
    complete = [one for one in records if one.state == "complete"]
    if complete:
        return max(complete, key=lambda one: (one.score, -one.number))
    refused = next((one.reason for one in records if one.reason), "no trial was run")
    raise PlanError(
        "no trial of the search could be judged",
        got=f"{len(records)} trials; {refused}",
        allowed="at least one that fits the data",
        remedy="Repair what the first trial was refused for, or narrow the space.",
    )


def _plain(scores: list[float]) -> list[float | None]:
    return [None if math.isnan(score) else score for score in scores]
