"""When a trial is not worth finishing: a pure decision over what trials scored fold by fold."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onward.config.optimization import Pruner
from onward.training.optimization.records import TrialRecord

__all__ = ["is_hopeless", "rivals"]

LEAST_RIVALS = 4
"""Until so many other trials came as far, none is stopped."""

LEAST_FINISHED = 8
"""The same where the best trial alone is the measure (``racing``). As many as are drawn at random by
default: the bar is the best of several, and luck is judged by trials that nothing has chosen."""

REDUCTION = 3
"""Of those that came as far, one in so many goes on (``halving``; Li et al. 2018, Hyperband)."""


def rivals(rule: Pruner, before: Sequence[TrialRecord]) -> list[tuple[float, ...]]:
    """Return the scores with which a trial is compared.

    The median is that of trials that went all the way: as the search gets better, so do they, and
    the bar rises. Racing compares with the best of them. Halving compares all that came as far.
    """
    return [one.fold_scores for one in before if rule == "halving" or one.state == "complete"]


def is_hopeless(rule: Pruner, scores: Sequence[float], others: Sequence[Sequence[float]]) -> bool:
    """Return whether a trial is to be stopped after the inner folds that it has been through.

    The mean score so far is compared with the means of other trials over the *same* folds. All
    trials see the same rows, so a trial that falls behind does so by its parameters, not by the
    mood of the market. Depends on nothing but its arguments: the same trials in the same order are
    stopped at the same folds.

    Parameters
    ----------
    rule
        ``median``: below the median (Golovin et al. 2017, Vizier). ``halving``: outside the best
        third. ``racing``: behind the best of all. ``none``: never.
    scores
        Scores of the trial, one a fold that it has been through; with a NaN among them (a score that is
        not defined) it is not stopped.
    others
        Scores of the trials before it, each as far as it came.
    """
    reached = len(scores)
    means = [float(np.mean(one[:reached])) for one in others if len(one) >= reached > 0]
    known = [mean for mean in means if not math.isnan(mean)]
    least = LEAST_FINISHED if rule == "racing" else LEAST_RIVALS
    if rule == "none" or reached == 0 or len(known) < least:
        return False
    own = float(np.mean(scores))
    if rule == "racing":
        best = max(others, key=lambda one: -math.inf if math.isnan(np.mean(one)) else float(np.mean(one)))
        return own < float(np.mean(best[:reached]))
    if rule == "median":
        return own < float(np.median(known))
    places = max(1, (len(known) + 1) // REDUCTION)
    return sum(rival >= own for rival in known) >= places
