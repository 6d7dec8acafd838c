"""The public names are what the package says, what the page says, and what the code has."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import onward as ow
from onward.errors import DataError, PlanError, StorageError
from onward.testing.markets import random_walk

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "python-api.md").read_text(encoding="utf-8")


def rows_of(heading: str) -> dict[str, str]:
    """The first column of the table below a heading: name -> whole cell."""
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    text = next(part for part in section if part.startswith(heading + "\n"))
    cells = re.findall(r"^\| `(?:ow)?\.?([^`]+)` \|", text, flags=re.MULTILINE)
    return {re.match(r"\w+", cell)[0]: cell for cell in cells}  # type: ignore[index]


def run(code: str) -> Any:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_every_name_exists_and_no_other_is_promised() -> None:
    assert sorted(ow.__all__) == list(ow.__all__) == dir(ow)
    for name in ow.__all__:
        assert getattr(ow, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = ow.nothing


def test_type_checkers_are_told_the_same_names() -> None:
    tree = ast.parse((ROOT / "src" / "onward" / "__init__.py").read_text(encoding="utf-8"))
    guarded = [node for node in tree.body if isinstance(node, ast.If)]
    named = {
        alias.name
        for node in guarded
        for part in ast.walk(node)
        if isinstance(part, ast.ImportFrom)
        for alias in part.names
    }
    assert named | {"__version__"} == set(ow.__all__)


def test_the_page_lists_exactly_these_names() -> None:
    assert {*rows_of("Verbs"), *rows_of("Values")} == set(ow.__all__)


@pytest.mark.parametrize("verb", ["read_market", "train", "load_model", "audit"])
def test_the_page_shows_the_parameters(verb: str) -> None:
    shown = re.findall(r"\w+", rows_of("Verbs")[verb].partition("(")[2])
    assert shown == list(inspect.signature(getattr(ow, verb)).parameters)


@pytest.mark.parametrize("name", ["TrainingResult", "LoadedModel"])
def test_the_page_lists_the_members(name: str) -> None:
    kind = getattr(ow, name)
    members = {m for m in dir(kind) if not m.startswith("_")}
    members |= {field.name for field in dataclasses.fields(kind) if not field.name.startswith("_")}
    assert set(rows_of(name)) == members


def test_the_example_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("ONWARD_HOME", str(tmp_path))
    monkeypatch.setenv("ONWARD_TRAINING__N_THREADS", "1")
    (block,) = re.findall(r"```python\n(import onward as ow\n\n.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(block, "python-api.md", "exec"), names)
    assert "Direction: " in capsys.readouterr().out
    assert names["version"].ref == "models:/btc-1h/1"


def test_importing_the_package_is_light() -> None:
    heavy = ("pandas", "numpy", "pydantic", "sklearn", "lightgbm", "numba", "sqlalchemy", "scipy", "talib")
    code = f"import json, sys, onward; print(json.dumps([m for m in {heavy!r} if m in sys.modules]))"
    assert run(code) == []


def test_reading_data_needs_no_learning_libraries() -> None:
    heavy = ("sklearn", "lightgbm", "sqlalchemy", "alembic", "talib")
    code = (
        "import json, sys, onward as ow; ow.read_market; ow.Market;"
        f"print(json.dumps([m for m in {heavy!r} if m in sys.modules]))"
    )
    assert run(code) == []


@pytest.mark.parametrize(
    "first",
    [
        "import onward as ow; ow.audit",
        "import onward as ow; ow.train",
        "from onward.audit import audit_stage",
    ],
)
def test_audit_is_a_package_and_a_verb_whatever_is_imported_first(first: str) -> None:
    code = (
        f"{first}\nimport json, onward as ow, onward.audit\nfrom onward.audit import AuditReport\n"
        "same = [ow.audit is onward.audit, ow.audit.AuditReport is AuditReport]\n"
        "print(json.dumps([callable(ow.audit), *same]))"
    )
    assert run(code) == [True, True, True]
    assert isinstance(ow.audit, ModuleType)


def test_arguments_in_the_wrong_place_teach() -> None:
    market = random_walk(100)
    with pytest.raises(DataError, match=r"onward\.read_market"):
        ow.train(market.bars, audit=False)  # type: ignore[arg-type]
    with pytest.raises(PlanError, match=r"TrainingPlan\.preset\(name\): default, fast, financial"):
        ow.train(market, "fast", audit=False)  # type: ignore[arg-type]


def test_a_home_that_is_a_file_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("x")
    market = random_walk(100)
    for verb in (
        lambda: ow.train(market, home=home),
        lambda: ow.tune(market, home=home / "below"),
        lambda: ow.load_model("btc@champion", home=str(home)),
    ):
        with pytest.raises(StorageError, match=r"is no directory.*home="):
            verb()
    assert home.read_text() == "x"
