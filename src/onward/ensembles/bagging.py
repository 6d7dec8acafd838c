"""Bagging: many models on samples of the rows, drawn with regard to how labels overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.ensembles.composite import CompositeModel, Given
from onward.ensembles.members import require_members
from onward.ensembles.parts import share_of_gain
from onward.ensembles.seeds import derived_seed
from onward.ensembles.voting import weighted_mean
from onward.errors import ModelError
from onward.kernels.intervals import overlaps_any
from onward.labels import block_bootstrap, sequential_bootstrap
from onward.protocols import Model
from onward.types import BoolArray, FloatArray, IntArray, Spans

__all__ = ["BOOTSTRAPS", "Bag", "BaggedModel", "out_of_bag"]

BOOTSTRAPS = ("block", "sequential")
ATTEMPTS = 20
"""Draws of one bag before its rows are said to hold one class only."""


@dataclass(frozen=True, eq=False)
class Bag:
    """The rows of one estimator.

    Attributes
    ----------
    rows
        Sorted positions of the rows drawn, each once, shape (k,).
    count
        How often each was drawn, shape (k,): a factor of its sample weight.
    """

    rows: IntArray
    count: FloatArray


class BaggedModel(CompositeModel):
    """Average models that each learnt from another bootstrap sample of the rows (Breiman 1996).

    Rows whose labels overlap are near copies. Drawn one by one, every sample holds a copy of nearly
    everything and the models come out alike, so samples are drawn as `onward.labels` draws them:
    in blocks of rows that share an instant, or one after the other with the odds turned against
    what overlaps the rows drawn before (López de Prado 2018, 4.5). A row that is drawn twice counts
    twice through its weight.

    Parameters
    ----------
    members
        Names of models; estimators take them in turn.
    parameters
        Arguments of their classes by member.
    n_estimators
        Number of models.
    sample_share
        Draws a bag, as a share of the rows, above 0 and at most 1.
    bootstrap
        ``block`` or ``sequential``.
    seed, n_threads
        Seed of the draws and of the models; threads of a model.
    """

    name = "bagging"

    def __init__(
        self,
        *,
        members: Sequence[str] = ("lightgbm",),
        parameters: Mapping[str, Mapping[str, Any]] | None = None,
        n_estimators: int = 10,
        sample_share: float = 0.5,
        bootstrap: str = "block",
        seed: int = 0,
        n_threads: int = 0,
    ) -> None:
        self.members = members
        self.parameters = parameters
        self.n_estimators = n_estimators
        self.sample_share = sample_share
        self.bootstrap = bootstrap
        self.seed = seed
        self.n_threads = n_threads

    def bags(self, spans: Spans, y: npt.NDArray[Any]) -> list[Bag]:
        """Return the rows that each estimator learns from.

        Parameters
        ----------
        spans
            Label spans of the rows in hand (those of weight above zero), shape (n,).
        y
            Their classes: a bag of one class is drawn again.

        Raises
        ------
        ModelError
            When a parameter is out of range, or bags hold one class again and again.
        """
        self._check()
        return [self._bag(spans, np.asarray(y), number) for number in range(self.n_estimators)]

    def new_estimator(self, number: int) -> Model:
        """Return the unfitted model of one bag."""
        name = self.members[number % len(self.members)]
        return self._new_member(name, derived_seed(self.seed, number))

    def _fit(self, data: Given, codes: IntArray, weight: FloatArray | None) -> None:
        y = codes - 1
        table = self._table(data.values)
        self.parts_ = []
        for number, bag in enumerate(self.bags(data.spans, y)):
            share = bag.count if weight is None else weight[bag.rows] * bag.count
            model = self.new_estimator(number)
            self.parts_.append(model.fit(table.iloc[bag.rows], y[bag.rows], share))

    def _combined(self, parts: FloatArray, table: pd.DataFrame) -> FloatArray:  # noqa: ARG002 - a hook
        return weighted_mean(parts, np.full(len(parts), 1.0 / len(parts)))

    def _gain(self) -> FloatArray:
        return np.asarray(np.mean([share_of_gain(part) for part in self.parts_], axis=0), dtype=np.float64)

    def _bag(self, spans: Spans, y: npt.NDArray[Any], number: int) -> Bag:
        draw = sequential_bootstrap if self.bootstrap == "sequential" else block_bootstrap
        size = max(1, round(self.sample_share * len(spans)))
        several = len(np.unique(y)) > 1
        for attempt in range(ATTEMPTS):
            drawn = draw(spans, size, derived_seed(self.seed, number, attempt))
            rows, count = np.unique(drawn, return_counts=True)
            if not several or len(np.unique(y[rows])) > 1:
                return Bag(rows.astype(np.int64), count.astype(np.float64))
        raise ModelError(
            "the bags of an ensemble hold one class only",
            got=f"{size} draws from {len(spans)} rows, {ATTEMPTS} times",
            allowed="bags of two classes at least",
            remedy="Raise ensemble.sample_share, or use labels whose classes are less rare.",
        )

    def _check(self) -> None:
        require_members(self.name, self.members, at_least=1)
        count, share = self.n_estimators, self.sample_share
        if isinstance(count, bool) or int(count) != count or count < 1:
            raise ModelError(
                "the number of estimators is unusable",
                got=repr(count),
                allowed="a whole number of at least 1",
                remedy="Change ensemble.n_estimators.",
            )
        if not 0.0 < share <= 1.0:
            raise ModelError(
                "the share of rows in a bag is out of range",
                got=repr(share),
                allowed="above 0 and at most 1",
                remedy="Change ensemble.sample_share.",
            )
        if self.bootstrap not in BOOTSTRAPS:
            raise ModelError(
                "there is no bootstrap of this name",
                got=repr(self.bootstrap),
                allowed=" or ".join(BOOTSTRAPS),
                remedy="Set ensemble.bootstrap to one of these.",
            )


def out_of_bag(spans: Spans, bag: Bag) -> BoolArray:
    """Return which rows an estimator may be scored on: those whose span no span in its bag touches.

    Not being drawn is not enough: a row whose neighbour was drawn has told most of its outcome.
    """
    start, end = spans.start[bag.rows], spans.end[bag.rows]
    result: BoolArray = ~overlaps_any(spans.start, spans.end, start, end)
    return result
