"""Every causal stage of the catalogue keeps its promises, and the suite catches those that do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.errors import NotEnoughDataError, StageError
from onward.features.catalog import stage_class, stage_names
from onward.testing.markets import random_walk
from onward.testing.stages import check_causal_stage, contract_markets, contract_stages
from onward.types import Market

LONGEST = max(stage.lookback for stage in contract_stages(random_walk(9, symbols=("A", "B"))))
MARKETS = {str(case): case.market for case in contract_markets(LONGEST)}
LONG = {("featuretools", market) for market in MARKETS if market != "gaps and side series"}
"""Seven seconds and more each; gaps and side series, on which stages fail first, are asked in every run."""


@pytest.mark.parametrize(
    ("name", "market"),
    [
        pytest.param(name, market, id=f"{name}-{market}", marks=[pytest.mark.slow] * ((name, market) in LONG))
        for name in stage_names()
        for market in MARKETS
    ],
)
def test_every_stage_keeps_its_promises(name: str, market: str) -> None:
    for stage in stage_class(name).examples(MARKETS[market]):
        check_causal_stage(stage, MARKETS[market])


class OneColumn:
    """A stage around a function of one symbol's bars and joined side values."""

    name = "leaky"
    scope = "symbol"

    def __init__(self, function: Callable[..., Any], lookback: int = 60, *, mixed: bool = False) -> None:
        self.function, self.lookback, self.mixed = function, lookback, mixed

    def columns(self) -> tuple[str, ...]:
        return ("leaky__value",)

    def compute(self, market: Market) -> pd.DataFrame:
        if self.mixed:
            values = [self.function(market.bars, market)]
        else:
            values = [self.function(market.bars.iloc[rows], market) for rows in market.rows.values()]
        value = np.concatenate([np.asarray(v, dtype=np.float64) for v in values])
        return pd.DataFrame({"leaky__value": value}, index=market.bars.index)


def _prints(market: Market) -> pd.DataFrame:
    return market.series["fear_greed"].frame


def _last_print(market: Market) -> float:
    values = _prints(market)["fear_greed"]
    return float(values.iloc[-1]) if len(values) else np.nan


def _joined(bars: pd.DataFrame, market: Market, on: str, direction: str, shift: pd.Timedelta) -> pd.Series:
    rows = pd.DataFrame({"moment": bars.index.get_level_values(1) + shift})
    prints = _prints(market).rename(columns={on: "moment"}).sort_values("moment")
    return pd.merge_asof(rows, prints[["moment", "fear_greed"]], on="moment", direction=direction)[
        "fear_greed"
    ]


def _pivot(bars: pd.DataFrame, lag: int) -> pd.Series:
    peak = bars["high"] == bars["high"].rolling(11, center=True).max()
    return peak.shift(lag).where(bars["high"].shift(lag + 5).notna()).astype(float)


def _resampled(bars: pd.DataFrame, closed: bool) -> pd.Series:
    times = bars.index.get_level_values(1)
    price = pd.Series(bars["close"].to_numpy(), times)
    higher = price.resample("4h").last().dropna()
    if closed:
        higher.index = higher.index + pd.Timedelta("3h")
    last = higher.reindex(times, method="ffill")
    # The first higher bars may be cut; without a gap the window is whole after eight rows.
    return (last / price).where(np.arange(len(times)) >= 8)


HOUR = pd.Timedelta("1h")
ZERO = pd.Timedelta(0)

LEAKS = {
    "negative shift": lambda b, m: b["close"].pct_change(fill_method=None).shift(-1),
    "scaled by the whole sample": lambda b, m: (b["close"] - b["close"].mean()) / b["close"].std(),
    "clipped at whole-sample quantiles": lambda b, m: (
        b["close"]
        .pct_change(24, fill_method=None)
        .clip(
            b["close"].pct_change(24, fill_method=None).quantile(0.05),
            b["close"].pct_change(24, fill_method=None).quantile(0.95),
        )
    ),
    "filled backwards": lambda b, m: b["close"].rolling(20).mean().bfill(),
    "divided by the final maximum": lambda b, m: b["close"] / b["close"].max(),
    "survivorship": lambda b, m: np.full(len(b), float(b["close"].iloc[-1] > b["close"].iloc[0])),
    "ranked over the whole sample": lambda b, m: b["close"].rank(pct=True),
    "centred mean": lambda b, m: b["close"].rolling(5, center=True).mean(),
    "swing pivot marked at the pivot": lambda b, m: _pivot(b, 0),
    "higher bar read before its close": lambda b, m: _resampled(b, False),
    "joined by timestamp": lambda b, m: _joined(b, m, "timestamp", "backward", HOUR),
    "joined with the nearest": lambda b, m: _joined(b, m, "available_at", "nearest", HOUR),
    "joined one bar too early": lambda b, m: _joined(b, m, "available_at", "backward", 2 * HOUR),
    "number of rows": lambda b, m: np.full(len(b), float(len(b))),
    "normalised by the last side value": lambda b, m: b["volume"] * 0.0 + _last_print(m),
}

