"""Plain functions as stages, and stages by name."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest

from onward.audit import as_stage, audit_function, load_stage, sources_of
from onward.errors import AuditError
from onward.protocols import CausalStage
from onward.testing import markets
from onward.types import Market
from tests.fixtures.references.leaks_world import world

PANEL = markets.random_walk(120, seed=3, symbols=("A", "B"))


def change(df):
    return df["close"].pct_change()


def test_a_function_of_bars_is_called_symbol_by_symbol():
    table = as_stage(change).compute(PANEL)
    assert list(table.columns) == ["change__value"]
    assert table.index.equals(PANEL.bars.index)
    assert np.isnan(table["change__value"].xs("B").iloc[0])


def test_functions_of_a_market_and_of_sources_are_told_apart():
    def whole(market):
        return market.bars[["close", "volume"]]

    def annotated(given: Market):
        return given.bars["close"]

    def joined(df, aux):
        return df["close"] * aux["fng"]["value"].iloc[0]

    assert list(as_stage(whole).compute(PANEL).columns) == ["whole__close", "whole__volume"]
    assert as_stage(annotated).takes == "market"
    assert as_stage(joined).takes == "frame_and_sources"
    assert len(as_stage(joined).compute(world(0, 200))) == 200
    assert as_stage(functools.partial(joined, aux={})).takes == "frame"


def test_names_and_arrays():
    stage = as_stage(lambda df: np.ones((len(df), 2)), ["a", "b"], name="mine")
    assert stage.columns() == ("mine__a", "mine__b")
    assert list(stage.compute(PANEL).columns) == ["mine__a", "mine__b"]
    assert isinstance(stage, CausalStage)


def test_sources_are_those_of_the_symbol():
    given = world(0, 200)
    frames = sources_of(given)
    assert set(frames) == set(given.series)
    assert list(frames["fng"].columns) == ["available_at", "value"]
    frame = given.series["fng"].frame.assign(symbol="OTHER")
    other = given.replace(series={"fng": type(given.series["fng"])("fng", frame)})
    assert len(sources_of(other)["fng"]) == 0


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (lambda df: 1.0, "table"),
        (lambda df: df["close"].iloc[1:], "one row a bar"),
        (lambda df: df["close"][::-1], "another order"),
        (lambda df: df[["close", "open"]].to_numpy(), "another number of columns"),
    ],
)
def test_wrong_results_are_refused(function, complaint):
    with pytest.raises(AuditError, match=complaint):
        as_stage(function, ["a"], name="odd").compute(PANEL)


@pytest.mark.parametrize("function", [3, lambda: 1, lambda a, b, c: 1])
def test_what_cannot_be_called_with_market_data_is_refused(function):
    with pytest.raises(AuditError, match="f\\(df\\)"):
        as_stage(function)


MODULE = """
import pandas as pd

class Good:
    name, scope, lookback = "good", "symbol", 2
    def columns(self): return ("good__a",)
    def compute(self, market): return market.bars[["close"]].set_axis(["good__a"], axis=1)

class Needy(Good):
    def __init__(self, window): self.window = window

class Half:
    name = "half"
    def compute(self, market): return market.bars

class Odd(Good):
    scope = "everything"

ready = Needy(3)
number = 3

def make(): return Good()
def leaky(df): return df["close"].shift(-1)
"""


@pytest.fixture
def module(tmp_path):
    name = f"stages_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / f"{name}_broken.py").write_text("1 / 0\n")
    (tmp_path / f"{name}_poor.py").write_text("import no_such_library_anywhere\n")
    return name, tmp_path


@pytest.mark.parametrize("name", ["Good", "ready", "make", "leaky"])
def test_stages_are_found_by_name(module, name):
    path, directory = module
    stage = load_stage(f"{path}:{name}", directory=directory)
    assert isinstance(stage, CausalStage)
    assert len(stage.compute(PANEL)) == len(PANEL)


def test_a_leak_in_user_code_is_named(module):
    path, directory = module
    report = audit_function(load_stage(f"{path}:leaky", directory=directory).function, PANEL)
    assert report.leaks[0].subject == "leaky__value"


def test_the_working_directory_is_searched(module, monkeypatch):
    path, directory = module
    monkeypatch.chdir(directory)
    assert load_stage(f"{path}:Good").name == "good"


@pytest.mark.parametrize(
    ("suffix", "complaint"),
    [
        ("", "module:name"),
        (":", "module:name"),
        (":not a name", "module:name"),
        (":Godd", "did you mean Good"),
        (":Needy", "without arguments"),
        (":Half", "without scope, lookback, columns"),
        (":Odd", "unknown scope"),
        (":number", "no stage"),
        ("_broken:Good", "ZeroDivisionError"),
        ("_poor:Good", "no_such_library_anywhere, which is not installed"),
        ("x:Good", "there is no module"),
        ("_brokn:Good", "did you mean"),
    ],
)
def test_bad_names_are_explained(module, suffix, complaint):
    path, directory = module
    with pytest.raises(AuditError, match=complaint):
        load_stage(f"{path}{suffix}", directory=directory)


def test_undeclared_lookback_is_said():
    report = audit_function(change, PANEL)
    assert report.passed
    notes = {check.name: check.note for check in report.checks if check.status == "not_run"}
    assert notes == {"availability": "no side series", "batch_equals_latest": "no lookback declared"}
    declared = audit_function(change, PANEL, lookback=2)
    assert {c.name: c.status for c in declared.checks}["batch_equals_latest"] == "passed"


def test_empty_series_are_no_obstacle():
    given = world(0, 200)
    empty = {n: type(s)(n, s.frame.iloc[:0]) for n, s in given.series.items()}
    assert audit_function(change, given.replace(series=empty)).passed
    assert isinstance(pd.Timestamp(audit_function(change, PANEL).created_at), pd.Timestamp)
