"""What every model shares: checked input, the three classes, files that notice damage."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from onward.errors import BundleError, ModelError
from onward.types import CLASSES, FloatArray, IntArray

__all__ = ["ThreeClassModel"]

STATE_FILE = "model.json"
FORMAT = 1


class ThreeClassModel(ClassifierMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """Base of the models: a scikit-learn classifier over the classes -1, 0, 1.

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
            Shape (n,), not negative.

        Raises
        ------
        ModelError
            When shapes disagree, a class is unknown, a weight is negative or NaN, a feature is
            infinite, or (for models that need contrast) one class only is present.
        """
        names = [str(c) for c in X.columns] if isinstance(X, pd.DataFrame) else None
        values = _matrix(X)
        codes = _class_codes(y)
        if len(values) != len(codes):
            raise ModelError(
                "features and labels differ in length",
                got=f"{len(values)} and {len(codes)} rows",
                allowed="one label a row",
                remedy="Pass the training rows of both.",
            )
        if len(codes) == 0:
            raise ModelError("there are no training rows", remedy="Use a longer time range or fewer folds.")
        weight = None if sample_weight is None else _weights(sample_weight, len(codes))
        self.classes_: IntArray = np.array(CLASSES, dtype=np.int64)
        self.n_features_in_ = values.shape[1]
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self._fit(values, codes, weight)
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
        values = _matrix(X)
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
        payload: dict[str, Any] = {
            "format": FORMAT,
            "name": self.name,
            "parameters": {k: v for k, v in self.get_params(deep=False).items() if k not in self.not_saved},
            "n_features": self.n_features_in_,
            "features": self._feature_names(),
            "state": self._state(),
            "files": {file: _sha256((directory / file).read_bytes()) for file in self.native_files},
        }
        payload["digest"] = _sha256(_canonical(payload).encode())
        (directory / STATE_FILE).write_text(_canonical(payload), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        BundleError
            When a file is missing, a byte differs, or the directory holds another model.
        """
        directory = Path(directory)
        payload = _read_state(directory)
        if payload["name"] != cls.name:
            raise BundleError(
                "the directory holds another model",
                got=payload["name"],
                allowed=cls.name,
                remedy="Load it with the class of that name.",
            )
        for file, digest in payload["files"].items():
            path = directory / file
            if not path.is_file() or _sha256(path.read_bytes()) != digest:
                raise _damaged(path)
        model = cls(**payload["parameters"])
        model.classes_ = np.array(CLASSES, dtype=np.int64)
        model.n_features_in_ = int(payload["n_features"])
        if payload["features"] is not None:
            model.feature_names_in_ = np.array(payload["features"], dtype=object)
        model._restore(payload["state"])
        model._read_native(directory)
        return model

    @abstractmethod
    def _fit(self, values: npt.NDArray[np.float32], codes: IntArray, weight: FloatArray | None) -> None:
        """Learn from checked input; ``codes`` are 0, 1, 2 for down, range, up."""

    @abstractmethod
    def _probabilities(self, values: npt.NDArray[np.float32]) -> FloatArray:
        """Return probabilities, shape (n, 3)."""

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
        expected = self._feature_names()
        if isinstance(X, pd.DataFrame) and expected is not None:
            got: Sequence[str] = [str(c) for c in X.columns]
            if got != expected:
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


def _matrix(X: pd.DataFrame | npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return features as a C-contiguous float32 matrix, as both batch and live rows are cast."""
    try:
        values = np.ascontiguousarray(
            X.to_numpy(np.float32) if isinstance(X, pd.DataFrame) else X, np.float32
        )
    except (TypeError, ValueError) as error:
        raise ModelError(
            "the features are not numbers", got=str(error), allowed="numeric columns, NaN for unknown"
        ) from error
    if values.ndim != 2 or values.shape[1] == 0:
        raise ModelError(
            "the feature matrix has the wrong shape",
            got=values.shape,
            allowed="(n_rows, n_features) with at least one feature",
            remedy="Switch on a feature stage, or loosen the selection.",
        )
    if np.isinf(values).any():
        column = int(np.flatnonzero(np.isinf(values).any(axis=0))[0])
        label = str(X.columns[column]) if isinstance(X, pd.DataFrame) else f"column {column}"
        raise ModelError(
            "a feature is infinite",
            got=label,
            allowed="finite float32 values, NaN for unknown",
            remedy="Make the feature stage return NaN there.",
        )
    return values


def _class_codes(y: npt.NDArray[Any]) -> IntArray:
    values = np.asarray(y)
    if values.ndim != 1 or not np.isin(values, CLASSES).all():
        raise ModelError(
            "the labels are not classes",
            got=f"{values.dtype} array of shape {values.shape}",
            allowed="one of -1, 0, 1 a row",
            remedy="Use a labeler of kind 'classes'.",
        )
    return values.astype(np.int64) + 1


def _weights(sample_weight: FloatArray, n_rows: int) -> FloatArray:
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_rows,) or not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise ModelError(
            "the sample weights are unusable",
            got=f"shape {weight.shape}",
            allowed=f"{n_rows} finite weights, none negative, not all zero",
            remedy="Leave the weights out, or take those of the labeler.",
        )
    return weight


def _read_state(directory: Path) -> dict[str, Any]:
    path = directory / STATE_FILE
    if not path.is_file():
        raise BundleError(
            "there is no model in this directory",
            got=directory,
            allowed=f"a directory with {STATE_FILE}",
            remedy="Name the directory that save wrote.",
        )
    try:
        text = path.read_bytes().decode("utf-8")
        payload: dict[str, Any] = json.loads(text)
        body = {key: value for key, value in payload.items() if key != "digest"}
        intact = text == _canonical(payload) and payload["digest"] == _sha256(_canonical(body).encode())
    except (UnicodeDecodeError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise _damaged(path) from error
    if not intact:
        raise _damaged(path)
    if payload["format"] != FORMAT:
        raise BundleError(
            "the model was written in another format",
            got=payload["format"],
            allowed=str(FORMAT),
            remedy="Load it with the version of Onward that wrote it, or train again.",
        )
    return payload


def _damaged(path: Path) -> BundleError:
    return BundleError(
        "a model file is damaged or missing",
        got=path.name,
        allowed="the bytes that were saved",
        remedy="Restore the bundle from its export, or train again.",
    )


def _canonical(payload: dict[str, Any]) -> str:
    return json.dumps(payload, indent=1, sort_keys=True, allow_nan=False)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
