"""Voting: members side by side, their probabilities averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.ensembles.composite import CompositeModel, Given, Weigh
from onward.ensembles.inner import InnerPredictions
from onward.ensembles.members import require_members
from onward.ensembles.parts import share_of_gain
from onward.errors import ModelError
from onward.types import FloatArray, IntArray

__all__ = ["VOTES", "VotingModel", "skill_weights", "weighted_mean"]

VOTES = ("equal", "score")
SMALLEST = float(np.finfo(np.float64).eps)


class VotingModel(CompositeModel):
    """Average the probabilities of several models.

    Parameters
    ----------
    members
        Names of two or more models.
    parameters
        Arguments of their classes by member.
    votes
        ``equal``: all members alike. ``score``: in proportion to their log-loss skill over the
        class frequencies on purged inner folds, members without skill left out; equal when none has
        any.
    n_folds
        Inner folds, where scores are needed and nobody brings them.
    seed, n_threads
        Handed over to the members.

    Attributes
    ----------
    weights_
        Share of each member, shape (n_members,), sum 1.
    """

    name = "voting"

    def __init__(
        self,
        *,
        members: Sequence[str] = ("lightgbm", "logistic"),
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        votes: str = "equal",
        n_folds: int = 4,
        seed: int = 0,
        n_threads: int = 0,
    ) -> None:
        self.members = members
        self.parameters = parameters
        self.votes = votes
        self.n_folds = n_folds
        self.seed = seed
        self.n_threads = n_threads

    @property
    def uses_inner(self) -> bool:
        """Scores are those of inner folds."""
        return self.votes == "score"

    def cross_fitted(self, inner: InnerPredictions, y: npt.NDArray[Any], weigh: Weigh) -> FloatArray:
        """Return the votes on each inner fold with weights from the scores on the others."""
        result = np.empty((len(inner.rows), 3))
        for number, fold in enumerate(inner.folds):
            others, mine = np.isin(inner.rows, fold.train), inner.fold == number
            learnt = inner.rows[others]
            weights = skill_weights(
                inner.probability[:, others], inner.prior[others], y[learnt], weigh(learnt)
            )
            result[mine] = weighted_mean(inner.probability[:, mine], weights)
        return result

    def shares(self) -> FloatArray:
        """Return the weights."""
        self._check_fitted()
        return self.weights_

    def _fit(self, data: Given, codes: IntArray, weight: FloatArray | None) -> None:
        require_members(self.name, self.members, at_least=2)
        _require_votes(self.votes)
        y = codes - 1
        weights = np.full(len(self.members), 1.0 / len(self.members))
        if self.uses_inner:
            inner = self._inner(data, y, weight)
            share = np.ones(len(inner.rows)) if weight is None else weight[inner.rows]
            weights = skill_weights(inner.probability, inner.prior, y[inner.rows], share)
        self.parts_ = self._fitted_members(self._table(data.values), y, weight)
        self.weights_ = weights

    def _combined(self, parts: FloatArray, table: pd.DataFrame) -> FloatArray:  # noqa: ARG002 - a hook
        return weighted_mean(parts, self.weights_)

    def _gain(self) -> FloatArray:
        gains = [w * share_of_gain(part) for w, part in zip(self.weights_, self.parts_, strict=True)]
        return np.asarray(np.sum(gains, axis=0), dtype=np.float64)

    def _state(self) -> dict[str, Any]:
        return {"weights": self.weights_.tolist()}

    def _restore(self, state: dict[str, Any]) -> None:
        self.weights_ = np.array(state["weights"], dtype=np.float64)


def skill_weights(
    probability: FloatArray, prior: FloatArray, y: npt.NDArray[Any], weight: FloatArray
) -> FloatArray:
    """Return shares in proportion to each member's log-loss skill, negative skill counting as none.

    Parameters
    ----------
    probability
        Out-of-fold predictions, shape (n_members, m, 3).
    prior
        What somebody would have said who knew class frequencies alone, shape (m, 3).
    y
        Classes -1, 0, 1, shape (m,).
    weight
        Sample weights, shape (m,).

    Returns
    -------
    Shape (n_members,), sum 1; all equal when no member has any skill, or no row counts.
    """
    equal = np.full(len(probability), 1.0 / len(probability))
    if len(y) == 0 or not weight.sum() > 0:
        return equal
    place = (np.arange(len(y)), np.asarray(y, dtype=np.int64) + 1)

    def loss(given: FloatArray) -> float:
        return float(-np.average(np.log(np.clip(given[place], SMALLEST, 1.0)), weights=weight))

    base = loss(prior)
    gained = np.array([max(base - loss(member), 0.0) for member in probability])
    return np.asarray(gained / gained.sum(), dtype=np.float64) if gained.sum() > 0 else equal


def weighted_mean(probability: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the weighted mean of members, shape (n, 3), rows summing to 1.

    Added up member by member: a matrix product would sum a row in an order that hangs on how many
    rows there are.
    """
    total = np.zeros(probability.shape[1:])
    for member, weight in zip(probability, weights, strict=True):
        total += weight * member
    return np.asarray(total / total.sum(axis=1, keepdims=True), dtype=np.float64)


def _require_votes(votes: str) -> None:
    if votes not in VOTES:
        raise ModelError(
            "votes is unknown",
            got=repr(votes),
            allowed=" or ".join(VOTES),
            remedy="Set ensemble.votes to one of these.",
        )
