"""A published model, ready to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from onward.data.timeframe import format_timeframe
from onward.errors import NotEnoughDataError, PredictionError
from onward.prediction.freshness import require_fresh, series_cautions, stale_cautions
from onward.prediction.learnt import LearntBars, learnt_cautions
from onward.prediction.predictor import Predictor
from onward.registry import Version
from onward.types import IntArray, Market, Prediction

__all__ = ["LoadedModel"]


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model version with its features.

    Attributes
    ----------
    version
        What the registry says about it.
    predictor
        Pipeline and model; `PredictionService` leaves out features that the model does not use.
    """

    version: Version
    predictor: Predictor

    @property
    def lookback(self) -> int:
        """Bars that the newest prediction reads: what the features in use, and a primary signal, need.

        It is the manifest's ``lookback_bars``; bundles of earlier versions may name more there.
        """
        return self.predictor.lookback

    @cached_property
    def learnt(self) -> LearntBars | None:
        """Which bars it was trained on; None where the manifest does not tell."""
        return LearntBars.of(self.version.manifest)

    def predict(self, market: Market, *, start: pd.Timestamp | None = None) -> pd.DataFrame:
        """Return a prediction for every bar, or for those from a moment on.

        Parameters
        ----------
        market
            Bars and side series.
        start
            First open time that is predicted, UTC. Of the bars before it the newest ``lookback - 1``
            of each symbol are read, so that the first predictions equal those of a longer history.

        Returns
        -------
        DataFrame
            Indexed like the bars: ``down range up`` (probabilities), ``signal`` (-1, 0, 1: the side to
            trade, see `Predictor.frame`) and ``decision_time`` (UTC). Bars that the model was
            trained on are in-sample: judge it by its out-of-fold scores, not by these. The first
            ``lookback`` bars of a symbol's history are predicted from features that are not warmed up.
            `cautions` says how many there are of both.

        Raises
        ------
        PredictionError
            When the market is not of the schema that the model was trained on.
        """
        self.check(market)
        if start is None:
            return self.predictor.batch(market)
        frame = self.predictor.batch(self._from(market, _moment(start)))
        wanted = frame[pd.DatetimeIndex(frame.index.get_level_values(1)) >= _moment(start)]
        if wanted.empty:
            raise NotEnoughDataError(
                "there are no bars to predict in this time range",
                got=f"bars up to {market.open_time.max()}",
                allowed=f"bars from {_moment(start)} on",
                remedy="Import newer bars, or begin earlier.",
            )
        return wanted

    def cold_rows(self, market: Market, start: pd.Timestamp | None = None) -> int:
        """Return how many rows `predict` would give from features that are not warmed up yet."""
        cold = 0
        for rows in market.rows.values():
            first = 0 if start is None else _first_at(market.open_time_ns[rows], start)
            cold += max(0, min(self.lookback - 1, rows.stop - rows.start) - first)
        return cold

    def cautions(
        self,
        market: Market,
        start: pd.Timestamp | None = None,
        *,
        now: pd.Timestamp | None = None,
        max_staleness_bars: int | None = None,
    ) -> list[str]:
        """Return what to be wary of in what `predict` gives, in sentences.

        Strange symbols, rows from features that are not warmed up, bars that the model was trained
        on, as far as its manifest tells which those are, and a newest bar that is too old to act on.

        Parameters
        ----------
        market, start
            As of `predict`.
        now, max_staleness_bars
            As of `latest`; without them nothing is said of the age of the bars.

        Raises
        ------
        PredictionError, NotEnoughDataError
            As of `check`.
        """
        said = self.check(market)
        cold = self.cold_rows(market, start)
        if cold:
            need = f"{cold} rows have less than the {self.lookback} bars of history that the features need"
            said.append(f"{need}: do not rely on their predictions")
        if self.learnt is not None:
            said += learnt_cautions(self.learnt.among(market, start))
        if now is not None:
            said += stale_cautions(market, _moment(now), max_staleness_bars)
        return said

    def latest(
        self,
        market: Market,
        *,
        now: pd.Timestamp | None = None,
        max_staleness_bars: int | None = None,
    ) -> Prediction:
        """Return the prediction for each symbol's newest bar, from ``lookback`` bars alone.

        It equals the row that `predict` gives for that bar.

        Parameters
        ----------
        market
            At least ``lookback`` closed bars a symbol; older ones are not read.
        now
            Moment as of which the prediction is wanted, UTC: bars that close and values that are
            published later are not read. None takes the market as it is and does not check
            freshness.
        max_staleness_bars
            Bars that may have closed since the newest one of each symbol; None never refuses.

        Raises
        ------
        PredictionError
            When the data are stale, or not of the model's schema.
        NotEnoughDataError
            When a symbol has fewer bars than the features need.
        """
        if now is not None:
            market = market.known_at(_moment(now))
        warnings = self.check(market)
        for symbol, rows in market.rows.items():
            if rows.stop - rows.start < self.lookback:
                raise NotEnoughDataError(
                    f"{symbol} has too little history for a prediction",
                    got=f"{rows.stop - rows.start} bars",
                    allowed=f"at least {self.lookback} bars, the newest included",
                    remedy="Import older bars of this symbol, or leave it out with data.symbols.",
                )
        if now is not None and max_staleness_bars is not None:
            require_fresh(market, _moment(now), max_staleness_bars)
        frame = self.predictor.latest(market)
        warnings += series_cautions(market)
        if self.learnt is not None:
            warnings += learnt_cautions(self.learnt.newest_among(market))
        return Prediction(frame, f"{self.version.name}/{self.version.number}", tuple(warnings))

    def check(self, market: Market) -> list[str]:
        """Return warnings about a market; refuse one that the model cannot be applied to.

        Raises
        ------
        PredictionError
            On another timeframe, without a side series that the features need, or, when the model
            compares symbols with each other, on other symbols than those of training.
        NotEnoughDataError
            When there are no bars.
        """
        if len(market) == 0:
            raise NotEnoughDataError("there are no bars to predict", remedy="Import bars first.")
        self._check_timeframe(market)
        self._check_series(market)
        return self._check_symbols(market)

    def _from(self, market: Market, start: pd.Timestamp) -> Market:
        """Return the bars from a moment on, and before it what their features read."""
        kept = np.zeros(len(market), dtype=np.bool_)
        for rows in market.rows.values():
            first = _first_at(market.open_time_ns[rows], start) - (self.lookback - 1)
            kept[rows.start + max(first, 0) : rows.stop] = True
        bars = market.bars[kept]
        bars.index = bars.index.remove_unused_levels()  # type: ignore[attr-defined]
        return market.replace(bars=bars)

    def _check_timeframe(self, market: Market) -> None:
        known, timeframe = self.version.manifest.timeframe, format_timeframe(market.timeframe)
        if timeframe != known:
            raise PredictionError(
                "the bars are of another timeframe than those the model was trained on",
                got=timeframe,
                allowed=known,
                remedy=f"Give {known} bars, or train a model on {timeframe}.",
            )

    def _check_series(self, market: Market) -> None:
        known = self.version.manifest.features.series
        missing = sorted(set(known) - set(market.series))
        if missing:
            raise PredictionError(
                "a side series that the model was trained with is missing",
                got=", ".join(sorted(market.series)) or "none",
                allowed=", ".join(known),
                remedy=f"Import {', '.join(missing)} and name it in data.series.",
            )
        given = {value for series in market.series.values() for value in series.values}  # noqa: PD011
        needed = [v for stage in self.predictor.pipeline.causal for v in getattr(stage, "series", ())]
        absent = [value for value in dict.fromkeys(needed) if value not in given]
        if absent:
            raise PredictionError(
                "the side series lack values that the model was trained with",
                got=", ".join(sorted(given)) or "none",
                allowed=", ".join(dict.fromkeys(needed)),
                remedy=f"Give the value column {absent[0]!r} the name that it had in training.",
            )

    def _check_symbols(self, market: Market) -> list[str]:
        known = self.version.manifest.symbols
        strangers = [s for s in market.symbols if s not in known]
        missing = [s for s in known if s not in market.symbols]
        compares = any(stage.scope == "cross_section" for stage in self.predictor.pipeline.causal)
        if compares and (strangers or missing):
            raise PredictionError(
                "the model compares symbols with each other, and these are not those of training",
                got=", ".join(market.symbols),
                allowed=", ".join(known),
                remedy="Give exactly these symbols, or train on the others.",
            )
        if strangers:
            return [f"{', '.join(strangers)} was not among the symbols of training ({', '.join(known)})"]
        return []


def _first_at(open_time_ns: IntArray, moment: pd.Timestamp) -> int:
    """Return the position of the first bar that opens at a moment or later."""
    return int(np.searchsorted(open_time_ns, moment.as_unit("ns").value))


def _moment(now: pd.Timestamp) -> pd.Timestamp:
    moment = pd.Timestamp(now)
    if moment.tzinfo is None:  # so it is for NaT
        raise PredictionError(
            "the moment to predict for has no time zone",
            got=str(now),
            allowed="a timestamp with a time zone",
            remedy='Write pd.Timestamp("2024-05-01 12:00", tz="UTC").',
        )
    return moment.tz_convert("UTC").as_unit("ns")
