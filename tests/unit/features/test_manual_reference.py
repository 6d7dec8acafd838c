from __future__ import annotations

import runpy
from pathlib import Path

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def test_the_reference_page_says_what_the_families_are():
    page = runpy.run_path(str(REFERENCE / "manual_features.py"))["render"]()
    written = (REFERENCE / "manual-features.md").read_text(encoding="utf-8")
    assert written == page, "run: python docs/reference/manual_features.py"
