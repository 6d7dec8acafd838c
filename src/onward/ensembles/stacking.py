"""Stacking: a small model learns from out-of-fold predictions how far to trust each member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.ensembles.composite import CompositeModel, Given, Weigh
from onward.ensembles.inner import InnerPredictions
from onward.ensembles.members import require_members
from onward.ensembles.parts import new_part, share_of_gain
from onward.ensembles.seeds import derived_seed
from onward.protocols import Model
from onward.types import FloatArray, IntArray

__all__ = ["StackedModel", "meta_features"]

CLOSEST = 1e-6
"""Probabilities nearer to 0 are taken to be this near: a member that is certain is not infinitely so."""


class StackedModel(CompositeModel):
    """Let a meta-model weigh the members by what they said of rows they had not seen (Wolpert 1992).

    The meta-model learns from predictions of purged inner folds only, on the rows that these folds
    cover; the members that predict later are fitted on all rows. It sees two numbers a member, the
    log-odds of up against down and of range against movement, which together are what the member
    said.

    Parameters
    ----------
    members
        Names of two or more models.
    parameters
        Arguments of their classes by member.
    meta
        Name of the meta-model.
    meta_parameters
        Arguments of its class.
    passthrough
        Show the features to the meta-model as well.
    n_folds
        Inner folds, where nobody brings out-of-fold predictions.
    seed, n_threads
        Handed over to members and meta-model.

    Attributes
    ----------
    parts_
        The members, then the meta-model.
    """

    name = "stacking"

    def __init__(
        self,
        *,
        members: Sequence[str] = ("lightgbm", "logistic"),
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        meta: str = "logistic",
        meta_parameters: Mapping[str, Any] | None = None,
        passthrough: bool = False,
        n_folds: int = 4,
        seed: int = 0,
        n_threads: int = 0,
    ) -> None:
        self.members = members
        self.parameters = parameters
        self.meta = meta
        self.meta_parameters = meta_parameters
        self.passthrough = passthrough
        self.n_folds = n_folds
        self.seed = seed
        self.n_threads = n_threads

    @property
    def uses_inner(self) -> bool:
        """The meta-model learns from nothing else."""
        return True

    @property
    def uses_features(self) -> bool:
        """Only when features are passed through."""
        return self.passthrough

    def cross_fitted(self, inner: InnerPredictions, y: npt.NDArray[Any], weigh: Weigh) -> FloatArray:
        """Return what meta-models say of each inner fold that learnt from the others, purged.

        Features that are passed through are those of the stages of that inner fold, so that they
        were not chosen by the outcomes that are predicted.
        """
        result = np.empty((len(inner.rows), 3))
        for number, fold in enumerate(inner.folds):
            others, mine = np.isin(inner.rows, fold.train), inner.fold == number
            table = inner.tables[number] if self.passthrough else None
            learnt = inner.rows[others]
            model = self._new_meta(derived_seed(self.seed, len(self.members), number))
            model.fit(
                self._meta_table(inner.probability[:, others], _rows_of(table, learnt)),
                y[learnt],
                weigh(learnt),
            )
            asked = self._meta_table(inner.probability[:, mine], _rows_of(table, inner.rows[mine]))
            result[mine] = model.predict_proba(asked)
        return result

    def shares(self) -> FloatArray:
        """Return each member's part of what the meta-model goes by, shape (n_members,).

        With features passed through they sum to less than 1; zeros when it goes by nothing.
        """
        self._check_fitted()
        gain = share_of_gain(self.parts_[-1])
        return np.asarray(gain[: 2 * len(self.members)].reshape(-1, 2).sum(axis=1), dtype=np.float64)

    def _fit(self, data: Given, codes: IntArray, weight: FloatArray | None) -> None:
        require_members(self.name, self.members, at_least=2)
        y = codes - 1
        table = self._table(data.values)
        inner = self._inner(data, y, weight)
        rows = inner.rows
        meta = self._new_meta(derived_seed(self.seed, len(self.members)))
        seen = self._meta_table(inner.probability, table.iloc[rows])
        meta.fit(seen, y[rows], None if weight is None else weight[rows])
        self.parts_ = [*self._fitted_members(table, y, weight), meta]

    def _probabilities(self, values: npt.NDArray[np.float32]) -> FloatArray:
        table = self._table(values)
        return self._combined(np.stack([part.predict_proba(table) for part in self.parts_[:-1]]), table)

    def _combined(self, parts: FloatArray, table: pd.DataFrame) -> FloatArray:
        return self.parts_[-1].predict_proba(self._meta_table(parts, table))

    def _gain(self) -> FloatArray:
        gain = share_of_gain(self.parts_[-1])
        own = gain[2 * len(self.members) :]
        total = own.copy() if self.passthrough else np.zeros(self.n_features_in_)
        for share, part in zip(self.shares(), self.parts_[:-1], strict=True):
            total += share * share_of_gain(part)
        return total

    def _new_meta(self, seed: int) -> Model:
        return new_part(self.meta, self.meta_parameters or {}, seed=seed, n_threads=self.n_threads)

    def _meta_table(self, probability: FloatArray, table: pd.DataFrame | None) -> pd.DataFrame:
        said = meta_features(probability, self.members)
        if not self.passthrough or table is None:
            return said
        return pd.concat([said.set_axis(table.index), table], axis=1)


def meta_features(probability: FloatArray, members: Sequence[str]) -> pd.DataFrame:
    """Return what members said as log-odds, float32, two columns a member.

    Parameters
    ----------
    probability
        Shape (n_members, n, 3).
    members
        Their names, which the columns begin with.
    """
    logs = np.log(np.maximum(probability, CLOSEST))
    moved = np.log(np.maximum(probability[:, :, 0] + probability[:, :, 2], CLOSEST))
    columns: dict[str, Any] = {}
    for name, log, other in zip(members, logs, moved, strict=True):
        columns[f"{name}__direction"] = (log[:, 2] - log[:, 0]).astype(np.float32)
        columns[f"{name}__range"] = (log[:, 1] - other).astype(np.float32)
    return pd.DataFrame(columns)


def _rows_of(table: pd.DataFrame | None, rows: IntArray) -> pd.DataFrame | None:
    return None if table is None else table.iloc[rows]
