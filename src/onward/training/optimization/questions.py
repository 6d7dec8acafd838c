"""Labels that vary from trial to trial, and one pair of spans around them all.

When a search may choose the horizon, trials ask different questions of the same bars. Outer folds
are cut before any trial is drawn, so they are cut from spans that hold every trial's: a row whose
longest possible label touches a test row's is in no trial's training rows.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal, Self, cast

import numpy as np

from onward.errors import LabelError
from onward.labels import ThresholdLabeler
from onward.protocols import Labeler
from onward.types import BoolArray, IntArray, Labels, Market, Spans

__all__ = ["OpenQuestion", "answered", "require_inside"]


@dataclass(frozen=True)
class OpenQuestion:
    """Stands for the labelers of all trials while none is chosen.

    Its spans reach from a row's decision to its longest possible outcome; rows that have no
    such outcome inside the data are in no outer fold (the final fit has them, where the labels
    that were chosen are shorter).

    Attributes
    ----------
    horizon_bars
        Bars after which every trial's labels have ended.
    """

    horizon_bars: int

    @property
    def kind(self) -> Literal["classes", "target"]:
        """Classes: what all labelers of plans give."""
        return "classes"

    def spans(self, market: Market) -> Spans:
        """Return the spans that hold every trial's."""
        return self._longest().spans(market)

    def fit(self, market: Market, rows: IntArray) -> Self:  # noqa: ARG002 - nothing to learn
        """Return self."""
        return self

    def label(self, market: Market) -> Labels:
        """Return what happens over the longest horizon; no model learns from it."""
        return self._longest().label(market)

    def to_json(self) -> dict[str, Any]:
        """Return the horizon."""
        return {"labeler": "open_question", "horizon_bars": self.horizon_bars}

    def _longest(self) -> ThresholdLabeler:
        return ThresholdLabeler(mode="fixed", horizon_bars=self.horizon_bars)


def answered(asked: Labeler, chosen: Labeler) -> Labeler:
    """Return the labeler to work with: a trial's own in the place of an open question.

    A labeler that wraps another in a field ``inner`` (an audit redraws outcomes that way) keeps
    wrapping what is put in its place.
    """
    if isinstance(asked, OpenQuestion):
        return chosen
    wrapper: Any = asked
    if not is_dataclass(wrapper) or "inner" not in {field.name for field in fields(wrapper)}:
        return asked
    inner = getattr(wrapper, "inner")  # noqa: B009 - of a type that nobody here knows
    found = answered(inner, chosen)
    changed: Any = wrapper if found is inner else replace(cast(Any, wrapper), inner=found)
    return cast("Labeler", changed)


def require_inside(spans: Spans, rows: IntArray, limit: IntArray, allowed: BoolArray) -> None:
    """Refuse labels that reach further than the spans from which outer folds were cut.

    Parameters
    ----------
    spans, rows
        Spans of a trial's labels, and the bars they belong to.
    limit
        End of the longest possible span of each bar, ns.
    allowed
        Bars whose labels the search may see.
    """
    seen = allowed[rows]
    beyond = spans.end[seen] > limit[rows[seen]]
    if beyond.any():
        raise LabelError(
            "labels of a trial end later than labels.horizon_bars says",
            got=f"{int(np.count_nonzero(beyond))} of {int(np.count_nonzero(seen))} spans",
            allowed="an end at most horizon_bars bars after the decision",
            remedy="Correct the labeler's spans(), or do not search labels with it.",
        )