HONEST = {
    "return": lambda b, m: b["close"].pct_change(fill_method=None),
    "swing pivot marked when known": lambda b, m: _pivot(b, 5),
    "joined by availability": lambda b, m: _joined(b, m, "available_at", "backward", HOUR),
    "trailing quantile": lambda b, m: b["close"].rolling(50).quantile(0.9) / b["close"],
}

SMALL = {str(case): case.market for case in contract_markets(80)}


@pytest.mark.parametrize("leak", LEAKS)
def test_the_suite_finds_every_leak(leak: str) -> None:
    stage = OneColumn(LEAKS[leak])
    with pytest.raises(StageError, match="leaky__value"):
        check_causal_stage(stage, SMALL["gaps and side series"])


@pytest.mark.parametrize("twin", HONEST)
@pytest.mark.parametrize("market", ["gaps and side series", "unequal panel"])
def test_the_suite_passes_honest_twins(twin: str, market: str) -> None:
    check_causal_stage(OneColumn(HONEST[twin]), SMALL[market])


BREACHES = {
    "warm-up left out of the lookback": (lambda b, m: b["close"].ewm(span=20).mean(), 60, False, "live"),
    "sum since the start": (lambda b, m: b["volume"].cumsum(), 60, False, "live"),
    "first bar of the sample": (lambda b, m: b["close"] / b["close"].iloc[0], 60, False, "live"),
    "windows across symbols": (lambda b, m: b["close"].rolling(20).mean(), 60, True, "changes when"),
    "an infinity": (lambda b, m: b["close"] / np.where(np.arange(len(b)) % 9, 1.0, 0.0), 60, False, "infin"),
    "chance": (lambda b, m: np.random.default_rng().normal(size=len(b)), 60, False, "twice"),
    "poisoned for ever by NaN": (
        lambda b, m: b["close"].where(b["close"].isna().cumsum() == 0),
        60,
        False,
        "unknown bars",
    ),
    "mean of the panel": (
        lambda b, m: m.bars["close"].groupby(level=1).transform("mean").loc[b.index],
        60,
        False,
        "alone",
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_the_suite_finds_other_breaches(breach: str) -> None:
    function, lookback, mixed, message = BREACHES[breach]
    with np.errstate(divide="ignore"), pytest.raises(StageError, match=message):
        check_causal_stage(OneColumn(function, lookback, mixed=mixed), SMALL["unequal panel"])


def test_the_suite_finds_a_stage_that_writes_into_the_market() -> None:
    def write(bars: pd.DataFrame, market: Market) -> Any:
        market.bars.iloc[3, 0] = 1.0
        return bars["close"].pct_change(fill_method=None)

    own = SMALL["one symbol"]
    market = Market(own.bars.copy(), own.timeframe)
    with pytest.raises(StageError, match="modifies the market"):
        check_causal_stage(OneColumn(write), market)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (("value",), "names its columns wrongly"),
        (("leaky__value", "leaky__value"), "names its columns wrongly"),
        (("leaky__other",), "does not give the columns"),
        ((), "names its columns wrongly"),
    ],
)
def test_the_suite_finds_wrong_names(columns: tuple[str, ...], message: str) -> None:
    stage = OneColumn(HONEST["return"])
    stage.columns = lambda: columns  # type: ignore[method-assign]
    with pytest.raises(StageError, match=message):
        check_causal_stage(stage, SMALL["one symbol"])


def test_a_market_that_proves_nothing_is_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="too short to check"):
        check_causal_stage(OneColumn(HONEST["return"], lookback=500), random_walk(500))
