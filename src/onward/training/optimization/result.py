"""What a search leaves behind: its trials, what was chosen, and how much of it may be luck."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from onward.evaluation.overfitting import SearchStatistics
from onward.training.optimization.records import TrialRecord
from onward.training.optimization.search import best_of
from onward.training.optimization.space import plan_of_trial
from onward.training.plan import TrainingPlan
from onward.training.trainer import Training

__all__ = ["FINAL", "SearchResult", "SearchedTraining", "StudyResult"]

FINAL = "all rows"


@dataclass(frozen=True)
class StudyResult:
    """One of the searches of a run.

    Attributes
    ----------
    title
        ``fold 1`` ... or ``all rows``.
    trials
        In the order in which they were drawn.
    outer_score
        The objective on the outer test rows, which the search never saw; NaN for ``all rows``.
    importance
        Share of the variation of the scores that each parameter accounts for (functional ANOVA,
        Hutter et al. 2014); empty with too few trials to tell.
    """

    title: str
    trials: tuple[TrialRecord, ...]
    outer_score: float
    importance: Mapping[str, float]

    @property
    def chosen(self) -> TrialRecord:
        """The complete trial with the best inner score."""
        return best_of(self.trials)

    def count(self, state: str) -> int:
        """Return the number of trials that ended in a state."""
        return sum(trial.state == state for trial in self.trials)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "title": self.title,
            "chosen": self.chosen.number,
            "inner_score": self.chosen.score,
            "outer_score": None if math.isnan(self.outer_score) else self.outer_score,
            "importance": dict(self.importance),
            "trials": [trial.to_dict() for trial in self.trials],
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` gave."""
        outer = math.nan if told["outer_score"] is None else float(told["outer_score"])
        trials = tuple(TrialRecord.from_dict(trial) for trial in told["trials"])
        return cls(told["title"], trials, outer, dict(told["importance"]))


@dataclass(frozen=True)
class SearchResult:
    """Outcome of a nested search.

    Attributes
    ----------
    objective
        Name of the score by which trials were chosen.
    space
        Parameters, as plain values.
    folds
        The search of each outer fold.
    final
        The search on all rows: what the final model was fitted with.
    statistics
        What the backtests of the final search's complete trials say about the one that was chosen:
        deflated Sharpe ratio, probability of backtest overfitting. None with fewer than two.
    mixed_questions
        Whether outer folds chose different labels (see `pooling`).
    place
        Where the trials are kept: ``memory``, a database, or a file beside ``search.json``.
    """

    objective: str
    space: tuple[Mapping[str, Any], ...]
    folds: tuple[StudyResult, ...]
    final: StudyResult
    statistics: SearchStatistics | None
    mixed_questions: bool = False
    place: str = ""

    @property
    def chosen(self) -> Mapping[str, Any]:
        """Values of the final model, by dotted place in the plan."""
        return self.final.chosen.parameters

    @property
    def n_trials(self) -> int:
        """Trials of all searches together."""
        return sum(len(study.trials) for study in (*self.folds, self.final))

    def plan(self, asked: TrainingPlan) -> TrainingPlan:
        """Return the plan of the final model: what was asked for with what was chosen, no search."""
        return plan_of_trial(asked, self.chosen)

    def best(self, n_trials: int) -> tuple[TrialRecord, ...]:
        """Return the trials of the final search, best first, at most so many."""
        return tuple(sorted(self.final.trials, key=_rank)[:n_trials])

    def leaderboard(self) -> pd.DataFrame:
        """Return the trials of the final search, best first.

        Columns: ``trial``, ``state``, ``score``, ``deviation`` (between inner folds), ``folds``,
        ``seconds``, and one a parameter (missing where a trial had no use for it).
        """
        rows = [
            {
                "trial": trial.number,
                "state": trial.state,
                "score": trial.score,
                "deviation": pd.Series(trial.fold_scores, dtype=float).std(ddof=0),
                "folds": len(trial.fold_scores),
                "seconds": trial.seconds,
                **trial.parameters,
            }
            for trial in self.best(len(self.final.trials))
        ]
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        statistics = None
        if self.statistics is not None:
            figures = self.statistics.to_dict()
            statistics = {k: v if math.isfinite(v) else None for k, v in figures.items()}
        return {
            "objective": self.objective,
            "space": [dict(parameter) for parameter in self.space],
            "chosen": dict(self.chosen),
            "statistics": statistics,
            "mixed_questions": self.mixed_questions,
            "place": self.place,
            "folds": [study.to_dict() for study in self.folds],
            "final": self.final.to_dict(),
        }


@dataclass(frozen=True, eq=False)
class SearchedTraining(Training):
    """A finished training whose parameters were searched.

    Attributes
    ----------
    search
        The searches.
    """

    search: SearchResult | None = None


def _rank(trial: TrialRecord) -> tuple[int, float, int]:
    order = {"complete": 0, "pruned": 1, "refused": 2}
    return order[trial.state], -trial.score if not math.isnan(trial.score) else math.inf, trial.number
