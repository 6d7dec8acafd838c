"""What is promised to whoever looks on, waits for news, or tidies up."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from onward.errors import JobConflictError, JobError, JobNotFoundError, JobStateError
from onward.jobs.protocol import JobStore
from onward.jobs.values import Outcome
from onward.testing.job_store.ways import (
    SUCCESS,
    attempt,
    breaks,
    refused,
    request,
    running,
    together,
)

__all__ = ["CHECKS"]


def progress_is_an_event_and_the_rows_own(store: JobStore) -> None:
    lease = running(store)
    assert store.report(
        lease,
        [
            ("progress", {"stage": "fold", "done": 1, "total": 5}),
            ("score", {"auc": 0.53, "sharpe": float("nan")}),
            ("log", {"level": "info", "text": "odd \ud800 \0 text"}),
            ("progress", {"stage": "fold", "done": 2, "total": 5}),
        ],
    )
    job = store.get(lease.job_id)
    assert job.progress == {"stage": "fold", "done": 2, "total": 5}
    assert job.progress_at is not None
    told = store.events(lease.job_id, after=3)
    assert [(event.seq, event.kind, event.attempt) for event in told] == [
        (4, "progress", 1),
        (5, "score", 1),
        (6, "log", 1),
        (7, "progress", 1),
    ]
    assert told[1].payload == {"auc": 0.53, "sharpe": None}
    assert told[2].payload["text"] == "odd \ud800 \0 text"
    store.release(lease)
    assert store.get(lease.job_id).progress == {}, "a lost attempt's progress is nobody's"


def events_are_numbered_without_gaps(store: JobStore) -> None:
    lease = running(store)

    def talk(name: str) -> None:
        for number in range(12):
            assert store.report(lease, [("log", {"text": f"{name}-{number}-{part}"}) for part in range(3)])

    def misbehave() -> None:
        for _ in range(12):  # numbers that are taken and given back must not leave gaps
            with suppress(ZeroDivisionError):
                store.finish(lease, SUCCESS, on_commit=breaks)

    together([lambda: talk("a"), lambda: talk("b"), lambda: talk("c"), misbehave])
    store.request_stop(lease.job_id)
    assert store.finish(lease, Outcome("cancelled"))
    events = store.events(lease.job_id)
    assert [event.seq for event in events] == list(range(1, 3 + 3 * 12 * 3 + 2 + 1))
    texts = [event.payload["text"] for event in events if event.kind == "log"]
    for name in "abc":
        mine = [text for text in texts if text.startswith(name)]
        assert mine == [f"{name}-{number}-{part}" for number in range(12) for part in range(3)]


def events_can_be_read_on_from_any_number(store: JobStore) -> None:
    lease = running(store)
    store.report(lease, [("log", {"n": n}) for n in range(20)])
    everything = store.events(lease.job_id)
    assert len(everything) == 23
    assert store.events(lease.job_id, after=20) == everything[20:]
    assert store.events(lease.job_id, after=5, limit=4) == everything[5:9]
    assert list(store.events(lease.job_id, after=23)) == []


def events_are_told_by_kind_and_from_the_end(store: JobStore) -> None:
    lease = running(store)
    for n in range(12):
        store.report(lease, [("log", {"n": n}), ("progress", {"n": n}), ("score", {"n": n})])
    everything = store.events(lease.job_id)
    assert len(everything) == 39
    for kinds in (["score"], ["log", "state"], ["progress", "progress"], ["no such kind"], []):
        told = [event for event in everything if event.kind in kinds]
        assert list(store.events(lease.job_id, kinds=kinds)) == told
        assert list(store.events(lease.job_id, kinds=kinds, limit=5)) == told[:5]
        assert list(store.events(lease.job_id, kinds=kinds, limit=5, newest=True)) == told[-5:]
        behind = [event for event in told if event.seq > 20]
        assert list(store.events(lease.job_id, kinds=kinds, after=20, limit=3)) == behind[:3]
        assert list(store.events(lease.job_id, kinds=kinds, after=20, limit=3, newest=True)) == behind[-3:]
    assert list(store.events(lease.job_id, limit=4, newest=True)) == list(everything[-4:])
    assert list(store.events(lease.job_id, newest=True)) == list(everything)
    (last,) = store.events(lease.job_id[:-1], kinds=iter(["score"]), limit=1, newest=True)
    assert last == everything[-1], "the beginning of an id suffices"


def pages_are_stable_and_complete(store: JobStore) -> None:
    ids = [store.submit(request(number)).job.id for number in range(25)]
    newest_first = [job.id for job in store.find(limit=100).jobs]
    assert sorted(newest_first) == sorted(ids)
    moments = [job.queued_at for job in store.find(limit=100).jobs]
    assert moments == sorted(moments, reverse=True)
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        page = store.find(limit=7, cursor=cursor)
        seen += [job.id for job in page.jobs]
        store.submit(request(100 + len(seen)))  # what comes meanwhile moves nothing
        cursor = page.cursor
    assert seen == newest_first
    assert cursor is None
    last = store.find(limit=29)
    assert (len(last.jobs), last.cursor) == (29, None)


def jobs_are_found_by_what_they_are(store: JobStore) -> None:
    lease = running(store, tenant="desk-2")
    queued = store.submit(request(1)).job
    assert [job.id for job in store.find(states=["running", "stopping"]).jobs] == [lease.job_id]
    assert [job.id for job in store.find(tenant="default").jobs] == [queued.id]
    assert len(store.find(kinds=["train", "tune"]).jobs) == 2
    assert store.find(kinds=["tune"]).jobs == ()
    assert store.find(states=[]).jobs == ()
    counts = store.counts()
    assert (counts["queued"], counts["running"], counts["failed"], sum(counts.values())) == (1, 1, 0, 2)


def jobs_are_found_by_when_they_ended(store: JobStore) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    running(store)
    ended = running(store, "owner-2")
    assert store.finish(ended, SUCCESS)
    assert [job.id for job in store.find(ended_after=before).jobs] == [ended.job_id]
    finished = store.get(ended.job_id).finished_at
    assert finished is not None
    assert store.find(ended_after=finished).jobs == ()
    counts = store.counts(ended_after=before)
    assert (counts["succeeded"], sum(counts.values())) == (1, 1)
    assert sum(store.counts(ended_after=finished).values()) == 0


def nonsense_is_refused(store: JobStore) -> None:
    for cursor in ("", "x", "1-", "-1-a", "1" * 30 + "-a", "1-é", "1-a'--"):
        refused(lambda cursor=cursor: store.find(cursor=cursor), JobError)  # type: ignore[misc]
    for limit in (0, -1, 10**9):
        refused(lambda limit=limit: store.find(limit=limit), JobError)  # type: ignore[misc]
    refused(lambda: store.find(states=["runing"]), JobError)  # type: ignore[list-item]
    for limit in (0, -1):
        refused(lambda limit=limit: store.prune(before=datetime.now(UTC), limit=limit), JobError)  # type: ignore[misc]
    job = store.submit(request()).job
    for text in ("\0", "\ud800", "'; --", ""):
        assert store.find(tenant=text).jobs == ()
        assert store.find(kinds=[text]).jobs == ()
    assert list(store.events(job.id, after=10**30)) == []
    assert len(store.events(job.id, after=-(10**6))) == 1
    for text in ("\0", "\ud800", "'; --", ""):
        assert list(store.events(job.id, kinds=[text])) == []
    refused(lambda: store.events(job.id, kinds=["log"], limit=0), JobError)
    refused(lambda: store.events("nobody", kinds=["log"], newest=True), JobNotFoundError)
    assert len(store.claim("owner-1", limit=10**12)) == 1


def only_what_has_ended_is_pruned(store: JobStore) -> None:
    ended = running(store)
    assert store.finish(ended, SUCCESS)
    cancelled = store.submit(request(1)).job
    store.request_stop(cancelled.id)
    live = running(store)
    queued = store.submit(request(2)).job
    assert store.prune(before=datetime.now(UTC) - timedelta(hours=1)) == 0
    soon = datetime.now(UTC) + timedelta(hours=1)
    assert store.prune(before=soon, limit=1) == 1
    assert store.prune(before=soon) == 1
    assert store.prune(before=soon) == 0
    for job_id in (ended.job_id, cancelled.id):
        refused(lambda job_id=job_id: store.get(job_id), JobNotFoundError)  # type: ignore[misc]
        refused(lambda job_id=job_id: store.events(job_id), JobNotFoundError)  # type: ignore[misc]
    assert store.get(live.job_id).state == "running"
    assert store.get(queued.id).state == "queued"


def only_what_has_ended_is_deleted(store: JobStore) -> None:
    ended = running(store, idempotency_key="kept")
    assert store.finish(ended, SUCCESS)
    live = running(store)
    queued = store.submit(request(1)).job
    for job_id in (live.job_id, queued.id):
        refused(lambda job_id=job_id: store.delete(job_id), JobStateError)  # type: ignore[misc]
    refused(lambda: store.delete("nosuchjob"), JobNotFoundError)
    assert store.delete(ended.job_id).state == "succeeded"
    for look in (store.get, store.events, store.delete):
        refused(lambda look=look: look(ended.job_id), JobNotFoundError)  # type: ignore[misc]
    again = store.submit(request(idempotency_key="kept"))
    assert (again.created, again.job.id) == (False, ended.job_id)
    assert store.get(live.job_id).state == "running"
    assert store.get(queued.id).state == "queued"


def keys_outlive_their_jobs(store: JobStore) -> None:
    lease = running(store, idempotency_key="k")
    assert store.finish(lease, Outcome("failed", "oom"))
    finished_at = store.get(lease.job_id).finished_at
    assert store.prune(before=datetime.now(UTC) + timedelta(hours=1)) == 1
    answer = store.submit(request(idempotency_key="k"))
    assert (answer.created, answer.job.id, answer.job.state) == (False, lease.job_id, "failed")
    assert (answer.job.reason, answer.job.finished_at) == ("oom", finished_at)
    refused(lambda: store.submit(request(9, idempotency_key="k")), JobConflictError)
    assert store.counts()["queued"] == 0
    assert store.submit(request(idempotency_key="k", tenant="another")).created


def a_key_that_is_pruned_and_used_at_once_stays_one_job(store: JobStore) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    for number in range(6):
        lease = running(store, number=number, idempotency_key=f"k{number}")
        assert store.finish(lease, SUCCESS)
        asked = request(number, idempotency_key=f"k{number}")
        together([lambda: store.prune(before=soon)] * 2 + [lambda: submits(store, asked, lease.job_id)] * 3)  # noqa: B023
    assert store.counts()["queued"] == 0


def submits(store: JobStore, asked: object, job_id: str) -> int:
    """Submit a known request and expect the known job."""
    answer = store.submit(asked)  # type: ignore[arg-type]
    assert (answer.created, answer.job.id) == (False, job_id)
    return 0


def news_wakes_whoever_waits(store: JobStore) -> None:
    with store.subscribe() as subscription:
        started = time.monotonic()
        assert subscription.wait(0.2) == frozenset()
        assert time.monotonic() - started >= 0.15
        lease = attempt(store)
        assert "queued" in subscription.wait(5.0)
        subscription.wait(0.2)
        store.request_stop(lease.job_id)
        assert "stop" in subscription.wait(5.0)
        subscription.wait(0.2)
        store.release(lease)
        store.submit(request(1))
        assert "queued" in subscription.wait(5.0)


def every_listener_hears_it(store: JobStore) -> None:
    with store.subscribe() as first, store.subscribe() as second:
        store.submit(request())
        assert "queued" in first.wait(5.0)
        assert "queued" in second.wait(5.0)


CHECKS = (
    progress_is_an_event_and_the_rows_own,
    events_are_numbered_without_gaps,
    events_can_be_read_on_from_any_number,
    events_are_told_by_kind_and_from_the_end,
    pages_are_stable_and_complete,
    jobs_are_found_by_what_they_are,
    jobs_are_found_by_when_they_ended,
    nonsense_is_refused,
    only_what_has_ended_is_pruned,
    only_what_has_ended_is_deleted,
    keys_outlive_their_jobs,
    a_key_that_is_pruned_and_used_at_once_stays_one_job,
    news_wakes_whoever_waits,
    every_listener_hears_it,
)
