"""Every seam on one page: what a stage, labeler, splitter, model, repository or registry must offer.

Implement one of these in one file, add one line to that package's ``CATALOG``, and the shared
contract suite (``onward.testing``) finds it and holds it to the promises written here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, runtime_checkable

import numpy.typing as npt

from onward.types import FloatArray, Fold, IntArray, Labels, Market, ProgressEvent, Spans

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CausalStage",
    "FittedStage",
    "Labeler",
    "Model",
    "Progress",
    "SeriesRepository",
    "Splitter",
]


@runtime_checkable
class CausalStage(Protocol):
    """Features that need no fitting: a pure function of what was known at each row.

    Promises: the value at a row depends only on bars closed, and side values available, at that
    row's decision time; truncating or scrambling the future moves nothing; the newest row
    computed from exactly ``lookback`` bars equals the batch value within 1e-9 of the feature's
    rolling scale; symbols never mix unless ``scope`` says so; the market is not modified.
    """

    @property
    def name(self) -> str:
        """Prefix of every column: ``name__feature``."""

    @property
    def scope(self) -> Literal["symbol", "cross_section"]:
        """Whether symbols are computed apart, or compared at the same moment."""

    @property
    def lookback(self) -> int:
        """Bars needed, the row itself included, warm-up of recursions counted in."""

    def columns(self) -> tuple[str, ...]:
        """Return the full column names in the order that ``compute`` gives them."""

    def compute(self, market: Market) -> pd.DataFrame:
        """Return float64 features, index equal to ``market.bars.index``, columns ``columns()``.

        NaN means "not known yet"; infinities are not allowed.
        """


@runtime_checkable
class FittedStage(Protocol):
    """A step fitted on the training rows in hand: a selector, scaler or generator.

    Promises: a row's output ignores the other rows of its batch; the same data and seed give the
    same result in every process; the JSON round trip changes nothing.
    """

    @property
    def name(self) -> str:
        """Name under which the stage is found again."""

    def fit(
        self,
        X: pd.DataFrame,
        y: npt.NDArray[Any],
        *,
        spans: Spans,
        weight: FloatArray | None = None,
        seed: int = 0,
    ) -> Self:
        """Learn from training rows (``X``, ``y``, ``spans`` aligned) and return self."""

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that follow from this stage, rows as given."""

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as plain JSON values."""

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        """Rebuild a fitted stage."""


@runtime_checkable
class Labeler(Protocol):
    """Outcomes with their spans.

    Promises: ``end >= start``; the label is unknown until ``end`` (the future beyond ``end``
    changes nothing); rows whose outcome lies beyond the data are dropped; fitting moves no span.
    """

    @property
    def kind(self) -> Literal["classes", "target"]:
        """What ``label`` gives: classes -1, 0, 1 or regression targets."""

    def spans(self, market: Market) -> Spans:
        """Return the spans of every row that has an outcome inside the data."""

    def fit(self, market: Market, rows: IntArray) -> Self:
        """Return a labeler whose parameters come from these rows only (positions into ``spans``)."""

    def to_json(self) -> dict[str, Any]:
        """Return the parameters and what was fitted as plain JSON values."""

    def label(self, market: Market) -> Labels:
        """Return the labels of all rows of ``spans(market)``, in that order."""


@runtime_checkable
class Splitter(Protocol):
    """Train/test splits of spans. Implementations cut test blocks; ``splits.folds`` does the rest."""

    def test_blocks(self, spans: Spans) -> Iterator[Sequence[IntArray]]:
        """Yield, for each fold, its contiguous test blocks (sorted positions)."""

    def folds(self, spans: Spans) -> list[Fold]:
        """Return the purged and embargoed folds."""


class Model(Protocol):
    """A scikit-learn classifier over the classes -1, 0, 1.

    Promises: deterministic by seed; a row's prediction ignores its batch; save and load are
    bit-equal in the library's native format; no more than ``n_threads`` threads are used.
    """

    name: ClassVar[str]

    def fit(self, X: pd.DataFrame, y: npt.NDArray[Any], sample_weight: FloatArray | None = None) -> Self:
        """Learn from training rows; NaN in ``X`` is handled inside."""

    def predict_proba(self, X: pd.DataFrame) -> FloatArray:
        """Return probabilities of down, range, up, shape (n, 3); an absent class gets 0."""

    def gain(self) -> FloatArray:
        """Return how much each column of the training rows counted, shape (n_features,).

        Not negative, in a unit of the model's own; zeros where a model has no such notion.
        """

    def save(self, directory: Path) -> None:
        """Write the fitted model into an empty directory, native format, no pickle.

        The files are the same whatever number of threads was used.
        """

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what ``save`` wrote."""


class SeriesRepository(Protocol):
    """Stored candles or a stored side series of symbols: read a range, write idempotently, remove.

    Promises: sorted, UTC, closed bars only; writing the same rows twice equals writing them once;
    a writer that is killed leaves the old data readable; a removal is visible whole or not at all,
    and a series that is removed as a whole is as if it had never been.
    """

    def read(
        self,
        symbol: str,
        *,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
    ) -> pd.DataFrame:
        """Return stored rows with ``start <= timestamp < end``."""

    def upsert(self, symbol: str, rows: pd.DataFrame) -> Any:
        """Merge rows into the store; conflicting duplicates are resolved and reported."""

    def remove(
        self, symbol: str, *, start: pd.Timestamp | None = None, end: pd.Timestamp | None = None
    ) -> Any:
        """Take away rows with ``start <= timestamp < end``, or the whole series, and report them."""

    def symbols(self) -> list[str]:
        """Return the stored symbols."""


class Progress(Protocol):
    """Told now and then how far long work has come; must return at once."""

    def __call__(self, event: ProgressEvent) -> None:
        """Take note of an event."""
