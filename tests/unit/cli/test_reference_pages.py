"""The reference pages are what the code says."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from onward.config import ManualFeaturesConfig, Sections
from onward.config.layers import field_paths, nested
from onward.testing.markets import random_walk
from onward.training.plan import TrainingPlan
from onward.training.stages import make_pipeline

DOCS = Path(__file__).parents[3] / "docs"


def generator(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / "reference" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["settings", "cli"])
def test_the_page_is_up_to_date(name: str) -> None:
    page = generator(name).page()
    written = (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8")
    assert written == page, f"run: python docs/reference/{name}.py"


def test_the_example_of_a_family_option_is_taken() -> None:
    text = ManualFeaturesConfig.model_fields["options"].description
    assert text is not None
    table, option = re.findall(r"(\[features\S+\]) (.*)\.$", text)[0]
    plan = TrainingPlan(**tomllib.loads(f"{table}\n{option}"))
    assert "manual__realized_volatility_96" in make_pipeline(plan, random_walk(200)).columns()


def test_every_setting_is_documented() -> None:
    page = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")
    assert [path for path in field_paths(Sections) if f"`{path}`" not in page] == []


def test_what_the_how_to_shows_works() -> None:
    page = (DOCS / "how-to" / "configure.md").read_text(encoding="utf-8")
    (plan,) = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    assert TrainingPlan(**tomllib.loads(plan)).model.learning_rate == 0.02
    (python,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    names: dict[str, object] = {}
    exec(python.replace("print(", "str("), names)
    shown = names["plan"]
    assert isinstance(shown, TrainingPlan)
    assert shown.labels.horizon_bars == 12
    for name in re.findall(r"--set ([a-z_]+\.[a-z_]+)=", page):
        assert any(path == name for path in field_paths(Sections)), nested({name: ""})
