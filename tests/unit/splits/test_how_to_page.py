"""The how-to page does what it says, as typed."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "use-the-splitters-with-scikit-learn.md"


def test_every_block_runs_in_order(capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    names = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)
    assert len(names["scores"]) == len(names["later"]) == len(names["nested"]) == 5
    assert capsys.readouterr().out.count("\n") == 5
    assert names["scores"].mean() == pytest.approx(0.33, abs=0.15)
