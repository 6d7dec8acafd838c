"""A sampler whose draws follow from the seed and the trials before, and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from onward.config.optimization import Sampler

__all__ = ["RepeatableSampler", "place_of"]


class RepeatableSampler(BaseSampler):
    """Draws a trial with a generator of its own, seeded by the trial's place in the search.

    Optuna's samplers carry one generator from trial to trial: a search that was stopped and taken
    up again would go other ways than one that was not. Trials that came to nothing (a crash,
    Ctrl-C) have no place: the next trial takes theirs, and draws what they drew.

    Parameters
    ----------
    kind
        ``tpe`` (Bergstra et al. 2011; Optuna's `TPESampler`) or ``random``.
    seed
        Seed of the search.
    startup_trials
        Trials drawn at random before ``tpe`` begins to learn.
    given
        Draws of the first trials by name, in order: the plan as it was written, or all
        combinations of a small space. Names that are missing are drawn.
    shared
        Whether several processes draw at once: running trials then count as poor ones, so that
        two do not try the same.
    """

    def __init__(
        self,
        kind: Sampler,
        seed: int,
        *,
        startup_trials: int,
        given: Sequence[Mapping[str, Any]] = (),
        shared: bool = False,
    ) -> None:
        self._kind = kind
        self._seed = seed
        self._startup_trials = startup_trials
        self._given = given
        self._shared = shared
        self._inner: BaseSampler = RandomSampler(seed)
        self._draws: Mapping[str, Any] = {}

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Seed the draws of this trial."""
        place = place_of(study, trial.number)
        self._draws = self._given[place] if place < len(self._given) else {}
        seed = int(np.random.SeedSequence([self._seed, place]).generate_state(1)[0])
        if self._kind == "random":
            self._inner = RandomSampler(seed)
        else:
            self._inner = TPESampler(
                n_startup_trials=self._startup_trials, seed=seed, constant_liar=self._shared
            )

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what is drawn jointly."""
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw jointly."""
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return the given draw, else draw one parameter."""
        if param_name in self._draws:
            return self._draws[param_name]
        return self._inner.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Let the sampler take note of a result."""
        self._inner.after_trial(study, trial, state, values)


def place_of(study: Study, number: int) -> int:
    """Return the place of a trial among those that came to something or still may."""
    failed = study.get_trials(deepcopy=False, states=(TrialState.FAIL,))
    return number - sum(one.number < number for one in failed)
