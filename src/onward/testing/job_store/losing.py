"""What is promised about stops, and about attempts that nobody finished."""

from __future__ import annotations

import dataclasses

from onward.jobs.protocol import JobStore
from onward.jobs.values import Lease, Outcome
from onward.testing.job_store.ways import (
    IDENTITY,
    SUCCESS,
    attempt,
    current,
    lease_of,
    request,
    running,
    together,
)

__all__ = ["CHECKS"]


def a_queued_job_is_cancelled_at_once(store: JobStore) -> None:
    job = store.submit(request()).job
    reply = store.request_stop(job.id)
    assert (reply.accepted, reply.job.state, reply.job.attempt) == (True, "cancelled", 0)
    assert reply.job.finished_at is not None
    assert reply.job.cancel_requested_at is not None
    assert store.get(job.id) == reply.job
    assert not store.request_stop(job.id).accepted


def a_live_job_is_told_once(store: JobStore) -> None:
    for lease in (attempt(store), running(store)):
        reply = store.request_stop(lease.job_id)
        assert (reply.accepted, reply.job.state) == (True, "stopping"), "not cancelled: it still runs"
        assert reply.job.cancel_requested_at is not None
        again = store.request_stop(lease.job_id)
        assert (again.accepted, again.job) == (False, reply.job)
        assert store.stopping(lease, reason=None)
        assert store.finish(lease, Outcome("cancelled"))
        assert store.get(lease.job_id).state == "cancelled"


def a_stop_before_the_start_keeps_it_from_starting(store: JobStore) -> None:
    lease = attempt(store)
    store.request_stop(lease.job_id)
    assert not store.started(lease, IDENTITY)
    released = store.release(lease)
    assert released is not None
    assert released.state == "cancelled"


def a_stop_of_a_job_that_is_being_ended_counts(store: JobStore) -> None:
    lease = running(store, max_attempts=5)
    assert store.stopping(lease, reason="timeout")
    reply = store.request_stop(lease.job_id)
    assert (reply.accepted, reply.job.state, reply.job.reason) == (True, "stopping", "timeout")
    assert store.renew(lease.owner).stopping == {lease.job_id}
    ended = store.reap(current(store, lease.job_id))
    assert ended is not None
    assert (ended.state, ended.reason) == ("cancelled", None)


def of_many_stops_one_is_accepted(store: JobStore) -> None:
    for lease in (running(store), attempt(store)):
        replies = together([lambda lease=lease: store.request_stop(lease.job_id)] * 6)  # type: ignore[misc]
        assert sum(reply.accepted for reply in replies) == 1
        states = [event.payload["state"] for event in store.events(lease.job_id)]
        assert states.count("stopping") == 1
        store.release(lease)


def stop_and_finish_race(store: JobStore) -> None:
    """Whichever commits first wins; both do, now and then."""
    for number in range(200):
        store.submit(request(number))
    leases = []
    while claimed := store.claim("owner-1", limit=200):
        leases += [lease_of(job) for job in claimed]
    assert len(leases) == 200
    for lease in leases:
        assert store.started(lease, IDENTITY)
    answers: dict[str, bool] = {}

    def finish() -> None:
        for lease in leases:
            answers[lease.job_id] = store.finish(lease, SUCCESS)

    accepted: dict[str, bool] = {}

    def stop() -> None:
        for lease in reversed(leases):
            accepted[lease.job_id] = store.request_stop(lease.job_id).accepted

    together([finish, stop])
    finished = stopped = 0
    for lease in leases:
        job = store.get(lease.job_id)
        assert answers[lease.job_id] != accepted[lease.job_id], "one of the two, never both or neither"
        if answers[lease.job_id]:
            finished += 1
            assert (job.state, job.cancel_requested_at) == ("succeeded", None)
        else:
            stopped += 1
            assert (job.state, job.result) == ("stopping", None)
    assert finished > 0
    assert stopped > 0


def a_stop_and_a_finish_of_one_job_race(store: JobStore) -> None:
    seen = set()
    for _ in range(30):
        lease = running(store)
        finished, reply = together(
            [lambda: store.finish(lease, SUCCESS), lambda: store.request_stop(lease.job_id).accepted]  # noqa: B023
        )
        assert finished != reply
        assert store.get(lease.job_id).state == ("succeeded" if finished else "stopping")
        seen.add(finished)
        store.release(lease)
    assert seen <= {True, False}


