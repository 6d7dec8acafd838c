"""What the page of predictions says, from plain values."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.dashboard.views.predict import (
    Forecast,
    Part,
    PredictView,
    choices,
    default_choice,
    markets,
    predict_view,
    problem_of,
)
from onward.errors import (
    BundleError,
    DataError,
    ModelError,
    NotEnoughDataError,
    OnwardError,
    PredictionError,
    RegistryError,
    RegistryNotFoundError,
    SeriesError,
    TimeframeError,
)
from onward.naming.sample import SAMPLE_DATA_HASH
from onward.prediction.freshness import late_at, late_series, series_cautions
from onward.registry import ModelSummary, Version
from onward.testing.markets import planted_signal
from onward.testing.registry import stage_bundle
from onward.types import SideSeries

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SUMMARIES = (
    ModelSummary("a", NOW, 3, 3, (("old", 1), ("champion", 2))),
    ModelSummary("b", NOW, 1, 7, ()),
    ModelSummary("empty", NOW, 0, None, ()),
)


@pytest.mark.parametrize(
    ("problem", "symbol", "data_hash", "lacks"),
    [
        ("no_candles", "BTC/USD", SAMPLE_DATA_HASH, True),
        ("no_candles", "ETH/USD", SAMPLE_DATA_HASH, False),
        ("no_candles", "BTC/USD", "d" * 64, False),
        ("short", "BTC/USD", SAMPLE_DATA_HASH, False),
    ],
)
def test_bars_of_the_sample_can_be_stored_for_a_model_that_learnt_from_them(
    tmp_path: Path, problem: str, symbol: str, data_hash: str, lacks: bool
) -> None:
    manifest = stage_bundle(tmp_path / "bundle", data_hash=data_hash)
    version = Version("demo", 1, "digest", tmp_path, manifest, NOW, ("champion",))
    view = PredictView((), (), "demo@champion", symbol, version, "1h", problem=problem)
    assert view.lacks_sample == lacks


def forecast(**changes: Any) -> Forecast:
    given: dict[str, Any] = {
        "opened": NOW - timedelta(hours=1),
        "decided": NOW,
        "probability": {"down": 0.2, "range": 0.3, "up": 0.5},
        "signal": 1,
        "top": "up",
        "bars_missed": 0,
        "bar_seconds": 3600.0,
        "stranger": False,
        "late": (),
        "parts": None,
        "key": "k",
    }
    return Forecast(**given | changes)


def view(**changes: Any) -> PredictView:
    return PredictView((), (), "a@champion", "BTC/USD", timeframe="1h", **changes)


def test_what_aliases_stand_for_comes_first_and_champions_before_the_rest() -> None:
    assert [one.reference for one in choices(SUMMARIES)] == ["a@champion", "a@old", "b/7"]
    assert choices(SUMMARIES)[0].label == "a @champion · v2"
    assert default_choice(SUMMARIES) == "a@champion"
    assert default_choice(SUMMARIES[1:]) == "b/7"
    assert default_choice(()) == ""


def test_markets_of_training_come_first_and_alone_where_symbols_are_compared() -> None:
    assert markets(("Z", "B"), ["A", "B"], only_trained=False) == ("Z", "B", "A")
    assert markets(("Z", "B"), ["A", "B"], only_trained=True) == ("Z", "B")


def test_bars_of_features_leave_the_middle_by_their_sign_and_size() -> None:
    parts = (
        Part("x", "feature", 1.0, 0.5),
        Part("y", "feature", None, -0.25),
        Part("z", "feature", 0.0, 0.0),
        Part("base", "base", None, 9.0),
    )
    shown = predict_view(view(), forecast(parts=parts)).forecast
    assert shown is not None
    assert shown.parts is not None
    assert [(p.left, p.width) for p in shown.parts] == [(50.0, 50.0), (25.0, 25.0), (50.0, 0.6), (50.0, 0.0)]
    assert predict_view(view(), forecast()).forecast == forecast(), "nothing to place where nothing is said"


@pytest.mark.parametrize(
    ("missed", "limit", "stale"),
    [(0, 2, False), (2, 2, False), (3, 2, True), (2, None, False), (3, None, True)],
)
def test_stale_is_what_the_api_would_refuse(missed: int, limit: int | None, stale: bool) -> None:
    assert view(forecast=forecast(bars_missed=missed), most_missed=limit).is_stale is stale


def test_the_script_is_told_which_bars_to_show() -> None:
    told = view(forecast=forecast()).chart
    assert told["to"] - told["from"] == 120 * 3600
    assert told["query"] == "model=a%40champion&symbol=BTC%2FUSD"
    assert json.dumps(told)
    assert view().source == "/ui/series/candles?symbol=BTC%2FUSD&timeframe=1h"
    assert [name for name, _ in view(forecast=forecast()).classes] == ["down", "range", "up"]
    assert view().classes == ()
    assert view().level("direction") is None


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (RegistryNotFoundError("x"), "gone"),
        (RegistryError("x"), "gone"),
        (BundleError("x"), "damaged"),
        (NotEnoughDataError("x"), "short"),
        (SeriesError("x"), "series"),
        (TimeframeError("x"), "no_candles"),
        (DataError("x"), "no_candles"),
        (PredictionError("x"), "unfit"),
        (ModelError("x"), "code"),
        (OnwardError("x"), "other"),
    ],
)
def test_every_failure_has_words(error: OnwardError, name: str) -> None:
    assert problem_of(error) == name


def test_series_that_are_late_are_told_as_values_and_in_words() -> None:
    market = planted_signal(50, seed=0)
    ends = market.decision_time.max()
    stamps = pd.DatetimeIndex([ends - pd.Timedelta(hours=h) for h in (40, 39, 38)])
    old = pd.DataFrame({"symbol": "", "timestamp": stamps, "available_at": stamps, "v": 1.0})
    coming = old.assign(available_at=ends + pd.Timedelta("1h"))
    late = late_series(
        market.replace(series={"old": SideSeries("old", old), "new": SideSeries("new", coming)})
    )
    assert [(one.name, one.newest) for one in late] == [("old", stamps[-1]), ("new", None)]
    assert series_cautions(market.replace(series={"new": SideSeries("new", coming)})) == [
        "no value of new was known yet: its features are empty"
    ]
    assert late_series(market) == []


def test_a_series_is_late_at_each_moment_by_the_rule_of_the_newest_bar() -> None:
    """Three usual steps, or bars where those are longer, without a new value; and before the first one."""
    known = np.array([0, 8, 16, 24], np.int64)
    moments = np.arange(-1, 60)
    assert moments[~late_at(known, moments, 1)].tolist() == list(range(49)), (
        "8 apart: until 24 after the last"
    )
    assert moments[~late_at(known, moments, 10)].tolist() == list(range(55)), "no less than three bars"
    assert late_at(known[:0], moments, 1).all()
    assert late_at(known[:1], moments, 2)[:9].tolist() == [True] + [False] * 7 + [True]
