"""What every model shares: checked input, the three classes, files that notice damage."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.errors import BundleError, ModelError
from onward.models.estimator import ClassifierGrammar
from onward.models.prepared import Prepared
from onward.models.rows import column_names, feature_matrix, training_rows
from onward.models.state_file import check_files, file_hashes, read_state, write_state
from onward.types import CLASSES, FloatArray, IntArray

__all__ = ["ThreeClassModel"]


class ThreeClassModel(ClassifierGrammar):
    """Base of the models: a classifier in scikit-learn's grammar over the classes -1, 0, 1.

    A subclass gives ``_fit`` and ``_probabilities``, and what it must keep on disk through
    ``_state`` / ``_restore`` (plain JSON) and ``_write_native`` / ``_read_native`` (the library's
    own format). Parameters are the constructor's arguments, as scikit-learn wants them.

    Attributes
    ----------
    classes_
        ``[-1, 0, 1]``, always: the columns of ``predict_proba``.
    feature_names_in_
        Columns seen in ``fit``.
    """

    name: ClassVar[str]
    library: ClassVar[str | None] = None
    """Module that learns, when it does not come with Onward itself."""
    native_files: ClassVar[tuple[str, ...]] = ()
    not_saved: ClassVar[tuple[str, ...]] = ("n_threads",)
    """Parameters that change how fast and not what: the files are the same whatever they were."""

    def fit(
        self,
        X: pd.DataFrame | npt.NDArray[Any],
        y: npt.NDArray[Any],
        sample_weight: FloatArray | None = None,
    ) -> Self:
        """Learn from training rows.

        Parameters
        ----------
        X
            Features, shape (n, n_features); NaN means "not known yet".
        y
            Classes -1, 0, 1, shape (n,).
        sample_weight
            Shape (n,), not negative; rows of weight zero are as if they were not there.

        Raises
        ------
        ModelError
            When shapes disagree, a class is unknown, a weight is negative or NaN, a feature is
            infinite, or (for models that need contrast) one class only is present.
        """
        return self.fit_prepared(self.prepare(X, y, sample_weight))

    def prepare(
        self,
        X: pd.DataFrame | npt.NDArray[Any],
        y: npt.NDArray[Any],
        sample_weight: FloatArray | None = None,
    ) -> Prepared:
        """Check training rows and make them ready for `fit_prepared`, once for many fits.

        Parameters and errors are those of `fit`.
        """
        values, codes, weight = training_rows(X, y, sample_weight)
        return Prepared(
            model=self.name,
            data=self._prepare(values, codes),
            codes=codes,
            weight=weight,
            features=column_names(X),
            n_rows=values.shape[0],
            n_features=values.shape[1],
            settings=self._preparation_settings(),
        )

    def fit_prepared(self, prepared: Prepared) -> Self:
        """Learn from rows that a model with the same preparation settings made ready.

        Bit-equal to `fit` on those rows, however often and in whatever order they were used.

        Raises
        ------
        ModelError
            When they were prepared for another model or in another way.
        """
        prepared.check(self.name, self._preparation_settings())
        self.classes_: IntArray = np.array(CLASSES, dtype=np.int64)
        self.n_features_in_ = prepared.n_features
        if prepared.features is not None:
            self.feature_names_in_ = np.array(prepared.features, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        try:
            self._fit(prepared.data, prepared.codes, prepared.weight)
        except BaseException:
            del self.n_features_in_  # half a fit is none
            raise
        return self

    def predict_proba(self, X: pd.DataFrame | npt.NDArray[Any]) -> FloatArray:
        """Return probabilities of down, range and up, shape (n, 3), rows summing to 1.

        Raises
        ------
        ModelError
            Before ``fit``, or when the columns are not those of the training rows.
        """
        self._check_fitted()
        self._check_columns(X)
        values = feature_matrix(X)
        return self._probabilities(values) if len(values) else np.empty((0, len(CLASSES)))

    def predict(self, X: pd.DataFrame | npt.NDArray[Any]) -> IntArray:
        """Return the most probable class of each row, shape (n,)."""
        chosen: IntArray = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return chosen

    def gain(self) -> FloatArray:
        """Return how much each training column counted, shape (n_features,); zeros by default.

        Raises
        ------
        ModelError
            Before ``fit``.
        """
        self._check_fitted()
        return self._gain()

    def save(self, directory: Path) -> None:
        """Write the fitted model into a directory: native files and ``model.json`` with their hashes.

        Raises
        ------
        ModelError
            Before ``fit``.
        """
        self._check_fitted()
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self._write_native(directory)
        payload = {
            "name": self.name,
            "parameters": {k: v for k, v in self.get_params(deep=False).items() if k not in self.not_saved},
            "n_features": self.n_features_in_,
            "features": self._feature_names(),
            "state": self._state(),
            "files": file_hashes(directory, self.native_files),
        }
        write_state(directory, payload)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        BundleError
            When a file is missing, a byte differs, or the directory holds another model.
        ModelError
            When the model's library is not installed.
        """
        directory = Path(directory)
        payload = read_state(directory)
        if payload["name"] != cls.name:
            raise BundleError(
                "the directory holds another model",
                got=payload["name"],
                allowed=cls.name,
                remedy="Load it with the class of that name.",
            )
        check_files(directory, payload["files"])
        model = cls(**payload["parameters"])
        model.classes_ = np.array(CLASSES, dtype=np.int64)
        model.n_features_in_ = int(payload["n_features"])
        if payload["features"] is not None:
            model.feature_names_in_ = np.array(payload["features"], dtype=object)
        model._restore(payload["state"])
        model._read_native(directory)
        return model

    @abstractmethod
    def _fit(self, data: Any, codes: IntArray, weight: FloatArray | None) -> None:
        """Learn from checked input; ``codes`` are 0, 1, 2 for down, range, up."""

    @abstractmethod
    def _probabilities(self, values: npt.NDArray[np.float32]) -> FloatArray:
        """Return probabilities, shape (n, 3)."""

    def _prepare(self, values: npt.NDArray[np.float32], codes: IntArray) -> Any:  # noqa: ARG002 - hook
        """Return the rows as ``_fit`` takes them; the matrix itself by default."""
        return values

    def _preparation_settings(self) -> Mapping[str, Any]:
        """Return the parameters that shape what ``_prepare`` returns."""
        return {}

    def _gain(self) -> FloatArray:
        """Return how much each training column counted, shape (n_features,)."""
        return np.zeros(self.n_features_in_)

    def _state(self) -> dict[str, Any]:
        """Return what was learnt as plain JSON values."""
        return {}

    def _restore(self, state: dict[str, Any]) -> None:
        """Take back what `_state` gave."""

    def _write_native(self, directory: Path) -> None:
        """Write ``native_files``."""

    def _read_native(self, directory: Path) -> None:
        """Read ``native_files``, whose hashes were checked."""

    def _feature_names(self) -> list[str] | None:
        names = getattr(self, "feature_names_in_", None)
        return None if names is None else [str(n) for n in names]

    def _check_fitted(self) -> None:
        if not hasattr(self, "n_features_in_"):
            raise ModelError(f"the {self.name} model was not fitted yet", remedy="Call fit first.")

    def _check_columns(self, X: pd.DataFrame | npt.NDArray[Any]) -> None:
        expected, got = self._feature_names(), column_names(X)
        if got is not None and expected is not None:
            if list(got) != expected:
                first = next((e for e, g in zip(expected, got, strict=False) if e != g), None)
                raise ModelError(
                    "the feature columns are not those the model was trained on",
                    got=f"{len(got)} columns" + (f", first difference at {first!r}" if first else ""),
                    allowed=f"the {len(expected)} training columns in their order",
                    remedy="Compute the features with the plan of this model.",
                )
        elif X.ndim != 2 or X.shape[1] != self.n_features_in_:
            raise ModelError(
                "the feature matrix has the wrong shape",
                got=X.shape,
                allowed=f"(n, {self.n_features_in_})",
                remedy="Compute the features with the plan of this model.",
            )
