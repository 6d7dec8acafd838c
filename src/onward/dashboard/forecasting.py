"""What a model says of the newest bar, and why. Imports pandas: for threads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from onward.dashboard.views.predict import Forecast, Part
from onward.errors import ModelError, NotEnoughDataError
from onward.prediction.freshness import late_series
from onward.server.serving.markets import stored_market
from onward.types import to_ns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onward.data.repositories import DataStore
    from onward.prediction.loaded import LoadedModel
    from onward.server.serving.market_shelf import MarketShelf
    from onward.types import Market

__all__ = ["compares", "forecast", "past", "state_of"]

N_PARTS = 8
N_PAST = 200
CLASS_NAMES = ("down", "range", "up")


def compares(model: LoadedModel) -> bool:
    """Return whether a model compares symbols with each other, so that it needs all of training."""
    return any(stage.scope == "cross_section" for stage in model.predictor.pipeline.causal)


def forecast(
    model: LoadedModel, store: DataStore, markets: MarketShelf, symbol: str, now: pd.Timestamp
) -> Forecast:
    """Return what a model says of the newest stored bar of a symbol, however old that is.

    Raises
    ------
    OnwardError
        When the symbol is not stored, has too few bars, or is not of the model's schema.
    """
    market = stored_market(model, store, _panel(model, symbol), at=now, start=None, shelf=markets)
    said = model.latest(market, now=now).frame.xs(symbol, level=0).iloc[-1]
    decided = pd.Timestamp(said["decision_time"])
    probability = {name: float(said[name]) for name in CLASS_NAMES}
    top = max(CLASS_NAMES, key=lambda name: probability[name])
    return Forecast(
        opened=(decided - market.timeframe).to_pydatetime(warn=False),
        decided=decided.to_pydatetime(warn=False),
        probability=probability,
        signal=int(said["signal"]),
        top=top,
        bars_missed=max(0, int((now - decided) // market.timeframe)),
        bar_seconds=float(market.timeframe.total_seconds()),
        stranger=symbol not in model.version.manifest.symbols,
        late=tuple(
            (one.name, None if one.newest is None else one.newest.to_pydatetime(warn=False))
            for one in late_series(market)
        ),
        parts=_parts(model, market, symbol, top),
        key=state_of(model, store, symbol, now),
    )


def past(model: LoadedModel, store: DataStore, symbol: str, now: pd.Timestamp) -> dict[str, Any]:
    """Return what a model says of the newest bars before: Unix seconds, signals, what it learnt from.

    Raises
    ------
    OnwardError
        As of `forecast`.
    """
    bars = store.candles(model.version.manifest.timeframe)
    last = bars.coverage(symbol).last
    start = last - bars.timeframe * (N_PAST - 1)
    market = stored_market(model, store, _panel(model, symbol), at=now, start=start)
    frame = model.predict(market, start=start).xs(symbol, level=0)
    opened = pd.DatetimeIndex(frame.index)
    opened_ns = to_ns(opened)
    learnt = np.zeros(len(opened), dtype=np.bool_)
    if model.learnt is not None:
        learnt = model.learnt.contains(symbol, opened_ns)
    return {
        "time": (opened_ns // 1_000_000_000).tolist(),
        "signal": frame["signal"].astype(int).tolist(),
        "learnt": learnt.tolist(),
    }


def state_of(model: LoadedModel, store: DataStore, symbol: str, now: pd.Timestamp) -> str:
    """Return what changes when the page would say something else: version, stored bars, bars that are due."""
    import hashlib

    manifest = model.version.manifest
    files = store.state(_panel(model, symbol), timeframe=manifest.timeframe, series=manifest.features.series)
    length = store.candles(manifest.timeframe).timeframe
    said = f"{model.version.digest}|{files}|{now.value // length.value}"
    return hashlib.sha256(said.encode()).hexdigest()[:24]


def _panel(model: LoadedModel, symbol: str) -> Sequence[str]:
    return tuple(model.version.manifest.symbols) if compares(model) else (symbol,)


def _parts(model: LoadedModel, market: Market, symbol: str, top: str) -> tuple[Part, ...] | None:
    """Return what features add to the class that is most probable; None where the model cannot say."""
    from onward.evaluation.contributions import BASE, OTHERS, top_contributions

    features = model.predictor.pipeline.latest(market)
    row = features[features.index.get_level_values(0) == symbol].iloc[-1:]
    if len(row) == 0:
        raise NotEnoughDataError("there is no bar to explain", got=symbol)
    try:
        found = top_contributions(model.predictor.model, model.predictor.fitted.transform(row), N_PARTS)
    except ModelError:
        return None
    names = {BASE: "base", OTHERS: "others"}
    parts = [
        Part(
            name=str(line["feature"]),
            kind=names.get(str(line["feature"]), "feature"),  # type: ignore[arg-type]
            value=None if np.isnan(line["value"]) else float(line["value"]),
            adds=float(line[top]),
        )
        for line in found.to_dict("records")
    ]
    # `top_contributions` ranks by all three classes; the page speaks of one, the rest comes at the end
    return tuple(sorted(parts, key=lambda part: -abs(part.adds) if part.kind == "feature" else math.inf))
