"""What a search left in ``search.json``: its trials as they came, what mattered, the best of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["LEADERS", "SearchView", "SearchedFold", "Trial", "search_of"]

LEADERS = 10
ENOUGH = 10
"""Complete trials a parameter below which shares of importance are told with a warning."""
ORDER = {"complete": 0, "pruned": 1, "refused": 2}


@dataclass(frozen=True)
class Trial:
    """A trial of the search on all rows.

    Attributes
    ----------
    number
        As the job, the report, the command line and ``search.json`` number it: the first is 0.
    deviation
        Between its inner folds; None with fewer than two.
    values
        What was drawn, one for each of the search's parameters; None where it had no use for one.
    """

    number: int
    state: str
    score: float | None
    deviation: float | None
    seconds: float | None
    values: tuple[Any, ...]
    chosen: bool


@dataclass(frozen=True)
class SearchedFold:
    """The search of one outer fold: its best inner score, and what that was worth on rows it had not seen."""

    title: str
    n_trials: int
    inner: float | None
    outer: float | None


@dataclass(frozen=True)
class SearchView:
    """A search.

    Attributes
    ----------
    objective
        Score by which trials were chosen.
    parameters
        Dotted names.
    n_trials
        Of all nested searches together.
    best
        Inner score of the trial that was chosen.
    trials
        Of the search on all rows, in the order in which they were drawn.
    leaders
        The best of them.
    importance
        Share of the scores' variation by parameter, largest first.
    folds
        Searches of the outer folds.
    statistics
        Overfitting figures; empty with fewer than two complete trials.
    """

    objective: str
    parameters: tuple[str, ...]
    n_trials: int
    best: float | None
    trials: tuple[Trial, ...]
    leaders: tuple[Trial, ...]
    importance: tuple[tuple[str, float], ...]
    folds: tuple[SearchedFold, ...]
    statistics: Mapping[str, float | None]

    @property
    def n_complete(self) -> int:
        """How many trials the importance goes by."""
        return sum(trial.state == "complete" for trial in self.trials)

    @property
    def is_thin(self) -> bool:
        """Whether the trials are too few for the number of parameters to trust their importance."""
        return self.n_complete < ENOUGH * len(self.importance)

    @property
    def history(self) -> dict[str, list[Any]]:
        """Scores of the trials and the best so far, for a chart."""
        best: list[float | None] = []
        for trial in self.trials:
            last = best[-1] if best else None
            counts = trial.state == "complete" and trial.score is not None
            better = counts and (last is None or (trial.score or 0.0) > last)
            best.append(trial.score if better else last)
        return {
            "x": [trial.number for trial in self.trials],
            "score": [trial.score if trial.state == "complete" else None for trial in self.trials],
            "best": best,
        }


def search_of(told: Any) -> SearchView | None:
    """Return what ``search.json`` says; None when it is not what a search writes.

    Parameters
    ----------
    told
        As ``onward.training.optimization.SearchResult.to_dict`` gave it, from JSON.
    """
    try:
        final = told["final"]
        parameters = tuple(str(one["path"]) for one in told["space"])
        trials = tuple(_trial(one, parameters, final["chosen"]) for one in final["trials"])
        folds = tuple(_fold(one) for one in told["folds"])
        importance = {str(name): float(share) for name, share in final["importance"].items()}
        statistics = {name: _figure(value) for name, value in (told.get("statistics") or {}).items()}
        objective, best = str(told["objective"]), _figure(final["inner_score"])
    except (AttributeError, KeyError, TypeError, ValueError):  # another version wrote it, or half of it
        return None
    return SearchView(
        objective=objective,
        parameters=parameters,
        n_trials=len(trials) + sum(fold.n_trials for fold in folds),
        best=best,
        trials=trials,
        leaders=tuple(sorted(trials, key=_rank)[:LEADERS]),
        importance=tuple(sorted(importance.items(), key=lambda one: -one[1])),
        folds=folds,
        statistics=statistics,
    )


def _trial(told: Mapping[str, Any], parameters: Sequence[str], chosen: int) -> Trial:
    known = [score for one in told["fold_scores"] if (score := _figure(one)) is not None]
    mean = sum(known) / len(known) if known else 0.0
    spread = math.sqrt(sum((score - mean) ** 2 for score in known) / len(known)) if len(known) > 1 else None
    values = told["parameters"]
    return Trial(
        number=int(told["number"]),
        state=str(told["state"]),
        score=_figure(told["score"]),
        deviation=spread,
        seconds=_figure(told["seconds"]),
        values=tuple(values.get(name) for name in parameters),
        chosen=told["number"] == chosen,
    )


def _fold(told: Mapping[str, Any]) -> SearchedFold:
    return SearchedFold(
        str(told["title"]), len(told["trials"]), _figure(told["inner_score"]), _figure(told["outer_score"])
    )


def _rank(trial: Trial) -> tuple[int, float, int]:
    return ORDER.get(trial.state, 3), math.inf if trial.score is None else -trial.score, trial.number


def _figure(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None
