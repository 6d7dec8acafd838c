"""What is promised to whoever submits."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone

from onward.errors import JobConflictError, JobError, JobNotFoundError, UserError
from onward.jobs.protocol import JobStore
from onward.jobs.values import JobRequest
from onward.testing.job_store.ways import refused, request, together

__all__ = ["CHECKS"]


def it_satisfies_the_protocol(store: JobStore) -> None:
    assert isinstance(store, JobStore)
    assert set(store.counts().values()) == {0}
    assert store.find().jobs == ()
    assert list(store.leases()) == []


def a_submitted_job_is_kept_as_it_was_asked_for(store: JobStore) -> None:
    asked = JobRequest(
        "tune",
        {
            "plan": {"model": "lightgbm", "rate": 0.1, "names": ["ä", "\u2028"], "none": None},
            "deep": [[1], {}],
        },
        tenant="desk-2",
        idempotency_key="nightly 2026-11-22",
        priority=-3,
        run_after=datetime(2027, 1, 1, 12, 30, 15, 123_456, tzinfo=UTC),
        max_attempts=5,
        timeout_seconds=1.5,
        memory_limit_mb=512,
        backend="ray",
    )
    before = datetime.now(UTC) - timedelta(days=1)
    submission = store.submit(asked, retry_of="0123456789abcdef")
    assert submission.created
    job = store.get(submission.job.id)
    assert job == submission.job
    assert job.request == asked
    assert job.request.request_hash == asked.request_hash
    assert (job.state, job.reason, job.attempt, job.owner, job.beat) == ("queued", None, 0, None, 0)
    assert (job.identity, job.started_at, job.finished_at) == (None, None, None)
    assert (job.result, job.error, dict(job.progress)) == (None, None, {})
    assert job.retry_of == "0123456789abcdef"
    assert job.queued_at > before
    (event,) = store.events(job.id)
    assert (event.seq, event.attempt, event.kind, event.payload["state"]) == (1, 0, "state", "queued")


def the_same_key_is_the_same_job(store: JobStore) -> None:
    first = store.submit(request(1, idempotency_key="k"))
    again = store.submit(request(1, idempotency_key="k"))
    assert (first.created, again.created) == (True, False)
    assert again.job == first.job
    assert len(store.events(first.job.id)) == 1
    error = refused(lambda: store.submit(request(2, idempotency_key="k")), JobConflictError)
    assert "k" in str(error)
    assert store.submit(request(2, idempotency_key="k", tenant="another")).created
    assert store.submit(request(1)).job.id != store.submit(request(1)).job.id
    assert store.counts()["queued"] == 4


def what_a_key_made_is_known_without_submitting(store: JobStore) -> None:
    def asked(number: int, how: str | None) -> JobRequest:
        return dataclasses.replace(request(number, idempotency_key="k"), asked_hash=how)

    assert store.known(request(1)) is None, "it has no key"
    assert store.known(asked(1, "a" * 64)) is None, "nobody used the key"
    first = store.submit(asked(1, "a" * 64))
    found = store.known(asked(9, "a" * 64))
    assert found is not None
    assert (found.created, found.job.id) == (False, first.job.id), (
        "it came alike, whatever it is completed to"
    )
    refused(lambda: store.known(asked(1, "b" * 64)), JobConflictError)
    assert store.submit(asked(9, "a" * 64)).job.id == first.job.id
    refused(lambda: store.submit(asked(1, "b" * 64)), JobConflictError)
    assert store.counts()["queued"] == 1
    # Of a job that was submitted as it came, the completed request is what there is to compare.
    plain = store.submit(request(1, idempotency_key="plain"))
    late = dataclasses.replace(request(1, idempotency_key="plain"), asked_hash="c" * 64)
    assert store.known(late) is None
    assert store.submit(late).job.id == plain.job.id
    # The key is remembered with how its request came when the job is forgotten.
    store.request_stop(first.job.id)
    store.delete(first.job.id)
    buried = store.known(asked(9, "a" * 64))
    assert buried is not None
    assert (buried.created, buried.job.id, buried.job.state) == (False, first.job.id, "cancelled")
    refused(lambda: store.submit(asked(9, "b" * 64)), JobConflictError)


def a_retry_says_of_what_and_whether_afresh(store: JobStore) -> None:
    kept = store.submit(request(1), retry_of="0123456789abcdef").job
    afresh = store.submit(request(1), retry_of="0123456789abcdef", fresh=True).job
    assert (kept.retry_of, kept.fresh) == ("0123456789abcdef", False)
    assert (afresh.retry_of, afresh.fresh) == ("0123456789abcdef", True)
    assert store.get(afresh.id) == afresh


def the_key_holds_when_the_job_has_ended(store: JobStore) -> None:
    job = store.submit(request(1, idempotency_key="k")).job
    store.request_stop(job.id)
    again = store.submit(request(1, idempotency_key="k"))
    assert (again.created, again.job.id, again.job.state) == (False, job.id, "cancelled")


def two_hundred_submits_at_once_make_one_job(store: JobStore) -> None:
    def burst() -> list[tuple[str, bool]]:
        answers = [store.submit(request(7, idempotency_key="once")) for _ in range(25)]
        return [(answer.job.id, answer.created) for answer in answers]

    answers = [answer for part in together([burst] * 8) for answer in part]
    assert len(answers) == 200
    assert len({job_id for job_id, _ in answers}) == 1
    assert sum(created for _, created in answers) == 1
    assert store.counts()["queued"] == 1


def moments_are_moments_in_every_zone(store: JobStore) -> None:
    tokyo = timezone(timedelta(hours=9))
    there = datetime(2027, 1, 1, 21, tzinfo=tokyo)
    first = store.submit(request(idempotency_key="k", run_after=there))
    again = store.submit(request(idempotency_key="k", run_after=there.astimezone(UTC)))
    assert (again.created, again.job.id) == (False, first.job.id)
    assert first.job.request.run_after == there
    naive = datetime(2027, 1, 1)
    refused(lambda: store.submit(request(run_after=naive)), UserError)


def bad_requests_are_refused(store: JobStore) -> None:
    bad = [
        JobRequest("", {}),
        JobRequest("k" * 65, {}),
        JobRequest("a\0b", {}),
        JobRequest("\ud800", {}),
        JobRequest("train", {"score": float("nan")}),
        JobRequest("train", {"path": object()}),
        JobRequest("train", {"a": 1, 2: "b"}),  # type: ignore[dict-item]
        JobRequest("train", [1]),  # type: ignore[arg-type]
        request(tenant=""),
        request(tenant="t" * 101),
        request(idempotency_key=""),
        request(idempotency_key="x" * 201),
        request(priority=2**40),
        request(priority=1.5),
        request(max_attempts=0),
        request(max_attempts=True),
        request(timeout_seconds=0),
        request(timeout_seconds=float("inf")),
        request(memory_limit_mb=0),
        request(backend=""),
    ]
    for asked in bad:
        error = refused(lambda asked=asked: store.submit(asked), JobError)  # type: ignore[misc]
        assert error.got is not None
    assert store.counts()["queued"] == 0


def ids_may_be_shortened(store: JobStore) -> None:
    jobs = [store.submit(request(number)).job for number in range(40)]
    ids = [job.id for job in jobs]
    assert len(set(ids)) == 40
    for job in jobs[:5]:
        short = next(job.id[:n] for n in range(1, 17) if sum(i.startswith(job.id[:n]) for i in ids) == 1)
        assert store.get(short) == job
        assert [event.job_id for event in store.events(short)] == [job.id]
    firsts = [i[0] for i in ids]
    ambiguous = next(letter for letter in firsts if firsts.count(letter) > 1)
    assert not isinstance(refused(lambda: store.get(ambiguous), JobError), JobNotFoundError)
    stopped = store.request_stop(short)
    assert (stopped.job.id, stopped.accepted) == (jobs[4].id, True)


def unknown_ids_are_said_to_be_unknown(store: JobStore) -> None:
    store.submit(request())
    for job_id in ("", "zzzz", "%", "_", "../x", "a b", "\0", "\ud800", "é", "x" * 500):
        refused(lambda job_id=job_id: store.get(job_id), JobNotFoundError)  # type: ignore[misc]
        refused(lambda job_id=job_id: store.events(job_id), JobNotFoundError)  # type: ignore[misc]
        refused(lambda job_id=job_id: store.request_stop(job_id), JobNotFoundError)  # type: ignore[misc]


CHECKS = (
    it_satisfies_the_protocol,
    a_submitted_job_is_kept_as_it_was_asked_for,
    the_same_key_is_the_same_job,
    what_a_key_made_is_known_without_submitting,
    a_retry_says_of_what_and_whether_afresh,
    the_key_holds_when_the_job_has_ended,
    two_hundred_submits_at_once_make_one_job,
    moments_are_moments_in_every_zone,
    bad_requests_are_refused,
    ids_may_be_shortened,
    unknown_ids_are_said_to_be_unknown,
)
