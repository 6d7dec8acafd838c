"""Rows of runs that are jobs: taken up by a later attempt, closed with the job."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from onward.database.transactions import writing
from onward.errors import RegistryError
from onward.jobs.store import SqlJobStore
from onward.jobs.values import Job, JobRequest, Lease, Outcome
from onward.registry import RunRecord, RunStore


def record(job_id: str, data_hash: str = "d", plan_hash: str = "p") -> RunRecord:
    return RunRecord("train", {"a": 1}, plan_hash, data_hash, "threshold", status="running", job_id=job_id)


def claimed(store: SqlJobStore) -> Job:
    job = store.submit(JobRequest("train", {})).job
    (job,) = store.claim("me", limit=1)
    return job


def test_a_later_attempt_takes_the_same_row_up(database: Engine) -> None:
    runs = RunStore(database)
    first = runs.take_up(record("job"))
    runs.mark_looked_at(first.id)
    runs.update(first.id, status="failed")
    again = runs.take_up(record("job"))
    assert again.id == first.id
    assert (again.record.status, again.record.looked_at) == ("running", True)
    assert runs.take_up(record("other")).id != first.id
    assert [run.id for run in runs.of_job("job")] == [first.id]


def test_an_attempt_that_sees_other_data_is_another_configuration(database: Engine) -> None:
    runs = RunStore(database)
    first = runs.take_up(record("job"))
    second = runs.take_up(record("job", data_hash="e"))
    assert second.id != first.id
    assert runs.get(first.id).record.status == "failed"
    back = runs.take_up(record("job"))
    assert back.id == first.id
    assert runs.get(second.id).record.status == "failed"


def test_runs_are_closed_as_their_jobs_ended(database: Engine) -> None:
    runs, store = RunStore(database), SqlJobStore(database)
    cancelled, failed, alive = claimed(store), claimed(store), claimed(store)
    own = {job.id: runs.take_up(record(job.id)).id for job in (cancelled, failed, alive)}
    gone = runs.take_up(record("pruned")).id
    by_hand = runs.record(RunRecord("train", {}, "p", "d", "threshold", status="running")).id
    assert runs.close_ended() == 1
    store.request_stop(cancelled.id)
    store.stopping(lease(cancelled), reason=None)
    assert store.finish(lease(cancelled), Outcome("cancelled"))
    assert store.finish(lease(failed), Outcome("failed", "error"))
    assert runs.close_ended() == 2
    assert runs.close_ended() == 0
    status = {run: runs.get(run).record.status for run in (*own.values(), gone, by_hand)}
    assert list(status.values()) == ["cancelled", "failed", "running", "failed", "running"]


def lease(job: Job) -> Lease:
    assert job.owner is not None
    return Lease(job.id, job.owner, job.attempt, job.beat)


def test_a_change_belongs_to_the_callers_transaction(database: Engine) -> None:
    runs = RunStore(database)
    run = runs.take_up(record("job"))

    def change() -> None:
        with writing(database) as connection:
            runs.change(connection, run.id, {"status": "succeeded", "model_ref": "models:/a/1"})
            raise KeyError("rolled back")

    with pytest.raises(KeyError):
        change()
    assert runs.get(run.id).record == run.record
    with writing(database) as connection:
        runs.change(connection, run.id, {"status": "succeeded", "model_ref": "models:/a/1"})
    assert runs.get(run.id).record.model_ref == "models:/a/1"
    with writing(database) as connection, pytest.raises(RegistryError):
        runs.change(connection, run.id, {"status": "excellent"})
