"""Stages of people's own that say or do the wrong thing: each is named, with its repair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from onward.errors import DataError, PlanError, StageError
from onward.features.declarations import attributed, require_declared
from onward.features.pipeline import FeaturePipeline
from onward.testing.markets import random_walk
from onward.testing.stages import check_causal_stage
from onward.training.plan import TrainingPlan
from onward.training.stages import make_pipeline

MARKET = random_walk(60)


class Mine:
    name: Any = "mine"
    scope: Any = "symbol"
    lookback: Any = 2

    def columns(self) -> Any:
        return ("mine__a",)

    def compute(self, market: Any) -> Any:
        return pd.DataFrame({"mine__a": market.bars["close"]})


def spoilt(**changes: Any) -> Mine:
    return type("Mine", (Mine,), changes)()


def raising(error: Exception) -> Any:
    def fail(self: Any, *arguments: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (spoilt(lookback=None), ("'mine'", "lookback = None", "whole number of bars", "warm-up")),
        (spoilt(lookback=5.5), ("'mine'", "lookback = 5.5 (float)", "whole number of bars")),
        (spoilt(lookback=1e9), ("'mine'", "lookback = 1000000000.0 (float)", "whole number")),
        (spoilt(lookback=-1), ("'mine'", "lookback = -1 (int)", "from 1 up")),
        (spoilt(lookback=np.float64(3.0)), ("'mine'", "(float64)")),
        (spoilt(lookback=property(raising(KeyError("n")))), ("'mine' fails in lookback", "KeyError: 'n'")),
        (spoilt(columns=lambda self: "mine__a"), ("'mine'", "'mine__a' (str)", "with the comma")),
        (spoilt(columns=lambda self: None), ("'mine'", "None (NoneType)", "a tuple")),
        (spoilt(columns=lambda self: {"mine__a": 1}), ("(dict)",)),
        (spoilt(columns=lambda self: {"mine__a", "mine__b"}), ("(set)",)),
        (spoilt(columns=lambda self: (7, "mine__a")), ("names its columns wrongly", "got 7")),
        (spoilt(columns=lambda self: (["mine__a"],)), ("names its columns wrongly",)),
        (spoilt(columns=lambda self: ("mine__",)), ("names its columns wrongly",)),
        (spoilt(columns=raising(KeyError("window"))), ("fails in columns()", "KeyError: 'window'")),
        (spoilt(columns=("mine__a",)), ("fails in columns()", "not callable")),
        (spoilt(name=None), ("class Mine has no name", "name = None")),
        (spoilt(scope="both"), ("'mine'", "scope = 'both'", "cross_section")),
    ],
)
def test_what_a_stage_declares_is_held_to_the_contract(stage: Mine, words: tuple[str, ...]) -> None:
    for door in (require_declared, lambda s: FeaturePipeline([s]), lambda s: check_causal_stage(s, MARKET)):
        with pytest.raises(StageError) as caught:
            door(stage)
        for word in words:
            assert word in str(caught.value)
        assert caught.value.allowed
        assert caught.value.remedy


def test_an_error_inside_compute_bears_the_name_of_the_stage_and_the_place() -> None:
    def compute(self: Mine, market: Any) -> Any:
        return market.bars[["cloes"]]

    with pytest.raises(StageError) as caught:
        FeaturePipeline([spoilt(compute=compute)]).compute(MARKET)
    said = str(caught.value)
    assert "the stage 'mine' fails in compute()" in said
    assert "KeyError" in said
    assert "cloes" in said
    assert f"of {Path(__file__).name}, in compute)" in said
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_fast_path_that_fails_or_forgets_is_noticed() -> None:
    fast = spoilt(compute_into=lambda self, market, out, done=None: None)
    assert FeaturePipeline([fast]).compute(MARKET).isna().all(axis=None)
    with pytest.raises(StageError, match=r"'mine' fails in compute_into\(\)"):
        FeaturePipeline([spoilt(compute_into=raising(ZeroDivisionError("0")))]).compute(MARKET)


def test_a_description_that_is_none_is_refused() -> None:
    with pytest.raises(StageError, match=r"fails in describe\(\)"):
        FeaturePipeline([spoilt(describe=raising(KeyError("x")))]).describe()
    with pytest.raises(StageError, match="describes other columns"):
        FeaturePipeline([spoilt(describe=lambda self: ("mine__a",))]).describe()


def test_what_is_raised_on_purpose_passes() -> None:
    for error in (DataError("no bars"), MemoryError()):
        with pytest.raises(type(error)), attributed("mine", "compute()"):
            raise error


def test_a_lookback_that_no_market_has_is_refused_before_anything_runs() -> None:
    pipeline = FeaturePipeline([spoilt(lookback=10**9, compute=raising(AssertionError("computed")))])
    with pytest.raises(StageError) as caught:
        pipeline.compute(MARKET)
    assert "1,000,000,000 bars, where the longest symbol has 60" in str(caught.value)
    assert "1 to 876,600 bars" in str(caught.value)


def test_a_lookback_beyond_the_data_is_said(caplog: pytest.LogCaptureFixture) -> None:
    plan = TrainingPlan(features={"stages": ["alpha158"]})
    make_pipeline(plan, MARKET)
    (record,) = caplog.records
    assert "60 bars, less than the lookback of alpha158 (61)" in record.getMessage()
    caplog.clear()
    make_pipeline(plan, random_walk(100))
    assert not caplog.records


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("lookback = None", "lookback = None"),
        ("lookback = 5.5", "lookback = 5.5"),
        ("lookback = -1", "lookback -1"),
        ("lookback = 10**9", "a century"),
        ("columns = lambda self: 'mine__a'", "'mine__a' (str)"),
        ("columns = lambda self: None", "None (NoneType)"),
        ("columns = lambda self: {}['window']", "KeyError: 'window'"),
    ],
)
def test_so_is_a_stage_that_a_plan_names_by_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, words: str
) -> None:
    module = f"own_{abs(hash(body))}"
    source = Path(tmp_path / f"{module}.py")
    source.write_text(
        'class Mine:\n    name, scope, lookback = "mine", "symbol", 2\n'
        '    def columns(self):\n        return ("mine__a",)\n'
        f"    def compute(self, market):\n        raise AssertionError\n    {body}\n"
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PlanError, match=r"mine|Mine") as caught:
        make_pipeline(TrainingPlan(features={"stages": [f"{module}:Mine"]}), MARKET)
    assert words in str(caught.value)
