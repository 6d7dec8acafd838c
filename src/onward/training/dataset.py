"""The rows that a training works on: causal features of every bar, spans of the labelled ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from onward.errors import NotEnoughDataError
from onward.features.pipeline import FeaturePipeline
from onward.protocols import Labeler, Progress
from onward.types import IntArray, Market, Spans

__all__ = ["Dataset", "prepare"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Causal features and label spans of one market.

    Attributes
    ----------
    market
        The bars it was made from.
    features
        float32 matrix of every bar, index equal to ``market.bars.index``; NaN = not known yet.
    spans
        Spans of the labelled rows.
    rows
        Position of each labelled row in ``features``, shape (n,).
    """

    market: Market
    features: pd.DataFrame
    spans: Spans
    rows: IntArray

    def __len__(self) -> int:
        return len(self.rows)

    def matrix(self, positions: IntArray) -> pd.DataFrame:
        """Return the feature rows of some labelled rows (positions into ``spans``)."""
        return self.features.iloc[self.rows[positions]]


def prepare(
    market: Market, pipeline: FeaturePipeline, labeler: Labeler, progress: Progress | None = None
) -> Dataset:
    """Compute features and spans, and keep the labelled rows whose features are warmed up.

    A row is kept from the bar at which its symbol has ``pipeline.lookback`` bars of history,
    or, when the history is shorter than three lookbacks, from its first bar: early rows hold
    NaN where a feature is not known yet, which models treat as such.

    Raises
    ------
    NotEnoughDataError
        When no row has an outcome inside the data.
    """
    spans = labeler.spans(market)
    if len(spans) == 0:
        raise NotEnoughDataError(
            "no row has an outcome inside the data",
            got=f"{len(market)} bars",
            allowed="more bars than the label horizon",
            remedy="Give a longer time range or lower labels.horizon_bars.",
        )
    features = pipeline.compute(market, progress=progress)
    rows = np.asarray(market.index.get_indexer(spans.index), dtype=np.int64)
    return Dataset(market, features, spans, rows)
