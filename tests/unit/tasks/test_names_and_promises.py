"""How sent files are called, and what a result says of a version that is published after its job's end."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from onward.errors import FormatError, JobError, RegistryNotFoundError
from onward.jobs.values import Job, JobRequest
from onward.tasks.importing import _said_of
from onward.tasks.promised import is_promised, published
from onward.tasks.uploaded import checked_names


@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"], [1, 2], ["a", "b\0"], ["a", ""], ["a", "b" * 201]])
def test_every_file_has_a_name_or_none_has(names: list[Any]) -> None:
    assert checked_names([], 2) == []
    assert checked_names(["a b.csv", "é.csv"], 2) == ["a b.csv", "é.csv"]
    with pytest.raises(JobError, match="does not name the files"):
        checked_names(names, 2)


def test_an_error_calls_a_file_as_who_sent_it() -> None:
    file = Path("/home/x/uploads/whole-1/_n_.csv")
    said = _said_of(file, "ñ.csv", FormatError(f"{file.name} is empty", got=str(file), remedy="Fill it."))
    assert (said.what, said.got, said.remedy) == ("ñ.csv is empty", "ñ.csv", "Fill it.")
    assert _said_of(file, "ñ.csv", FormatError("nothing in it")).what == "ñ.csv: nothing in it"
    own = FormatError("empty", got=str(file))
    assert _said_of(file, file.name, own).got == str(file)


def job(result: dict[str, Any] | None) -> Job:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    empty: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(Job))
    told = {
        "id": "01",
        "request": JobRequest("train", {}),
        "state": "succeeded",
        "attempt": 1,
        "queued_at": now,
    }
    return Job(**{**empty, **told, "progress": {}, "result": result})


def runs(model_ref: str | None) -> Any:
    return SimpleNamespace(get=lambda _: SimpleNamespace(record=SimpleNamespace(model_ref=model_ref)))


POSTED = {
    "run": "r1",
    "model": None,
    "alias": None,
    "posted": {"model": "btc", "alias": "champion", "digest": "0a"},
}


def test_a_promised_version_is_named_once_it_is_there() -> None:
    promised = job(POSTED)
    assert is_promised(promised)
    assert published(promised, lambda: runs(None)) is promised
    found = published(promised, lambda: runs("models:/btc/3"))
    assert found.result == {**POSTED, "model": "models:/btc/3", "alias": "champion"}
    assert not is_promised(found)

    class Elsewhere:
        def get(self, run_id: str) -> None:
            raise RegistryNotFoundError("There is no such run", got=run_id)

    assert published(promised, Elsewhere) is promised  # type: ignore[arg-type]


@pytest.mark.parametrize("result", [None, {}, {"model": "models:/btc/3", "alias": None}, {"rows": 3}])
def test_nothing_is_asked_of_runs_for_a_job_without_a_promise(result: dict[str, Any] | None) -> None:
    one = job(result)
    assert published(one, lambda: pytest.fail("asked")) is one
