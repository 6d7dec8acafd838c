"""Stages of other packages: what is taken, what is refused, and with which words.

Small packages are written by hand, with the metadata that an installer leaves, and looked at from
a fresh process: entry points are read once a process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

GOOD = """
import pandas as pd

class Good:
    name = "{name}"
    scope = "symbol"
    lookback = 2

    def __init__(self, lag=1):
        if not 0 < lag < 9:
            raise ValueError("lag must be 1 to 8")
        self.lag = lag

    @classmethod
    def for_market(cls, market, **options):
        return cls(**options)

    @classmethod
    def examples(cls, market):
        return [cls()]

    def columns(self):
        return (f"{{self.name}}__move",)

    def compute(self, market):
        move = market.bars["close"].groupby(level="symbol").pct_change(self.lag, fill_method=None)
        return move.to_frame(self.columns()[0])

    def spec(self):
        return {{"stage": self.name, "lag": self.lag}}

    @classmethod
    def from_spec(cls, spec):
        return cls(spec["lag"])
"""
FITTED = """
class Scale:
    name = "scale"

    def __init__(self, by=2.0):
        self.by = by

    def fit(self, X, y, *, spans, weight=None, seed=0):
        return self

    def transform(self, X):
        return X * self.by

    def to_json(self):
        return {"by": self.by}

    @classmethod
    def from_json(cls, state):
        return cls(state["by"])
"""
MAKER = "    @classmethod\n    def for_market(cls, market):\n        return {}\n"
PACKAGES: dict[str, tuple[str, str, str, str]] = {
    # distribution: version, entry point, what it names, source of its module
    "fine-stages": ("1.2", "fine", "fine_stages:Good", GOOD.format(name="fine")),
    "kind-stages": (
        "3.0",
        "kind",
        "kind_stages:Good",
        GOOD.format(name="kind") + '    same_values_as = "2.9"\n',
    ),
    "scale-stages": ("0.1", "scale", "scale_stages:Scale", FITTED),
    "falls-over": ("1.0", "falls", "falls_over:Good", "raise RuntimeError('no licence key')\n"),
    "needs-more": ("1.0", "needs", "needs_more:Good", "import nobody_has_this\n"),
    "has-moved": ("1.0", "moved", "has_moved:Good", "Bad = 1\n"),
    "no-stage": ("1.0", "nostage", "no_stage:Thing", "class Thing:\n    pass\n"),
    "a-function": ("1.0", "function", "a_function:make", "def make(market):\n    return market\n"),
    "half-done": (
        "1.0",
        "half",
        "half_done:Half",
        "class Half:\n    def compute(self, market):\n        return market\n",
    ),
    "two-names": ("1.0", "first", "two_names:Good", GOOD.format(name="second")),
    "late-name": (
        "1.0",
        "late",
        "late_name:Good",
        GOOD.format(name="x").replace('name = "x"', 'name = property(lambda self: "later")'),
    ),
    "makes-none": ("1.0", "nothing", "makes_none:Good", GOOD.format(name="nothing") + MAKER.format("None")),
    "makes-fail": ("1.0", "bursts", "makes_fail:Good", GOOD.format(name="bursts") + MAKER.format("1 / 0")),
    "no-lookback": (
        "1.0",
        "endless",
        "no_lookback:Good",
        GOOD.format(name="endless") + "    lookback = 1e9\n",
    ),
    "usurper": ("6.6", "manual", "usurper:Good", GOOD.format(name="manual")),
    "twin-one": ("1.0", "twin", "twin_one:Good", GOOD.format(name="twin")),
    "twin-two": ("2.0", "twin", "twin_two:Good", GOOD.format(name="twin")),
}

CHILD = """
import json, sys
from onward.errors import OnwardError
from onward.features.catalog import (
    fitted_from_saved, make_fitted, make_stage, saved_spec, saved_state, stage_class, stage_from_spec,
    stage_kind, stage_names, stage_origin,
)
from onward.features.pipeline import FeaturePipeline
from onward.testing.markets import random_walk

