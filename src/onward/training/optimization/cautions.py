"""What a person should hold against the outcome of a search, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

from onward.config.optimization import OptimizationConfig
from onward.training.optimization.result import SearchResult

__all__ = ["search_cautions"]

LIKELY = 0.5
"""Probability of backtest overfitting above which choosing does worse than drawing lots."""

ENOUGH = 5
"""Complete trials from which that probability is worth a sentence."""


def search_cautions(found: SearchResult, config: OptimizationConfig) -> tuple[str, ...]:
    """Return what is worth knowing about a search before its scores are read."""
    return tuple(_cautions(found, config))


def _cautions(found: SearchResult, config: OptimizationConfig) -> Iterator[str]:
    if any(str(parameter["path"]).startswith("labels.") for parameter in found.space):
        yield (
            "The search chose the labels too: each outer fold is scored on the question that it chose "
            "itself, so the scores say whether the procedure finds a question it can answer, not how "
            "well any one question is answered."
        )
    if found.mixed_questions:
        yield (
            "The outer folds chose different labels. Predictions are ranked inside each fold before they are "
            "pooled for the AUCs and the null band: how frequent the range is under one label or another "
            "counts for nothing."
        )
    statistics = found.statistics
    if statistics is not None and statistics.n_trials >= ENOUGH and statistics.overfitting > LIKELY:
        yield (
            f"The probability of backtest overfitting is {statistics.overfitting:.0%}: the trial that looks "
            "best on one half of the history is below the median on the other more often than not."
        )
    searches = (*found.folds, found.final)
    short = [s for s in searches if len(s.trials) < config.trials and _short_of_space(found, s.trials)]
    if config.seconds is not None and short:
        fewest = min(short, key=lambda one: len(one.trials))
        yield (
            f"Time ended {len(short)} of {len(searches)} searches early, that of {fewest.title} after "
            f"{len(fewest.trials)} of {config.trials} trials: another run need not choose the same."
        )
    if config.processes > 1:
        yield "Several processes drew trials side by side: another run need not choose the same."
    refused = [trial for one in searches for trial in one.trials if trial.state == "refused"]
    if refused:
        share = f"{len(refused)} of {found.n_trials} trials could not be judged"
        yield f"{share}, the first because: {refused[0].reason}"


def _short_of_space(found: SearchResult, trials: tuple[object, ...]) -> bool:
    """Tell a search that time ended from one that had been through its whole space."""
    sizes = [
        len(p["choices"])
        if "choices" in p
        else (
            math.inf if p["step"] is None and not float(p["low"]).is_integer() else 1 + (p["high"] - p["low"])
        )
        for p in found.space
    ]
    return len(trials) < math.prod(sizes)
