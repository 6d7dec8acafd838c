"""A leak that was found is said wherever the work is listed, not only where it was done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from onward.cli.jobs.lines import job_words


def job(state: str = "succeeded", **result: Any) -> Any:
    return SimpleNamespace(state=state, reason=None, attempt=1, result=result or None)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (job(certificate={"status": "failed"}), "succeeded, but the leak audit failed"),
        (job(passed=False), "succeeded, but the leak audit failed"),
        (job(certificate={"status": "passed"}), "succeeded"),
        (job(certificate={"status": "not_run"}), "succeeded"),
        (job(passed=True), "succeeded"),
        (job("running"), "running"),
    ],
)
def test_the_state_of_a_job_tells_of_its_audit(told: Any, words: str) -> None:
    assert job_words(told) == words
