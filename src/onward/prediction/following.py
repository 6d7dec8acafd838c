"""What a model of meta-labels says to do: the side of its primary signal, where following it pays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from onward.labels.meta import MetaLabeler, meta_labeler
from onward.types import IntArray, Market

__all__ = ["Following"]


@dataclass(frozen=True)
class Following:
    """Turns verdicts on a primary signal into sides to trade.

    Attributes
    ----------
    labeler
        Whose primary signal the verdicts are on.
    act_above
        Probability that following pays above which it is followed; None where paying is the most
        probable outcome (``evaluation.act_above`` of the plan).
    """

    labeler: MetaLabeler
    act_above: float | None = None

    @classmethod
    def of(cls, labels: Mapping[str, Any], act_above: float | None) -> Self | None:
        """Return what follows from a labeler as plain JSON values; None when it labels the price."""
        labeler = meta_labeler(labels)
        return None if labeler is None else cls(labeler, act_above)

    @property
    def lookback(self) -> int:
        """Bars that the primary signal needs, the row's own included.

        What a function or a side series reads is not known here: it counts as the bar alone, and a
        function that looks further back must be given the bars that it needs.
        """
        return self.labeler.signal_lookback

    def signal(self, market: Market, said: pd.DataFrame) -> IntArray:
        """Return the side to trade at each bar: 1, -1, or 0 where following is not said to pay.

        Parameters
        ----------
        market
            Bars and side series; older bars than those that were predicted are history.
        said
            ``down range up`` by (symbol, open time), bars of the market.

        Raises
        ------
        LabelError
            When the signal was a function that is found no more.
        SeriesError
            When the market lacks the side series of the signal.
        """
        from onward.evaluation.backtest import followed  # brings the simulation along

        traded = followed(market, said, self.labeler.signals(market), act_above=self.act_above)
        side = traded["signal"].reindex(said.index).to_numpy(np.float64)
        return np.asarray(np.nan_to_num(side), dtype=np.int64)
