"""The rows that a training works on: causal features of every bar, spans of the labelled ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from onward.errors import LabelError, NotEnoughDataError
from onward.evaluation.baselines import rule_signals
from onward.features.pipeline import FeaturePipeline
from onward.protocols import Labeler, Progress
from onward.types import FloatArray, IntArray, Market, Spans

__all__ = ["Dataset", "label_spans", "prepare"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Causal features and label spans of one market.

    Every labelled row takes part, also those of a symbol's first bars: what is not known there
    yet is NaN, which models treat as such.

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

    @cached_property
    def signals(self) -> Mapping[str, FloatArray]:
        """Signal of each naive rule on the labelled rows: -1, 0, 1, NaN where not known yet."""
        return rule_signals(self.market, self.rows, self.spans)

    def matrix(self, positions: IntArray) -> pd.DataFrame:
        """Return a copy of the feature rows of some labelled rows (positions into ``spans``)."""
        return self.features.iloc[self.rows[positions]]


def label_spans(market: Market, labeler: Labeler) -> Spans:
    """Return the spans of the rows that have an outcome.

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
            settings=("horizon_bars",),
        )
    return spans


def prepare(
    market: Market, pipeline: FeaturePipeline, spans: Spans, progress: Progress | None = None
) -> Dataset:
    """Compute the features of every bar, and find the labelled rows among them.

    Raises
    ------
    LabelError
        When a span belongs to a bar that the market does not have.
    """
    rows = np.asarray(market.index.get_indexer(spans.index), dtype=np.int64)
    if (rows < 0).any():
        raise LabelError(
            "the labeler gives spans of bars that the market does not have",
            got=f"{int((rows < 0).sum())} of {len(rows)} spans",
            allowed="an index taken from market.bars.index",
            remedy="Correct the labeler's spans().",
        )
    return Dataset(market, pipeline.compute(market, progress=progress), spans, rows)
