"""A published model, ready to be asked."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from onward.data.timeframe import format_timeframe
from onward.errors import NotEnoughDataError, PredictionError
from onward.prediction.predictor import Predictor
from onward.registry import Version
from onward.types import Market, Prediction

__all__ = ["LoadedModel"]


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model version with its features.

    Attributes
    ----------
    version
        What the registry says about it.
    predictor
        Pipeline and model.
    """

    version: Version
    predictor: Predictor

    @property
    def lookback(self) -> int:
        """Bars that the newest prediction reads."""
        return self.predictor.pipeline.lookback

    def predict(self, market: Market) -> pd.DataFrame:
        """Return a prediction for every bar.

        Returns
        -------
        DataFrame
            Indexed like the bars: ``down range up`` (probabilities), ``signal`` (-1, 0, 1) and
            ``decision_time`` (UTC). Bars that the model was trained on are in-sample: judge it
            by its out-of-fold scores, not by these.

        Raises
        ------
        PredictionError
            When the market is not of the schema that the model was trained on.
        """
        self.check(market)
        return self.predictor.batch(market)

    def latest(
        self,
        market: Market,
        *,
        now: pd.Timestamp | None = None,
        max_staleness_bars: int | None = None,
    ) -> Prediction:
        """Return the prediction for each symbol's newest bar, from ``lookback`` bars alone.

        Parameters
        ----------
        market
            At least ``lookback`` closed bars; older ones are not read.
        now
            Moment at which the prediction is wanted, UTC; None does not check freshness.
        max_staleness_bars
            Bars that may have closed since the newest one.

        Raises
        ------
        PredictionError
            When the data are stale, or not of the model's schema.
        NotEnoughDataError
            When a symbol has fewer bars than the features need.
        """
        warnings = self.check(market)
        for symbol, rows in market.rows.items():
            if rows.stop - rows.start < self.lookback:
                raise NotEnoughDataError(
                    f"{symbol} has too little history for a prediction",
                    got=f"{rows.stop - rows.start} bars",
                    allowed=f"at least {self.lookback} bars, the newest included",
                    remedy="Import older bars of this symbol.",
                )
        if now is not None and max_staleness_bars is not None:
            _check_fresh(market, now, max_staleness_bars)
        frame = self.predictor.latest(market)
        return Prediction(frame, f"{self.version.name}/{self.version.number}", tuple(warnings))

    def check(self, market: Market) -> list[str]:
        """Return warnings about a market; refuse one that the model cannot be applied to.

        Raises
        ------
        PredictionError
            On another timeframe, or without a side series that the features need.
        """
        manifest = self.version.manifest
        timeframe = format_timeframe(market.timeframe)
        if timeframe != manifest.timeframe:
            raise PredictionError(
                "the bars are of another timeframe than those the model was trained on",
                got=timeframe,
                allowed=manifest.timeframe,
                remedy=f"Give {manifest.timeframe} bars, or train a model on {timeframe}.",
            )
        missing = sorted(set(manifest.features.series) - set(market.series))
        if missing:
            raise PredictionError(
                "a side series that the model was trained with is missing",
                got=", ".join(sorted(market.series)) or "none",
                allowed=", ".join(manifest.features.series),
                remedy=f"Import {', '.join(missing)} and name it in data.series.",
            )
        if len(market) == 0:
            raise NotEnoughDataError("there are no bars to predict", remedy="Import bars first.")
        strangers = sorted(set(market.symbols) - set(manifest.symbols))
        if strangers:
            known = ", ".join(manifest.symbols)
            return [f"{', '.join(strangers)} was not among the symbols of training ({known})"]
        return []


def _check_fresh(market: Market, now: pd.Timestamp, max_staleness_bars: int) -> None:
    newest = market.decision_time.max()
    missed = int((now - newest) // market.timeframe)
    if missed > max_staleness_bars:
        raise PredictionError(
            "the newest bar is stale: a signal from it would be acted on too late",
            got=f"last bar closed {newest.isoformat()}, {missed} bars before {now.isoformat()}",
            allowed=f"at most {max_staleness_bars} bars (prediction.max_staleness_bars)",
            remedy="Import the bars since then, or name the moment to predict for with --at.",
        )
