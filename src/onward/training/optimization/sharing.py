"""Work that trials of one search have in common, done once.

Trials differ in a few parameters. The rows of an inner fold, what its fitted stages learnt from
them, and (for models that can keep it) the rows in the library's own form, with bin edges from those
very rows, are the same for all trials that do not vary what makes them. A trainer is given a
dataset, a pipeline and models that remember; it does not know, and what it learns is bit-equal.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from onward.features.pipeline import FeaturePipeline, FittedPipeline
from onward.models.prepared import Prepared
from onward.protocols import Model
from onward.training.dataset import Dataset
from onward.training.single_model import SingleModelTrainer
from onward.training.trainer import BaseTrainer
from onward.types import FloatArray, IntArray, Spans

__all__ = ["Memory", "SharedDataset", "share"]

T = TypeVar("T")


class Memory:
    """What was computed, by what it was computed from; the least recently used goes first.

    Parameters
    ----------
    max_bytes
        Room for what is kept.
    """

    def __init__(self, max_bytes: int = 1_500_000_000) -> None:
        self.max_bytes = max_bytes
        self.hits = 0
        self.misses = 0
        self._kept: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._names: dict[int, str] = {}
        self._bytes = 0

    def get(self, key: str, make: Callable[[], T], n_bytes: Callable[[T], int]) -> T:
        """Return what is kept under a key, made when it is not there."""
        if key in self._kept:
            self.hits += 1
            self._kept.move_to_end(key)
            found: T = self._kept[key][0]
            return found
        self.misses += 1
        value = make()
        size = n_bytes(value)
        if size <= self.max_bytes:
            while self._kept and self._bytes + size > self.max_bytes:
                self._forget()
            self._kept[key] = (value, size)
            self._names[id(value)] = key
            self._bytes += size
        return value

    def name_of(self, value: object) -> str | None:
        """Return the key of an object that is kept itself (not an equal one); else None."""
        return self._names.get(id(value))

    def _forget(self) -> None:
        _, (value, size) = self._kept.popitem(last=False)
        self._names.pop(id(value), None)
        self._bytes -= size


class SharedDataset(Dataset):
    """A dataset that gives the same matrix, not an equal one, for the same rows."""

    memory: Memory
    name: str

    @classmethod
    def of(cls, dataset: Dataset, memory: Memory, name: str) -> SharedDataset:
        """Return the dataset with a memory; ``name`` says what its features were made from."""
        shared = cls(dataset.market, dataset.features, dataset.spans, dataset.rows)
        object.__setattr__(shared, "memory", memory)
        object.__setattr__(shared, "name", name)
        return shared

    def matrix(self, positions: IntArray) -> pd.DataFrame:
        """Return the feature rows of some labelled rows; not to be written to."""
        bars = self.rows[positions]
        key = f"rows|{self.name}|{digest(bars)}"
        return self.memory.get(key, lambda: self.features.iloc[bars], frame_bytes)


def share(trainer: BaseTrainer, memory: Memory, fitted_from: str) -> None:
    """Let a trainer that serves one trial remember what its pipeline and models compute.

    Parameters
    ----------
    trainer
        Made for this trial, and not used for anything else afterwards.
    memory
        Shared by the trials of a search.
    fitted_from
        Says what the fitted stages are made from: trials that agree on it share their fits.
    """
    trainer.pipeline = _SharedPipeline(trainer.pipeline, memory, fitted_from)
    if type(trainer) is SingleModelTrainer and trainer.calibration == "none":
        trainer.new_model = partial(_shared_model, trainer.new_model, memory)


def _shared_model(new_model: Callable[[int], Model], memory: Memory, seed: int) -> Model:
    model: Any = _SharedModel(new_model(seed), memory)
    return cast("Model", model)


class _SharedPipeline(FeaturePipeline):
    """A pipeline that remembers its fits."""

    def __init__(self, inner: FeaturePipeline, memory: Memory, fitted_from: str) -> None:
        # Not initialised anew: it is the inner pipeline, with another way to fit.
        self.__dict__.update(inner.__dict__)
        self._memory = memory
        self._fitted_from = fitted_from

    def fit(
        self,
        X: pd.DataFrame,
        y: npt.NDArray[Any],
        *,
        spans: Spans,
        weight: FloatArray | None = None,
        seed: int = 0,
    ) -> FittedPipeline:
        """Fit, or return the fit of the same rows, labels, weights and seed."""

        def make() -> FittedPipeline:
            return FeaturePipeline.fit(self, X, y, spans=spans, weight=weight, seed=seed)

        name = self._memory.name_of(X)
        if name is None:
            return make()
        told = digest(y, weight, spans.start, spans.end) if self.fitted else ""
        key = f"fit|{self._fitted_from}|{name}|{told}|{seed if self.fitted else ''}"
        fitted = self._memory.get(key, make, lambda _: 100_000)
        return _SharedFit(fitted, self._memory, key)


class _SharedFit(FittedPipeline):
    """Fitted stages that remember what they made of a matrix."""

    def __init__(self, inner: FittedPipeline, memory: Memory, key: str) -> None:
        super().__init__(inner.input_columns, inner.stages, inner.output_columns)
        self._memory = memory
        self._key = key

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Transform, or return what was made of the same matrix before."""
        name = self._memory.name_of(X)
        if name is None:
            return super().transform(X)
        if not self.stages and tuple(X.columns) == self.input_columns:
            return X
        return self._memory.get(
            f"out|{self._key}|{name}", lambda: FittedPipeline.transform(self, X), frame_bytes
        )


class _SharedModel:
    """A model that remembers how training rows were made ready, where its class can."""

    def __init__(self, inner: Model, memory: Memory) -> None:
        self._inner: Any = inner
        self._memory = memory

    def fit(
        self, X: pd.DataFrame, y: npt.NDArray[Any], sample_weight: FloatArray | None = None
    ) -> _SharedModel:
        """Fit on rows that are made ready once."""
        name = self._memory.name_of(X)
        if name is None or not hasattr(self._inner, "fit_prepared"):
            self._inner.fit(X, y, sample_weight)
            return self
        settings = json.dumps(dict(self._inner._preparation_settings()), sort_keys=True, default=str)
        key = f"prepared|{self._inner.name}|{settings}|{name}|{digest(y, sample_weight)}"

        def make() -> Prepared:
            prepared: Prepared = self._inner.prepare(X, y, sample_weight)
            return prepared

        self._inner.fit_prepared(self._memory.get(key, make, _prepared_bytes))
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def frame_bytes(frame: pd.DataFrame) -> int:
    """Return the memory of a matrix of numbers, its index left out."""
    return len(frame) * int(sum(np.dtype(dtype).itemsize for dtype in frame.dtypes))


def digest(*arrays: npt.NDArray[Any] | None) -> str:
    """Return a text that stands for the values of arrays."""
    made = hashlib.blake2b(digest_size=16)
    for array in arrays:
        made.update(b"-" if array is None else f"{array.dtype}{array.shape}".encode())
        if array is not None:
            made.update(np.ascontiguousarray(array).tobytes())
    return made.hexdigest()


def _prepared_bytes(prepared: Prepared) -> int:
    # Bins take a byte a cell at least, matrices four; what the library adds is small beside it.
    return prepared.n_rows * prepared.n_features * 4
