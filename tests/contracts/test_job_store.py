"""The SQL store keeps every promise of `JobStore`, on each database."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine

from onward.database import open_database
from onward.jobs.store import SqlJobStore
from onward.jobs.values import JobRequest, Submission
from onward.testing.jobs import CHECKS, Check, check_job_store


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_sql_job_store(check: Check, database: Engine) -> None:
    check(SqlJobStore(database, poll_seconds=0.02))


def test_the_suite_catches_a_store_that_forgets_keys(tmp_path: Path, sqlite_template: Path) -> None:
    class Forgetful(SqlJobStore):
        def submit(self, request: JobRequest, *, retry_of: str | None = None) -> Submission:
            bare = dataclasses.replace(request, idempotency_key=None)
            submission = super().submit(bare, retry_of=retry_of)
            job = dataclasses.replace(submission.job, request=request)
            return dataclasses.replace(submission, job=job)

    engines = []

    def make_store() -> Forgetful:
        file = tmp_path / f"{len(engines)}.db"
        shutil.copy(sqlite_template, file)
        engines.append(open_database(f"sqlite:///{file}"))
        return Forgetful(engines[-1])

    with pytest.raises(AssertionError):
        check_job_store(make_store)
    assert len(engines) > 1, "it begins with what even this one can do"
    for engine in engines:
        engine.dispose()
