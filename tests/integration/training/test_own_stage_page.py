"""The how-to page on stages of one's own does what it says, as typed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

from onward.training.plan import TrainingPlan

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "write-your-own-stage.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_every_block_runs_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    module, *blocks = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("ONWARD_HOME", str(tmp_path / "home"))
    monkeypatch.delitem(sys.modules, "my_stages", raising=False)
    Path("my_stages.py").write_text(module, encoding="utf-8")
    names: dict[str, Any] = {}
    exec("import numpy as np\nimport pandas as pd\n", names)
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)
    printed = capsys.readouterr().out
    assert names["report"].passed
    assert "Audit of reversal: passed" in printed
    assert not names["caught"].passed
    assert names["caught"].findings[0].subject == "reversal__from_high_48"
    assert names["result"].certificate.status == "passed"
    assert "reversal__from_high_48" in names["result"].training.dataset.features.columns
    assert names["version"].ref == "models:/btc-reversal/1"
    sys.modules.pop("my_stages", None)


def test_the_plan_of_the_page_is_a_plan(tmp_path: Path) -> None:
    plan, _, shared = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
    (tmp_path / "plan.toml").write_text(plan, encoding="utf-8")
    assert TrainingPlan.from_file(tmp_path / "plan.toml").features.stages == ("manual", "my_stages:Reversal")
    (tmp_path / "shared.toml").write_text(shared, encoding="utf-8")
    features = TrainingPlan.from_file(tmp_path / "shared.toml").features
    assert features.stages == ("manual", "reversal")
    assert features.options == {"reversal": {"window": 168}}


def test_every_name_of_the_page_exists() -> None:
    names = set(re.findall(r"`(onward(?:\.\w+)+)[`(]", TEXT)) - {"onward.stages"}  # an entry-point group
    assert len(names) >= 3
    for name in names:
        resolve_name(name)


def test_the_code_of_the_explanation_runs(capsys: Any) -> None:
    page = (PAGE.parents[1] / "explanation" / "how-training-works.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    exec(compile(block, "how-training-works.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "Direction: " in printed
    assert "Audit of features and learning path of SingleModelTrainer: passed" in printed
