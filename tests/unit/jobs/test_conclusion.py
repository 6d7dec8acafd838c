"""What the end of a worker means: every way out, and which cause wins."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from onward.jobs.conclusion import Observed, conclude
from onward.jobs.local.attempt import LocalEnding

REGULAR = LocalEnding(0, None)
ERROR = {"type": "error", "error": {"error": "ValueError", "what": "no"}, "traceback": "T", "memory": False}


def seen(**changes: Any) -> Observed:
    return Observed(**{"ending": REGULAR, "log": "last line", **changes})


def test_a_regular_end_is_published() -> None:
    assert conclude(seen(manifest={"a": 1})).step == "publish"
    assert conclude(seen(manifest={"a": 1}, shutting_down=True)).step == "publish"


def test_a_stop_wins_over_everything() -> None:
    for changes in ({"manifest": {}}, {"error": ERROR}, {"stopped_for": "timeout"}, {"shutting_down": True}):
        conclusion = conclude(seen(stop_requested=True, **changes))
        assert conclusion.step == "finish"
        assert conclusion.outcome is not None
        assert (conclusion.outcome.state, conclusion.outcome.reason) == ("cancelled", None)
        assert conclusion.outcome.error == {"log": "last line"}


@pytest.mark.parametrize("reason", ["oom", "timeout", "stalled"])
def test_what_the_supervisor_ended_says_why_and_what_to_do(reason: Any) -> None:
    outcome = conclude(seen(stopped_for=reason, manifest={}, ending=LocalEnding(None, 9))).outcome
    assert outcome is not None
    assert (outcome.state, outcome.reason) == ("failed", reason)
    assert outcome.error is not None
    assert outcome.error["remedy"]
    assert outcome.error["log"] == "last line"


def test_an_exception_keeps_its_words_and_traceback() -> None:
    outcome = conclude(seen(error=ERROR, ending=LocalEnding(1, None))).outcome
    assert outcome is not None
    assert outcome.reason == "error"
    assert outcome.error == {"error": "ValueError", "what": "no", "traceback": "T", "log": "last line"}


def test_an_exception_for_want_of_memory_is_oom() -> None:
    outcome = conclude(seen(error={**ERROR, "memory": True})).outcome
    assert outcome is not None
    assert outcome.reason == "oom"
    assert outcome.error is not None
    assert outcome.error["got"] == "no"


@pytest.mark.parametrize(
    ("ending", "step", "reason"),
    [
        (LocalEnding(None, signal.SIGKILL), "release", None),
        (LocalEnding(None, signal.SIGTERM), "release", None),
        (None, "release", None),
        (LocalEnding(None, signal.SIGKILL, out_of_memory=True), "finish", "oom"),
        (LocalEnding(None, signal.SIGSEGV), "finish", "error"),
        (LocalEnding(None, signal.SIGABRT), "finish", "error"),
        (LocalEnding(3, None), "finish", "error"),
        (LocalEnding(0, None), "finish", "error"),
    ],
)
def test_an_end_without_a_word(ending: LocalEnding | None, step: str, reason: str | None) -> None:
    conclusion = conclude(seen(ending=ending))
    assert conclusion.step == step
    assert (conclusion.outcome.reason if conclusion.outcome else None) == reason


def test_a_server_that_shuts_down_gives_the_job_back() -> None:
    for ending in (LocalEnding(None, 9), LocalEnding(3, None), None):
        assert conclude(seen(ending=ending, shutting_down=True)).step == "return"
