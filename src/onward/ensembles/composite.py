"""What the ensembles share: members made by name, inner folds, one directory a part."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.ensembles.ensemble_file import read_ensemble, write_ensemble
from onward.ensembles.inner import (
    FoldPrediction,
    InnerPredictions,
    consecutive_spans,
    predict_inner,
    require_spans,
)
from onward.ensembles.parts import new_part, saved_model_class
from onward.ensembles.seeds import derived_seed
from onward.errors import BundleError, ModelError
from onward.models import ThreeClassModel
from onward.protocols import Model
from onward.splits import PurgedKFold
from onward.types import CLASSES, FloatArray, IntArray, Spans

__all__ = ["CompositeModel", "Given", "Weigh"]

Weigh = Callable[[IntArray], FloatArray]
"""Sample weights of some of the rows in hand, computed from those rows alone."""


@dataclass(frozen=True, eq=False)
class Given:
    """The rows that an ensemble learns from.

    Attributes
    ----------
    values
        Features, float32, shape (n, n_features).
    spans
        Their label spans.
    inner
        Out-of-fold predictions of its members, where somebody made them already.
    """

    values: npt.NDArray[np.float32]
    spans: Spans
    inner: InnerPredictions | None = None


class CompositeModel(ThreeClassModel):
    """Base of the ensembles: a `Model` made of models, used and kept like any other.

    A subclass gives ``_fit`` and ``_combined``, and says through `uses_inner` whether it needs
    out-of-fold predictions of its members. Its parameters are plain values, so that an ensemble
    can be cloned, compared and written down.

    Attributes
    ----------
    parts_
        The fitted models, in order.
    """

    native_files: ClassVar[tuple[str, ...]] = ()
    members: Sequence[str]
    parameters: Mapping[str, Mapping[str, Any]] | None
    n_folds: int
    seed: int
    n_threads: int
    parts_: list[Model]

    def fit(
        self,
        X: pd.DataFrame | npt.NDArray[Any],
        y: npt.NDArray[Any],
        sample_weight: FloatArray | None = None,
        *,
        spans: Spans | None = None,
        inner: InnerPredictions | None = None,
    ) -> Self:
        """Learn from training rows.

        Parameters
        ----------
        X, y, sample_weight
            As in `ThreeClassModel.fit`.
        spans
            Label spans of the rows. Without them the rows are taken for moments one after the
            other whose labels overlap nowhere: never leave them out where labels do.
        inner
            Out-of-fold predictions of the members on these rows, made by someone who refitted
            everything for each inner fold, feature stages included. Without them they are made
            here, on purged folds of ``spans``, from the features as they are.

        Raises
        ------
        ModelError
            As in `ThreeClassModel.fit`, and when spans or predictions are not those of the rows.
        SplitError
            When purging leaves an inner fold without training rows.
        """
        prepared = self.prepare(X, y, sample_weight)
        if spans is None and inner is None:
            return self.fit_prepared(prepared)
        n_rows = len(y)
        # What prepare leaves out, rows of weight zero, leaves spans and predictions too.
        counts = np.ones(n_rows, dtype=np.bool_) if sample_weight is None else np.asarray(sample_weight) > 0
        known = consecutive_spans(n_rows) if spans is None else spans
        require_spans(known, n_rows)
        if inner is not None:
            self._check_inner(inner, n_rows)
            inner = inner.keep(counts)
        given = replace(prepared.data, spans=known.take(counts), inner=inner)
        return self.fit_prepared(replace(prepared, data=given))

    @property
    def uses_inner(self) -> bool:
        """Whether `fit` needs out-of-fold predictions of the members."""
        return False

    @property
    def uses_features(self) -> bool:
        """Whether what combines the members sees the features as well."""
        return False

    def new_members(self, seed: int) -> list[Model]:
        """Return one unfitted model a member."""
        return [self._new_member(name, derived_seed(seed, n)) for n, name in enumerate(self.members)]

    def cross_fitted(self, inner: InnerPredictions, y: npt.NDArray[Any], weigh: Weigh) -> FloatArray:
        """Return what the ensemble says of the covered rows without having learnt from them.

        Whatever combines the members is fitted for each inner fold on the predictions of the other
        folds, purged, and asked about this one.

        Parameters
        ----------
        inner
            Out-of-fold predictions of the members.
        y
            Classes of all rows in hand.
        weigh
            Sample weights of some of the rows in hand.

        Returns
        -------
        Shape (m, 3), one row a covered row.
        """
        raise NotImplementedError(f"{self.name} combines its members without learning how")

    def shares(self) -> FloatArray:
        """Return how much each part counts, shape (n_parts,), sum 1."""
        self._check_fitted()
        return np.full(len(self.parts_), 1.0 / len(self.parts_))

    def save(self, directory: Path) -> None:
        """Write each part into a directory of its own, in its native format, and ``ensemble.json``.

        Raises
        ------
        ModelError
            Before ``fit``.
        """
        self._check_fitted()
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        for number, part in enumerate(self.parts_):
            place = directory / _place(number)
            place.mkdir()
            part.save(place)
        given = self.get_params(deep=False).items()
        write_ensemble(
            directory,
            {
                "name": self.name,
                "parameters": {key: value for key, value in given if key not in self.not_saved},
                "n_features": self.n_features_in_,
                "features": self._feature_names(),
                "state": self._state(),
                "parts": [type(part).name for part in self.parts_],
            },
        )

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        BundleError
            When a file is missing or unknown, a byte differs, or it holds another ensemble.
        ModelError
            When a part's model does not exist here, or its library is not installed.
        """
        directory = Path(directory)
        payload = read_ensemble(directory)
        if payload["name"] != cls.name:
            raise BundleError(
                "the directory holds another ensemble",
                got=payload["name"],
                allowed=cls.name,
                remedy="Load it with the class of that name.",
            )
        values = payload["parameters"]
        model = cls(**{key: tuple(v) if key == "members" else v for key, v in values.items()})
        model.classes_ = np.array(CLASSES, dtype=np.int64)
        model.n_features_in_ = int(payload["n_features"])
        if payload["features"] is not None:
            model.feature_names_in_ = np.array(payload["features"], dtype=object)
        model.parts_ = [
            saved_model_class(name).load(directory / _place(number))
            for number, name in enumerate(payload["parts"])
        ]
        model._restore(payload["state"])
        return model

    @abstractmethod
    def _combined(self, parts: FloatArray, table: pd.DataFrame) -> FloatArray:
        """Return probabilities, shape (n, 3), from those of the parts, shape (n_parts, n, 3)."""

    def _probabilities(self, values: npt.NDArray[np.float32]) -> FloatArray:
        table = self._table(values)
        return self._combined(np.stack([part.predict_proba(table) for part in self.parts_]), table)

    def _prepare(self, values: npt.NDArray[np.float32], codes: IntArray) -> Given:  # noqa: ARG002 - hook
        return Given(values, consecutive_spans(len(values)))

    def _table(self, values: npt.NDArray[np.float32]) -> pd.DataFrame:
        """Return features as the protocol of models has them."""
        names = self._feature_names() or [f"x{number}" for number in range(values.shape[1])]
        return pd.DataFrame(values, columns=names, copy=False)

    def _new_member(self, name: str, seed: int) -> Model:
        own = (self.parameters or {}).get(name, {})
        return new_part(name, own, seed=seed, n_threads=self.n_threads)

    def _fitted_members(self, table: pd.DataFrame, y: IntArray, weight: FloatArray | None) -> list[Model]:
        return [model.fit(table, y, weight) for model in self.new_members(self.seed)]

    def _inner(self, given: Given, y: IntArray, weight: FloatArray | None) -> InnerPredictions:
        """Return the predictions that were handed over, or make them from the features as they are."""
        if given.inner is not None:
            return given.inner
        table = self._table(given.values)

        def predict(fold: Any) -> FoldPrediction:
            learnt = y[fold.train]
            share = None if weight is None else weight[fold.train]
            models = self.new_members(derived_seed(self.seed, len(self.members), fold.number))
            for model in models:
                model.fit(table.iloc[fold.train], learnt, share)
            test = table.iloc[fold.test]
            return FoldPrediction(
                np.stack([model.predict_proba(test) for model in models]),
                np.array([np.mean(learnt == c) for c in CLASSES]),
            )

        return predict_inner(PurgedKFold(self.n_folds).folds(given.spans), len(table), predict)

    def _check_inner(self, inner: InnerPredictions, n_rows: int) -> None:
        if inner.n_rows != n_rows or len(inner.probability) != len(self.members):
            raise ModelError(
                "the out-of-fold predictions are not those of these rows and members",
                got=f"{len(inner.probability)} members on {inner.n_rows} rows",
                allowed=f"{len(self.members)} members on {n_rows} rows",
                remedy="Make them from the same rows, with the members of this ensemble.",
            )


def _place(number: int) -> str:
    return f"part_{number:03d}"