listed = stage_names()
imported_by_listing = sorted({"fine_stages", "scale_stages", "falls_over", "lightgbm"} & set(sys.modules))
market = random_walk(30)
fine, kind, scale = make_stage("fine", market, {"lag": 2}), make_stage("kind", market), make_fitted("scale")
fine_saved, kind_saved = saved_spec(fine), saved_spec(kind)

class Nobody(stage_class("fine")):
    pass

CASES = {
    "names": lambda: listed,
    "lazy": lambda: imported_by_listing,
    "kinds": lambda: [stage_kind(n) for n in ("fine", "scale", "alpha158", "selection")],
    "origins": lambda: [stage_origin(s) for s in (fine, scale, make_stage("alpha158", market))],
    "saved": lambda: fine_saved,
    "round trip": lambda: saved_spec(stage_from_spec(json.loads(json.dumps(fine_saved)))) == fine_saved,
    "its own spec": lambda: stage_from_spec(fine.spec()).lag,
    "saved state": lambda: saved_state(scale),
    "fitted round trip": lambda: saved_state(fitted_from_saved(saved_state(scale))) == saved_state(scale),
    "spelling": lambda: stage_from_spec({**fine_saved, "package": "Fine_Stages"}).lag,
    "part of a version": lambda: stage_from_spec({**kind_saved, "version": "2"}),
    "same values": lambda: stage_from_spec({**kind_saved, "version": "2.9"}).lag,
    "ours all the same": lambda: stage_from_spec(
        __import__("onward.features.manual", fromlist=["x"]).ManualFeaturesStage.for_market(market).spec()
    ).name,
    "falls": lambda: make_stage("falls", market),
    "needs": lambda: make_stage("needs", market),
    "moved": lambda: make_stage("moved", market),
    "nostage": lambda: make_stage("nostage", market),
    "function": lambda: make_stage("function", market),
    "half": lambda: make_stage("half", market),
    "first": lambda: make_stage("first", market),
    "late": lambda: make_stage("late", market),
    "nothing": lambda: make_stage("nothing", market),
    "bursts": lambda: make_stage("bursts", market),
    "endless": lambda: FeaturePipeline([make_stage("endless", market)]),
    "usurped": lambda: make_stage("manual", market),
    "usurped kind": lambda: stage_kind("manual"),
    "wrong kind": lambda: make_fitted("fine"),
    "other wrong kind": lambda: stage_class("scale"),
    "twin": lambda: make_stage("twin", market),
    "unknown option": lambda: make_stage("fine", market, {"lga": 2}),
    "refused value": lambda: make_stage("fine", market, {"lag": 99}),
    "fitted option": lambda: make_fitted("scale", {"yb": 1}),
    "misspelt": lambda: make_stage("fnie", market),
    "not installed": lambda: stage_from_spec({**fine_saved, "package": "other-stages"}),
    "unknown stage": lambda: stage_from_spec({**fine_saved, "stage": "gone"}),
    "other version": lambda: stage_from_spec({**fine_saved, "version": "1.1"}),
    "fitted version": lambda: fitted_from_saved({**saved_state(scale), "version": "0.2"}),
    "garbled": lambda: stage_from_spec({**fine_saved, "package": "x; rm -rf /"}),
    "no entry point": lambda: saved_spec(Nobody()),
}
found = {}
for name, case in CASES.items():
    try:
        found[name] = case()
    except OnwardError as error:
        found[name] = error.to_dict()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a process that sees all the packages makes of each case."""
    place = tmp_path_factory.mktemp("site")
    for package, (version, name, target, source) in PACKAGES.items():
        module = package.replace("-", "_")
        (place / f"{module}.py").write_text(source, encoding="utf-8")
        info = place / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {package}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[onward.stages]\n{name} = {target}\n")
    environment = {**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    said: dict[str, Any] = json.loads(ended.stdout)
    return said


def test_stages_of_packages_are_listed_without_importing_them(found: dict[str, Any]) -> None:
    names = found["names"]
    assert names[:2] == ["manual", "alpha158"]
    assert {"fine", "kind", "scale", "falls", "needs"} <= set(names)
    assert names.count("manual") == 1
    assert found["lazy"] == []


def test_both_kinds_join(found: dict[str, Any]) -> None:
    assert found["kinds"] == ["causal", "fitted", "causal", "fitted"]


def test_a_saved_stage_names_its_package_and_version(found: dict[str, Any]) -> None:
    origin = {"package": "fine-stages", "version": "1.2"}
    assert found["origins"] == [origin, {"package": "scale-stages", "version": "0.1"}, None]
    assert found["saved"] == {"stage": "fine", **origin, "spec": {"stage": "fine", "lag": 2}}
    assert found["saved state"] == {
        "stage": "scale",
        "package": "scale-stages",
        "version": "0.1",
        "state": {"by": 2.0},
    }
    assert found["round trip"] is True
    assert found["fitted round trip"] is True
    assert found["its own spec"] == 2
    assert found["spelling"] == 2


def test_a_version_that_gives_the_same_values_says_so(found: dict[str, Any]) -> None:
    assert found["same values"] == 1


def test_a_saved_model_keeps_onwards_own_stage_whatever_is_installed(found: dict[str, Any]) -> None:
    assert found["ours all the same"] == "manual"


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("falls", ["'falls' cannot be imported", "no licence key", "falls-over 1.0", "reinstall falls-over"]),
        ("needs", ["nobody_has_this", "reinstall needs-more, with everything that it needs"]),
        ("moved", ["'Good'", "has_moved:Good"]),
        ("nostage", ["is no stage", "no-stage 1.0", "compute()", "fit()"]),
        ("function", ["is no stage", "a function", "name the class"]),
        (
            "half",
            ["causal stage 'half' of half-done 1.0 is not complete", "without columns, for_market, spec"],
        ),
        ("first", ["two names", "'first' in the entry point", "'second' in the class"]),
        ("late", ["'late' goes by another name", "'later'"]),
        ("nothing", ["'nothing' goes by another name", "a NoneType without a name"]),
        (
            "bursts",
            ["'bursts' fails in for_market()", "ZeroDivisionError", "of makes_fail.py, in for_market"],
        ),
        ("endless", ["'endless' does not say how many bars it needs", "lookback = 1000000000.0 (float)"]),
        ("usurped", ["more than one stage is called 'manual'", "Onward's own", "usurper 6.6", "uninstall"]),
        ("usurped kind", ["more than one stage is called 'manual'"]),
        ("wrong kind", ["'fine' of fine-stages 1.2 is causal, where a fitted one is wanted"]),
        ("other wrong kind", ["'scale' of scale-stages 0.1 is fitted, where a causal one is wanted"]),
        ("twin", ["more than one stage is called 'twin'", "twin-one 1.0", "twin-two 2.0"]),
        ("unknown option", ["'fine' refuses its options", "lga = 2", "allowed: lag", "Did you mean 'lag'?"]),
        ("refused value", ["lag = 99", "lag must be 1 to 8", "Correct the options"]),
        ("fitted option", ["'scale' refuses its options", "yb = 1", "allowed: by"]),
        ("misspelt", ["no stage of this name", "Did you mean 'fine'?"]),
        (
            "not installed",
            ["needs the package other-stages", "'fine' of fine-stages 1.2", "pip install other-stages==1.2"],
        ),
        ("unknown stage", ["'gone'", "no package that offers it", "pip install fine-stages==1.2"]),
        (
            "other version",
            ["another version", "got fine-stages 1.2", "pip install fine-stages==1.1", "train again"],
        ),
        ("part of a version", ["another version", "kind-stages 3.0"]),
        ("fitted version", ["another version", "pip install scale-stages==0.2"]),
        ("garbled", ["origin of the stage 'fine' is garbled", "undamaged copy"]),
        ("no entry point", ["cannot be saved", "no installed package offers", "entry point onward.stages"]),
    ],
)
def test_what_cannot_be_is_refused_and_why(case: str, words: list[str], found: dict[str, Any]) -> None:
    said = found[case]
    assert said["error"] == "StageError"
    text = f"{said['what']}; got {said['got']}; allowed: {said['allowed']}. {said['remedy']}"
    for word in words:
        assert word in text
