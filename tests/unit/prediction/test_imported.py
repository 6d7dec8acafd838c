"""Stages of the user's own are found again by address, or refused before anything of theirs runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import onward as ow
from onward.errors import AuditError, PlanError, StageError
from onward.features.description import describe
from onward.features.selection.live_columns import restricted
from onward.prediction.imported import ImportedStage, import_stage
from onward.prediction.predictor import Predictor
from tests.unit.training.small_runs import small_plan, walk

STAGE = '''
import numpy as np
import pandas as pd


class Reach:
    """Return over some bars."""

    name = "reach"
    scope = "symbol"

    def __init__(self, window=5):
        self.window = window

    @property
    def lookback(self):
        return self.window + 1

    def columns(self):
        return (f"reach__return_{self.window}",)

    def compute(self, market):
        close = np.log(market.bars["close"])
        moved = close.groupby(level=0, sort=False).diff(self.window)
        return pd.DataFrame({self.columns()[0]: moved}, index=market.bars.index)


class Other(Reach):
    lookback = 6
    pass


ready = Reach(7)


def make():
    return Reach(3)


def plain(df):
    return df["close"]


class Mute(Reach):
    def columns(self):
        return ()


class Needy(Reach):
    def __init__(self, window):
        super().__init__(window)


class Talks(Reach):
    """Offers more than the protocol asks for."""

    series = ("funding_rate",)
    disabled = {"volume": "there is none"}

    def __init__(self, windows=(3, 9)):
        self.windows = tuple(windows)

    @property
    def lookback(self):
        return max(self.windows) + 1

    def columns(self):
        return tuple(f"reach__return_{window}" for window in self.windows)

    def compute(self, market):
        close = np.log(market.bars["close"]).groupby(level=0, sort=False)
        moved = {name: close.diff(w) for name, w in zip(self.columns(), self.windows)}
        return pd.DataFrame(moved, index=market.bars.index)

    def describe(self):
        from onward.features.description import FeatureInfo

        return tuple(FeatureInfo(column, "reach", "moves", 4) for column in self.columns())

    def fitted_part(self):
        from onward.features.selection import ShiftedLabelSelector

        return ShiftedLabelSelector()

    def restricted(self, columns):
        return Talks([w for w in self.windows if f"reach__return_{w}" in columns])


number = 3
'''

Module = Callable[..., str]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Module]:
    """Writes a module into the working directory and returns its name, a new one each time."""
    monkeypatch.chdir(tmp_path)
    written: list[str] = []

    def write(text: str = STAGE) -> str:
        name = f"stage_of_{tmp_path.name.replace('-', '_')}_{len(written)}"
        Path(f"{name}.py").write_text(text, encoding="utf-8")
        written.append(name)
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("name", "column"), [("Reach", "return_5"), ("ready", "return_7"), ("Other", "return_5")]
)
def test_classes_and_ready_stages_are_found_again(module: Module, name: str, column: str) -> None:
    target = f"{module()}:{name}"
    stage = import_stage(target)
    assert stage.columns() == (f"reach__{column}",)
    address = json.loads(json.dumps(stage.address()))
    again = ImportedStage.from_address(address)
    market = walk(50)
    assert again.compute(market).equals(stage.compute(market))
    assert (again.name, again.scope, again.lookback) == (stage.name, stage.scope, stage.lookback)


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("make", StageError, "Write `stage = ...`"),
        ("plain", StageError, "a stage class that needs no arguments, or a ready stage"),
        ("number", AuditError, "no stage"),
        ("Needy", AuditError, "without arguments"),
        ("Mute", StageError, "0 columns"),
        ("Raech", AuditError, "did you mean Reach"),
    ],
)
def test_what_cannot_be_found_again_is_refused(
    module: Module, name: str, error: type[Exception], words: str
) -> None:
    target = f"{module()}:{name}"
    with pytest.raises(error, match=words.replace("(", r"\(")):
        import_stage(target)
    with pytest.raises(PlanError, match=r"features\.stages"):
        ow.train(walk(200), small_plan(features__stages=[target]), audit=False, home=Path.cwd())


def test_what_a_stage_offers_beyond_the_protocol_is_passed_on(module: Module) -> None:
    name = module()
    talks, plain = import_stage(f"{name}:Talks"), import_stage(f"{name}:Reach")
    assert [info.family for info in describe(talks)] == ["moves", "moves"]
    assert describe(plain) == describe(plain.inner)
    part = talks.fitted_part()
    assert part is not None
    assert part.name == "selection"
    assert plain.fitted_part() is None
    assert (talks.series, plain.series) == (("funding_rate",), ())
    assert (talks.disabled, plain.disabled) == ({"volume": "there is none"}, {})
    assert not hasattr(talks, "spec")


def test_a_stage_that_can_compute_less_does(module: Module) -> None:
    name = module()
    talks, plain = import_stage(f"{name}:Talks"), import_stage(f"{name}:Reach")
    market = walk(50)
    less = talks.restricted(["reach__return_3"])
    assert (less.columns(), less.lookback, talks.lookback) == (("reach__return_3",), 4, 10)
    assert less.compute(market)["reach__return_3"].equals(talks.compute(market)["reach__return_3"])
    assert restricted(talks, ["reach__return_3"]).columns() == less.columns()
    assert plain.restricted(["reach__return_5"]).columns() == plain.columns()


def test_a_changed_module_is_refused_before_it_is_imported(module: Module) -> None:
    name = module()
    address = import_stage(f"{name}:Reach").address()
    del sys.modules[name]
    Path(f"{name}.py").write_text(STAGE + "\nraise SystemExit('it ran')\n")
    with pytest.raises(StageError, match="not the one that the model was trained with"):
        ImportedStage.from_address(address)
    assert name not in sys.modules


def test_a_missing_module_is_refused(module: Module) -> None:
    name = module()
    address = import_stage(f"{name}:Reach").address()
    del sys.modules[name]
    Path(f"{name}.py").unlink()
    with pytest.raises(StageError, match="install its package"):
        ImportedStage.from_address(address)


def test_loading_calls_no_function_that_a_bundle_names(module: Module) -> None:
    text = STAGE + "\ncalled = []\n\n\ndef trap():\n    called.append(1)\n"
    name = module(text)
    address = import_stage(f"{name}:Reach").address()
    with pytest.raises(StageError, match="cannot be found again"):
        ImportedStage.from_address({**address, "import": f"{name}:trap"})
    assert sys.modules[name].called == []


@pytest.mark.parametrize(
    "change",
    [
        {"columns": ["reach__return_6"]},
        {"lookback": 99},
        {"import": "nowhere_at_all:Reach"},
        {"source_sha256": "0" * 64},
        {"more": 1},
    ],
)
def test_addresses_that_do_not_fit_are_refused(module: Module, change: dict[str, Any]) -> None:
    address = import_stage(f"{module()}:Reach").address()
    with pytest.raises(StageError) as caught:
        ImportedStage.from_address({**address, **change})
    assert caught.value.remedy


def test_a_model_with_such_a_stage_is_trained_saved_and_loaded(module: Module, tmp_path: Path) -> None:
    name = module()
    plan = small_plan(features__stages=["manual", f"{name}:Reach"], selection__enabled=False)
    market = walk(400)
    result = ow.train(market, plan, home=tmp_path / "home")
    assert result.certificate.status == "passed"
    version = result.save("mine")
    del sys.modules[name]
    model = ow.load_model("models:/mine/1", home=tmp_path / "home")
    expected = result.predictor.batch(market)
    assert model.predict(market).equals(expected)
    assert "reach__return_5" in version.manifest.features.columns
    assert version.manifest.packages == {}
    state = json.loads((version.directory / "pipeline.json").read_text())
    assert str(tmp_path) not in json.dumps(state)
    Path(f"{name}.py").write_text(STAGE.replace("diff(self.window)", "diff(-self.window)"))
    with pytest.raises(StageError, match="train again"):
        ow.load_model("models:/mine/1", home=tmp_path / "home")


def test_a_stage_without_address_or_spec_cannot_be_saved(module: Module) -> None:
    name = module()
    stage = import_stage(f"{name}:Reach").inner
    plan = small_plan(features__stages=[f"{name}:Reach"], selection__enabled=False)
    from onward.features.pipeline import FeaturePipeline
    from onward.training.assembly import make_trainer

    trainer = make_trainer(plan, walk(300))
    trainer.pipeline = FeaturePipeline([stage])
    predictor: Predictor = trainer.train(walk(300)).predictor
    with pytest.raises(StageError, match=r"entry point onward\.stages"):
        predictor.state()
