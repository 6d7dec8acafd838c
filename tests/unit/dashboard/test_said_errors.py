"""Errors are said in the reader's language: every sentence that a package can say has its translation."""

from __future__ import annotations

import pytest

from tests.unit.dashboard.said_errors import missing

PACKAGES: tuple[str, ...] = ("types",)
"""Packages whose errors people meet on pages; those of the shell (cli, client, testing) stay English."""


@pytest.mark.parametrize("package", PACKAGES)
def test_every_sentence_of_an_error_is_said_in_japanese(package: str) -> None:
    left = [f"{one.place} {one.part}: {one.template}" for one in missing(package)]
    assert not left, f"python -m tests.unit.dashboard.said_errors {package} prints them"
