"""The how-to page does what it says, as typed."""

from __future__ import annotations

import re
from pathlib import Path

from onward.audit import AuditReport
from onward.audit.pipeline import CHECKS

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "audit-your-features.md"


def test_every_block_runs_in_order(capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)
    report = names["report"]
    assert isinstance(report, AuditReport)
    shown = capsys.readouterr().out
    expected = re.search(r"```text\n(.*?)\n", PAGE.read_text(encoding="utf-8"))
    assert expected is not None
    assert expected.group(1) in shown
    assert "known then" in shown


def test_every_check_is_explained():
    text = PAGE.read_text(encoding="utf-8")
    for check in (*CHECKS, "truncation", "perturbation", "availability", "symbol_mixing", "provenance"):
        assert f"`{check}`" in text