def a_released_job_is_queued_until_its_attempts_are_used_up(store: JobStore) -> None:
    first = running(store, max_attempts=2)
    job = store.release(first)
    assert job is not None
    assert (job.state, job.reason, job.owner, job.identity, job.attempt) == ("queued", None, None, None, 1)
    assert store.events(job.id)[-1].payload == {"state": "queued", "reason": "worker_lost"}
    (again,) = store.claim("owner-2", limit=1)
    job = store.release(lease_of(again))
    assert job is not None
    assert (job.state, job.reason) == ("failed", "worker_lost")
    assert job.error is not None
    assert "lost" in job.error["what"]
    assert job.finished_at is not None


def a_shutdown_spends_no_attempt(store: JobStore) -> None:
    lease = running(store, max_attempts=1)
    for number in range(2, 6):
        job = store.release(lease, spent=False)
        assert job is not None
        assert job.state == "queued"
        (again,) = store.claim("owner-1", limit=1)
        assert again.attempt == number, "attempt numbers are never given twice"
        lease = lease_of(again)
    job = store.release(lease)
    assert job is not None
    assert (job.state, job.reason) == ("failed", "worker_lost")


def what_was_being_ended_is_not_tried_again(store: JobStore) -> None:
    lease = running(store, max_attempts=5)
    assert store.stopping(lease, reason="oom")
    job = store.release(lease)
    assert job is not None
    assert (job.state, job.reason) == ("failed", "oom")


def what_was_to_be_stopped_is_cancelled(store: JobStore) -> None:
    lease = running(store, max_attempts=5)
    store.request_stop(lease.job_id)
    job = store.reap(lease)
    assert job is not None
    assert (job.state, job.reason) == ("cancelled", None)


def a_sign_of_life_saves_from_the_reaper(store: JobStore) -> None:
    lease = running(store, max_attempts=2)
    seen = current(store, lease.job_id)
    store.renew(lease.owner)
    assert store.reap(seen) is None, "it was renewed"
    assert store.reap(dataclasses.replace(seen, owner="owner-2", beat=1)) is None
    assert store.reap(dataclasses.replace(seen, attempt=2, beat=1)) is None
    assert store.get(lease.job_id).state == "running"
    job = store.reap(current(store, lease.job_id))
    assert job is not None
    assert (job.state, job.attempt) == ("queued", 1)
    assert store.reap(current_or(store, lease)) is None, "it is reaped once"
    (again,) = store.claim("owner-2", limit=1)
    job = store.reap(lease_of(again))
    assert job is not None
    assert (job.state, job.reason) == ("failed", "worker_lost")


def of_many_reapers_one_succeeds(store: JobStore) -> None:
    for _ in range(5):
        lease = running(store, max_attempts=2)
        jobs = together([lambda: store.reap(lease)] * 4)  # noqa: B023
        assert sum(job is not None for job in jobs) == 1
        assert store.request_stop(lease.job_id).accepted


def a_reaper_and_a_finish_race(store: JobStore) -> None:
    for _ in range(15):
        lease = running(store, max_attempts=1)
        reaped, finished = together(
            [lambda: store.reap(lease) is not None, lambda: store.finish(lease, SUCCESS)]  # noqa: B023
        )
        assert reaped != finished
        assert store.get(lease.job_id).state == ("failed" if reaped else "succeeded")


def current_or(store: JobStore, lease: Lease) -> Lease:
    """Return the lease as it stands, or as it last was."""
    return next((held for held in store.leases() if held.job_id == lease.job_id), lease)


CHECKS = (
    a_queued_job_is_cancelled_at_once,
    a_live_job_is_told_once,
    a_stop_before_the_start_keeps_it_from_starting,
    a_stop_of_a_job_that_is_being_ended_counts,
    of_many_stops_one_is_accepted,
    stop_and_finish_race,
    a_stop_and_a_finish_of_one_job_race,
    a_released_job_is_queued_until_its_attempts_are_used_up,
    a_shutdown_spends_no_attempt,
    what_was_being_ended_is_not_tried_again,
    what_was_to_be_stopped_is_cancelled,
    a_sign_of_life_saves_from_the_reaper,
    of_many_reapers_one_succeeds,
    a_reaper_and_a_finish_race,
)
