"""What is promised to owners, and kept from those who are owners no more."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from onward.errors import JobError
from onward.jobs.protocol import JobStore
from onward.jobs.values import Lease, Outcome
from onward.testing.job_store.ways import (
    IDENTITY,
    SUCCESS,
    attempt,
    breaks,
    current,
    lease_of,
    refused,
    request,
    running,
    together,
)

__all__ = ["CHECKS"]


def a_job_goes_its_way(store: JobStore) -> None:
    lease = attempt(store)
    assert store.started(lease, IDENTITY)
    job = store.get(lease.job_id)
    assert (job.state, job.identity) == ("running", IDENTITY)
    assert job.started_at is not None
    assert store.finish(lease, Outcome("succeeded", result={"ref": "models:/btc-1h/3"}))
    job = store.get(lease.job_id)
    assert (job.state, job.reason, job.result) == ("succeeded", None, {"ref": "models:/btc-1h/3"})
    assert job.finished_at is not None
    assert job.identity == IDENTITY, "who worked is remembered"
    assert list(store.leases()) == []
    states = [event.payload["state"] for event in store.events(lease.job_id)]
    assert states == ["queued", "starting", "running", "succeeded"]


def failures_keep_their_reason_and_what_was_said(store: JobStore) -> None:
    error = {"error": "DataError", "what": "no rows", "traceback": "Traceback ...\n", "log": "x\n"}
    lease = running(store)
    assert store.finish(lease, Outcome("failed", "error", error=error))
    job = store.get(lease.job_id)
    assert (job.state, job.reason, job.error, job.result) == ("failed", "error", error, None)
    assert store.events(lease.job_id)[-1].payload == {"state": "failed", "reason": "error"}
    early = attempt(store)
    assert store.finish(early, Outcome("failed", "spawn_failed"))
    assert store.get(early.job_id).reason == "spawn_failed"
    last = running(store)
    refused(lambda: store.finish(last, Outcome("failed")), JobError)
    refused(lambda: store.finish(last, Outcome("succeeded", "oom")), JobError)
    assert store.get(last.job_id).state == "running"


def only_lawful_steps_are_taken(store: JobStore) -> None:
    lease = attempt(store)
    assert not store.finish(lease, SUCCESS), "nothing succeeds that was never running"
    assert store.started(lease, IDENTITY)
    assert not store.started(lease, IDENTITY), "it starts once"
    assert store.stopping(lease, reason="timeout")
    assert not store.started(lease, IDENTITY)
    assert not store.finish(lease, SUCCESS), "the stop came first"
    job = store.get(lease.job_id)
    assert (job.state, job.reason, job.result) == ("stopping", "timeout", None)
    assert store.finish(lease, Outcome("failed", "timeout"))


def what_has_ended_stays(store: JobStore) -> None:
    for outcome in (SUCCESS, Outcome("failed", "oom"), Outcome("cancelled")):
        lease = running(store)
        assert store.finish(lease, outcome)
        job, events = store.get(lease.job_id), store.events(lease.job_id)
        assert not any(write() for write in owner_writes(store, lease).values())
        reply = store.request_stop(lease.job_id)
        assert (reply.accepted, reply.job) == (False, job)
        assert store.get(lease.job_id) == job
        assert store.events(lease.job_id) == events


def writes_of_a_former_attempt_change_nothing(store: JobStore) -> None:
    # The owner is the same: only the number of the attempt tells the two apart.
    old = running(store, max_attempts=3)
    assert store.reap(current(store, old.job_id)) is not None
    queued = store.get(old.job_id)
    for name, write in owner_writes(store, old).items():
        assert not write(), f"{name} of a lost attempt"
    assert store.get(old.job_id) == queued
    (again,) = store.claim(old.owner, limit=1)
    assert store.started(lease_of(again), IDENTITY)
    job, events = store.get(old.job_id), store.events(old.job_id)
    for name, write in owner_writes(store, old).items():
        assert not write(), f"{name} of a former attempt"
    assert store.get(old.job_id) == job
    assert store.events(old.job_id) == events
    assert store.finish(lease_of(again), SUCCESS)


def nobody_writes_for_another(store: JobStore) -> None:
    lease = running(store)
    stranger = dataclasses.replace(lease, owner="owner-2")
    job = store.get(lease.job_id)
    for name, write in owner_writes(store, stranger).items():
        assert not write(), f"{name} of a stranger"
    assert store.get(lease.job_id) == job


def a_heartbeat_brings_back_what_is_held_and_what_was_asked(store: JobStore) -> None:
    first, second = running(store), attempt(store)
    other = running(store, "owner-2")
    renewal = store.renew("owner-1")
    assert (dict(renewal.held), renewal.stopping) == ({first.job_id: 1, second.job_id: 1}, frozenset())
    beats = {lease.job_id: lease.beat for lease in store.leases()}
    assert beats == {first.job_id: 1, second.job_id: 1, other.job_id: 0}
    store.request_stop(first.job_id)
    assert store.renew("owner-1").stopping == {first.job_id}
    assert first.job_id in store.renew("owner-1").held, "a stopping job is still held"
    assert store.finish(first, Outcome("cancelled"))
    assert store.release(second) is not None
    renewal = store.renew("owner-1")
    assert (dict(renewal.held), renewal.stopping) == ({}, frozenset())
    assert store.get(other.job_id).beat == 0
    assert store.renew("nobody").held == {}


def a_lost_job_is_missing_from_the_heartbeat(store: JobStore) -> None:
    lease = running(store)
    assert store.reap(current(store, lease.job_id)) is not None
    assert store.renew(lease.owner).held == {}
    (again,) = store.claim("owner-2", limit=1)
    assert store.renew(lease.owner).held == {}
    assert store.renew("owner-2").held == {again.id: 2}


def the_first_reason_stays(store: JobStore) -> None:
    lease = running(store)
    deadline = datetime(2027, 1, 1, tzinfo=UTC)
    assert store.stopping(lease, reason="stalled", deadline=deadline)
    later = deadline + timedelta(seconds=5)
    assert store.stopping(lease, reason="timeout", deadline=later)
    assert store.stopping(lease, reason=None)
    job = store.get(lease.job_id)
    assert (job.state, job.reason, job.stop_deadline) == ("stopping", "stalled", later)
    states = [event.payload["state"] for event in store.events(lease.job_id)]
    assert states.count("stopping") == 1


def publishing_is_one_step_with_the_end(store: JobStore) -> None:
    lease = running(store)

    try:
        store.finish(lease, SUCCESS, on_commit=breaks)
    except ZeroDivisionError:
        pass
    else:
        raise AssertionError("the exception of on_commit was promised to pass")
    job = store.get(lease.job_id)
    assert (job.state, job.result) == ("running", None)
    assert [event.payload["state"] for event in store.events(lease.job_id)][-1] == "running"
    assert store.finish(lease, SUCCESS, on_commit=lambda _: {"ref": "models:/x/1"})
    assert store.get(lease.job_id).result == {"auc": 0.53, "ref": "models:/x/1"}


def nothing_is_published_without_the_lease(store: JobStore) -> None:
    calls = []

    def publish(connection: object) -> None:
        calls.append(connection)

    lost = running(store)
    assert store.reap(lost) is not None
    assert not store.finish(lost, SUCCESS, on_commit=publish)
    store.request_stop(lost.job_id)
    stopped = running(store)
    store.request_stop(stopped.job_id)
    assert not store.finish(stopped, SUCCESS, on_commit=publish)
    assert calls == []


def of_two_ends_one_comes_about(store: JobStore) -> None:
    for _ in range(10):
        lease = running(store)
        outcomes = [SUCCESS, Outcome("failed", "error"), Outcome("cancelled")]
        answers = together(
            [lambda outcome=outcome: store.finish(lease, outcome) for outcome in outcomes]  # type: ignore[misc]  # noqa: B023
        )
        assert sum(answers) == 1
        assert store.get(lease.job_id).state == outcomes[answers.index(True)].state


def figures_that_are_not_known_become_null(store: JobStore) -> None:
    lease = running(store)
    assert store.finish(lease, Outcome("succeeded", result={"auc": float("nan"), "all": (1.5, float("inf"))}))
    assert store.get(lease.job_id).result == {"auc": None, "all": [1.5, None]}


def owner_writes(store: JobStore, lease: Lease) -> dict[str, Callable[[], object]]:
    """Return everything that an owner can write, by name."""
    return {
        "started": lambda: store.started(lease, IDENTITY),
        "report": lambda: store.report(lease, [("progress", {"done": 1}), ("log", {"text": "late"})]),
        "report of nothing": lambda: store.report(lease, []),
        "stopping": lambda: store.stopping(lease, reason="timeout"),
        "finish": lambda: store.finish(lease, SUCCESS),
        "failed": lambda: store.finish(lease, Outcome("failed", "error")),
        "release": lambda: store.release(lease),
        "reap": lambda: store.reap(lease),
        "held": lambda: lease.job_id in store.renew("nobody").held,
    }


def a_report_of_nothing_says_whether_the_lease_is_good(store: JobStore) -> None:
    lease = running(store)
    assert store.report(lease, [])
    assert len(store.events(lease.job_id)) == 3
    store.submit(request(1))


CHECKS = (
    a_job_goes_its_way,
    failures_keep_their_reason_and_what_was_said,
    only_lawful_steps_are_taken,
    what_has_ended_stays,
    writes_of_a_former_attempt_change_nothing,
    nobody_writes_for_another,
    a_heartbeat_brings_back_what_is_held_and_what_was_asked,
    a_lost_job_is_missing_from_the_heartbeat,
    the_first_reason_stays,
    publishing_is_one_step_with_the_end,
    nothing_is_published_without_the_lease,
    of_two_ends_one_comes_about,
    figures_that_are_not_known_become_null,
    a_report_of_nothing_says_whether_the_lease_is_good,
)
