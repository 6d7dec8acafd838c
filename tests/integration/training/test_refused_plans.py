"""Requests that cannot be met are refused at the public door before any work, with words that repair them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import onward as ow
from onward.errors import LabelError, NotEnoughDataError, OnwardError, PlanError, SplitError
from onward.types import Market, ProgressEvent
from tests.unit.training.small_runs import planted, small_plan

MARKET = planted(420)
LEAVES = "model.num_leaves"


def flat_start() -> Market:
    """Prices that do not move until the last third: the first rows end in the range, all of them."""
    market = planted(420)
    bars = market.bars.copy()
    for column in ("open", "high", "low", "close"):
        bars.iloc[:280, bars.columns.get_loc(column)] = float(bars["close"].iloc[280])
    bars["high"] = bars[["open", "high", "low", "close"]].max(axis=1)
    bars["low"] = bars[["open", "high", "low", "close"]].min(axis=1)
    return market.replace(bars=bars)


FLAT = flat_start()
STILL = MARKET.replace(bars=MARKET.bars.assign(open=9.0, high=9.0, low=9.0, close=9.0))
SEARCH: dict[str, Any] = {"optimization__trials": 2}
FIXED = {"labels__mode": "fixed", "labels__threshold": 0.002}
STACKING: dict[str, Any] = {
    "ensemble__method": "stacking",
    "ensemble__members": ["lightgbm", "logistic"],
}

REFUSED: dict[str, tuple[type[OnwardError], str, dict[str, Any], Market]] = {
    "an empty list of choices": (
        PlanError,
        "the list of choices is empty",
        SEARCH | {"optimization__space": {LEAVES: []}},
        MARKET,
    ),
    "an empty range": (
        PlanError,
        "the range is empty",
        SEARCH | {"optimization__space": {LEAVES: {"low": 9, "high": 2}}},
        MARKET,
    ),
    "a range beyond the setting's bounds": (
        PlanError,
        "does not take this value",
        SEARCH | {"optimization__space": {LEAVES: {"low": -4, "high": 2}}},
        MARKET,
    ),
    "a space that nobody has a use for": (
        PlanError,
        "no trial has a use",
        SEARCH | {"model__name": "logistic", "optimization__space": {LEAVES: [2, 4]}},
        MARKET,
    ),
    "a space without trials that contradicts itself all the same": (
        PlanError,
        "the range is empty",
        {"optimization__space": {LEAVES: {"low": 9, "high": 2}}},
        MARKET,
    ),
    "inner folds of a search that purging empties": (
        SplitError,
        "the search inside fold 0",
        SEARCH | FIXED | {"labels__horizon_bars": 50, "optimization__space": {LEAVES: [2, 4]}},
        MARKET,
    ),
    "stacking with one base model": (
        PlanError,
        "too few members",
        STACKING | {"ensemble__members": ["lightgbm"]},
        MARKET,
    ),
    "stacking with the same model twice": (
        PlanError,
        "ensemble",
        STACKING | {"ensemble__members": ["lightgbm", "lightgbm"]},
        MARKET,
    ),
    "bagging the same model twice": (
        PlanError,
        "has a member twice",
        {"ensemble__method": "bagging", "ensemble__members": ["lightgbm", "lightgbm"]},
        MARKET,
    ),
    "an unknown model that combines": (
        PlanError,
        "ensemble.meta: there is no model of this name",
        STACKING | {"ensemble__meta": "nope"},
        MARKET,
    ),
    "prices that never move": (
        LabelError,
        "too few different classes",
        {},
        STILL,
    ),
    "prices that never move, and a signal to judge": (
        NotEnoughDataError,
        "no row crosses a barrier",
        {"labels__method": "meta"},
        STILL,
    ),
    "trials that ask for more than there is": (
        NotEnoughDataError,
        "no row has an outcome 1,000 bars later",
        SEARCH | {"optimization__space": {"labels.horizon_bars": [6, 1_000]}},
        MARKET,
    ),
    "an unknown model": (PlanError, "no model of this name", {"model__name": "lightgmb"}, MARKET),
    "a horizon longer than the data": (
        NotEnoughDataError,
        "no row has an outcome",
        {"labels__horizon_bars": 1_000},
        MARKET,
    ),
    "a horizon that purging leaves nothing beside": (
        SplitError,
        "too few training rows",
        {"labels__horizon_bars": 150},
        MARKET,
    ),
    "a horizon longer than a fold": (
        SplitError,
        "labels last longer than the blocks",
        FIXED | {"labels__horizon_bars": 50, "validation__n_splits": 8},
        MARKET,
    ),
    "a horizon longer than a group": (
        SplitError,
        "labels last longer than the blocks",
        FIXED
        | {
            "labels__horizon_bars": 50,
            "validation__method": "combinatorial",
            "validation__n_groups": 8,
            "validation__n_test_groups": 1,
        },
        MARKET,
    ),
    "a horizon longer than the past of a walk": (
        SplitError,
        "too few training rows|leave fold 0",
        {"labels__horizon_bars": 150, "validation__method": "walk_forward"},
        MARKET,
    ),
    "one class in every fold": (
        LabelError,
        "too few different classes",
        {"labels__mode": "fixed", "labels__threshold": 0.9},
        MARKET,
    ),
    "one class in the first fold of a walk": (
        LabelError,
        "training rows of fold 0 hold too few",
        FIXED | {"validation__method": "walk_forward"},
        FLAT,
    ),
    "one class in an inner fold": (
        LabelError,
        "inner fold 1 of the training rows of fold",
        FIXED | STACKING | {"training__inner_folds": 2, "validation__n_splits": 3},
        FLAT,
    ),
    "one class in a search's first fold": (
        LabelError,
        "training rows of fold 0 hold too few",
        SEARCH | FIXED | {"validation__method": "walk_forward", "optimization__space": {LEAVES: [2, 4]}},
        FLAT,
    ),
    "weights that leave one class": (
        LabelError,
        "that weigh anything",
        {"labels__time_decay": -0.99},
        MARKET,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_cannot_be_met(name: str, tmp_path: Path) -> None:
    kind, what, values, market = REFUSED[name]
    told: list[ProgressEvent] = []
    with pytest.raises(kind, match=what) as caught:
        ow.train(market, small_plan(**values), home=tmp_path, progress=told.append)
    assert told == []
    error = caught.value
    assert error.what
    assert error.got is not None
    assert error.allowed is not None
    assert error.remedy is not None
    assert error.remedy.endswith((".", "?"))
    assert list(tmp_path.glob("models/*")) == []


@pytest.mark.parametrize(
    "values",
    [
        {"model__name": "xgboost"},
        {"ensemble__method": "voting", "ensemble__members": ["xgboost", "logistic"]},
        STACKING | {"ensemble__meta": "xgboost"},
        SEARCH | {"optimization__space": {"model.name": ["xgboost", "logistic"]}},
    ],
    ids=["alone", "a member", "what combines", "of a trial"],
)
def test_a_library_that_is_not_installed(
    values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(PlanError, match="the library xgboost is not installed") as caught:
        ow.train(MARKET, small_plan(**values), home=tmp_path)
    assert 'pip install "onward[boosters]"' in str(caught.value.remedy)


@pytest.mark.parametrize("budget", [{"trials": 0}, {"trials": -3}, {"seconds": 0.0}])
def test_a_budget_of_nothing(budget: dict[str, float], tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="the budget of a search is nothing") as caught:
        ow.tune(MARKET, small_plan(), home=tmp_path, **budget)
    assert caught.value.remedy is not None
    with pytest.raises(OnwardError, match="does not take this value"):
        small_plan(optimization__seconds=0)


def test_daily_retrains_may_look_a_week_ahead(tmp_path: Path) -> None:
    plan = small_plan(
        validation__method="walk_forward",
        validation__step=24,
        validation__initial=360,
        labels__horizon_bars=30,
        labels__mode="fixed",
        labels__threshold=0.002,
    )
    found = ow.train(MARKET, plan, home=tmp_path, audit=False)
    assert len(found.training.folds) == 2
    assert np.isfinite(found.scores.pooled.log_loss)
    assert found.oof["decision_time"].is_monotonic_increasing
    assert pd.Timedelta(hours=30) == (found.oof["outcome_time"] - found.oof["decision_time"]).iloc[0]
