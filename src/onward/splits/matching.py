"""Finding the span of each row that scikit-learn hands over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from onward.errors import SplitError
from onward.types import Spans

__all__ = ["match_spans"]


def match_spans(spans: Spans, X: Any) -> Spans:
    """Return the span of each row of ``X``, in the order of ``X``.

    A DataFrame or Series is matched by its index, so any subset of rows in any order keeps its
    spans: that is what makes nested use right. Whatever has no index, or only the default one
    (0, 1, 2 ...), is matched by position and must be as long as the spans.

    Raises
    ------
    SplitError
        When a row has no span, a row or a span occurs twice, or lengths differ.
    """
    index = getattr(X, "index", None)
    if not isinstance(index, pd.Index) or (_is_default(index) and not _is_default(spans.index)):
        return _by_position(spans, X)
    if index is spans.index or index.equals(spans.index):
        return spans
    if index.has_duplicates or spans.index.has_duplicates:
        where, which = ("X", index) if index.has_duplicates else ("the spans", spans.index)
        twice = which[which.duplicated()]
        raise SplitError(
            f"the index of {where} names a row more than once",
            got=f"{len(twice)} repeated entries, the first {twice[0]}",
            allowed="every row once",
            remedy="Index a panel by (symbol, open time); weight rows instead of repeating them.",
        )
    return spans.take(_positions(spans.index, index))


def _positions(known: pd.Index, wanted: pd.Index) -> Any:
    if known.nlevels != wanted.nlevels:
        raise SplitError(
            "the index of X has other levels than the index of the spans",
            got=f"{wanted.nlevels} ({_names(wanted)})",
            allowed=f"{known.nlevels} ({_names(known)})",
            remedy="Give X the index of labels.spans, (symbol, open time).",
        )
    positions = known.get_indexer(wanted)
    missing = np.flatnonzero(positions < 0)
    if len(missing):
        raise SplitError(
            "rows of X have no span",
            got=f"{len(missing)} of {len(wanted)} rows, the first {wanted[int(missing[0])]}",
            allowed=f"rows of the spans, such as {known[0]}" if len(known) else "no rows: there are no spans",
            remedy="Train on labelled rows only (X.loc[labels.spans.index]) and keep times in UTC.",
        )
    return positions.astype(np.int64)


def _by_position(spans: Spans, X: Any) -> Spans:
    shape = getattr(X, "shape", None)
    rows = shape[0] if shape else len(X)
    if rows != len(spans):
        raise SplitError(
            "X has no index to match spans by, and another length",
            got=f"{rows} rows of X for {len(spans)} spans",
            allowed="equal lengths, or a DataFrame whose index is that of the spans",
            remedy="Pass X as a DataFrame indexed like labels.spans; nested searches need that.",
        )
    return spans


def _is_default(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1


def _names(index: pd.Index) -> str:
    return ", ".join(str(name) for name in index.names)
