"""Questions of workers, while the database is there and while it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from onward.errors import JobError, StorageError
from onward.jobs.values import Job
from onward.tasks import asking
from onward.tasks.asking import ask, patient


class Line:
    """A context whose questions go straight to a kind's answer."""

    def __init__(self, answer: asking.Answer) -> None:
        self._answer = patient(answer)
        self.asked = 0

    def ask(self, question: str, **arguments: Any) -> Any:
        self.asked += 1
        job: Any = None
        return self._answer(job, question, arguments)


def test_a_question_waits_until_the_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "AGAIN_SECONDS", 0.01)
    away = iter([True, True, False])

    def answer(job: Job, question: str, arguments: Mapping[str, Any]) -> Any:
        if next(away):
            raise StorageError("the database is away")
        return arguments["n"]

    line = Line(answer)
    assert ask(line, "what", n=None) is None  # type: ignore[arg-type]
    assert line.asked == 3


def test_another_refusal_is_told_at_once() -> None:
    def answer(job: Job, question: str, arguments: Mapping[str, Any]) -> Any:
        raise JobError("nobody answers this question", got=question)

    line = Line(answer)
    with pytest.raises(JobError, match="nobody"):
        ask(line, "what")  # type: ignore[arg-type]
    assert line.asked == 1
