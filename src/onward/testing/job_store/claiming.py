"""What is promised about claims."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from onward.jobs.protocol import JobStore
from onward.jobs.values import Job, JobRequest
from onward.testing.job_store.ways import SUCCESS, attempt, lease_of, request, running, together

__all__ = ["CHECKS"]


def a_claimed_job_belongs_to_its_owner(store: JobStore) -> None:
    job = store.submit(request()).job
    (claimed,) = store.claim("owner-1", limit=10)
    assert (claimed.id, claimed.state, claimed.owner, claimed.attempt, claimed.beat) == (
        job.id,
        "starting",
        "owner-1",
        1,
        0,
    )
    assert store.get(job.id) == claimed
    assert [lease_of(claimed)] == list(store.leases())
    assert list(store.claim("owner-2", limit=10)) == []
    assert [event.payload["state"] for event in store.events(job.id)] == ["queued", "starting"]


def the_most_urgent_come_first(store: JobStore) -> None:
    ids = [store.submit(request(n, priority=p)).job.id for n, p in enumerate((0, 5, -1, 5, 0))]
    claimed = [job.id for _ in range(3) for job in store.claim("owner-1", limit=2)]
    assert claimed == [ids[1], ids[3], ids[0], ids[4], ids[2]]


def nothing_starts_before_its_time(store: JobStore) -> None:
    now = datetime.now(UTC)
    store.submit(request(0, run_after=now + timedelta(hours=1), priority=9))
    due = store.submit(request(1, run_after=now - timedelta(hours=1))).job
    assert [job.id for job in store.claim("owner-1", limit=10)] == [due.id]


def a_moment_that_comes_makes_a_job_due(store: JobStore) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.2)
    job = store.submit(request(run_after=soon, max_attempts=2)).job
    assert list(store.claim("owner-1", limit=1)) == []
    until = time.monotonic() + 10.0
    while not (claimed := store.claim("owner-1", limit=1)):
        assert time.monotonic() < until, "its moment has come, and it is due"
        time.sleep(0.02)
    assert store.release(lease_of(claimed[0])) is not None
    assert [again.id for again in store.claim("owner-2", limit=1)] == [job.id], "and it stays due"


def backends_take_their_own_jobs(store: JobStore) -> None:
    local = store.submit(request(0)).job
    ray = store.submit(request(1, backend="ray", priority=5)).job
    assert [job.id for job in store.claim("owner-1", limit=10)] == [local.id]
    assert list(store.claim("owner-1", limit=10, backends=())) == []
    assert [job.id for job in store.claim("owner-1", limit=10, backends=("ray", "local"))] == [ray.id]


def kinds_can_be_chosen(store: JobStore) -> None:
    training = store.submit(request(0, priority=5)).job
    short = store.submit(JobRequest("import", {"files": ["bars.csv"]})).job
    assert list(store.claim("owner-1", limit=10, kinds=())) == []
    assert list(store.claim("owner-1", limit=10, kinds=("audit",))) == []
    assert [job.id for job in store.claim("owner-1", limit=10, kinds=("import", "audit"))] == [short.id]
    assert [job.id for job in store.claim("owner-1", limit=10)] == [training.id]


def limits_are_kept(store: JobStore) -> None:
    for number in range(6):
        store.submit(request(number))
    assert list(store.claim("owner-1", limit=0)) == []
    assert len(store.claim("owner-1", limit=2, global_limit=4)) == 2
    assert len(store.claim("owner-2", limit=9, global_limit=3)) == 1
    assert list(store.claim("owner-2", limit=9, global_limit=3)) == []
    first = store.leases()[0]
    assert store.request_stop(first.job_id).job.state == "stopping"
    assert list(store.claim("owner-2", limit=9, global_limit=3)) == [], "a stopping job takes a place"
    assert store.release(first) is not None
    assert len(store.claim("owner-2", limit=9, global_limit=3)) == 1


def no_job_is_claimed_twice(store: JobStore) -> None:
    ids = {store.submit(request(number)).job.id for number in range(120)}

    def work(owner: str) -> list[Job]:
        claimed: list[Job] = []
        while more := store.claim(owner, limit=3):
            claimed.extend(more)
        return claimed

    owners = [f"owner-{number}" for number in range(8)]
    shares = together([lambda owner=owner: work(owner) for owner in owners])  # type: ignore[misc]
    claims = Counter(job.id for share in shares for job in share)
    # One that looked while others held what was left gives up early; nothing may be lost by that.
    claims.update(job.id for job in work("last"))
    assert set(claims) == ids
    assert set(claims.values()) == {1}, "a job was claimed twice"
    assert {store.get(job_id).attempt for job_id in ids} == {1}
    for owner, share in zip(owners, shares, strict=True):
        assert {job.owner for job in share} <= {owner}


def the_global_limit_holds_when_all_claim_at_once(store: JobStore) -> None:
    for number in range(40):
        store.submit(request(number))
    most = 0
    guard = threading.Lock()

    def work(owner: str) -> None:
        nonlocal most
        for _ in range(4):
            claimed = store.claim(owner, limit=3, global_limit=5)
            held = len(store.leases())
            with guard:
                most = max(most, held)
            for job in claimed:
                store.release(lease_of(job), spent=False)

    together([lambda owner=owner: work(owner) for owner in ("a", "b", "c", "d")])  # type: ignore[misc]
    assert 0 < most <= 5


def a_retried_job_gets_the_next_number(store: JobStore) -> None:
    lease = running(store, max_attempts=3)
    assert store.release(lease) is not None
    (again,) = store.claim("owner-2", limit=1)
    assert (again.id, again.attempt, again.owner, again.identity) == (lease.job_id, 2, "owner-2", None)
    assert again.started_at is None


def ended_jobs_are_not_claimed(store: JobStore) -> None:
    assert store.finish(running(store), SUCCESS)
    store.request_stop(store.submit(request(1)).job.id)
    assert store.release(attempt(store, max_attempts=1)) is not None
    assert list(store.claim("owner-1", limit=10)) == []


CHECKS = (
    a_claimed_job_belongs_to_its_owner,
    the_most_urgent_come_first,
    nothing_starts_before_its_time,
    a_moment_that_comes_makes_a_job_due,
    backends_take_their_own_jobs,
    kinds_can_be_chosen,
    limits_are_kept,
    no_job_is_claimed_twice,
    the_global_limit_holds_when_all_claim_at_once,
    a_retried_job_gets_the_next_number,
    ended_jobs_are_not_claimed,
)
