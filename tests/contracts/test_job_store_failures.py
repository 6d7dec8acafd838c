"""A database that is away fails cleanly, and everything goes on when it is back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from onward.database import open_database, writing
from onward.errors import StorageError
from onward.jobs.store import SqlJobStore
from onward.testing.job_store.ways import IDENTITY, SUCCESS, attempt, current, request, running
from onward.testing.postgres import PostgresServer


def verbs(store: SqlJobStore, job_id: str) -> dict[str, Callable[[], object]]:
    lease = current(store, job_id)
    return {
        "submit": lambda: store.submit(request(9)),
        "get": lambda: store.get(job_id),
        "find": store.find,
        "request_stop": lambda: store.request_stop(job_id),
        "events": lambda: store.events(job_id),
        "counts": store.counts,
        "prune": lambda: store.prune(before=datetime.now(UTC)),
        "claim": lambda: store.claim("owner-1", limit=1, global_limit=3),
        "started": lambda: store.started(lease, IDENTITY),
        "renew": lambda: store.renew("owner-1"),
        "report": lambda: store.report(lease, [("log", {"text": "x"})]),
        "stopping": lambda: store.stopping(lease, reason=None),
        "finish": lambda: store.finish(lease, SUCCESS),
        "release": lambda: store.release(lease),
        "leases": store.leases,
        "reap": lambda: store.reap(lease),
    }


@pytest.fixture
def postgresql(postgres_server: PostgresServer, postgres_template: str) -> Iterator[Engine]:
    engine = open_database(postgres_server.create_database(postgres_template))
    yield engine
    engine.dispose()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_postgresql_goes_and_comes_back(
    mode: str, postgresql: Engine, postgres_server: PostgresServer
) -> None:
    store = SqlJobStore(postgresql)
    lease = running(store, idempotency_key="k")
    before = store.get(lease.job_id)
    calls = verbs(store, lease.job_id)
    with store.subscribe() as subscription:
        postgres_server.stop(mode)  # type: ignore[arg-type]
        try:
            for name, call in calls.items():
                with pytest.raises(StorageError) as caught:
                    call()
                assert caught.value.remedy, name
            started = time.monotonic()
            assert subscription.wait(0.6) == frozenset()
            assert time.monotonic() - started >= 0.5, "it waits, it does not spin"
            with store.subscribe() as second:
                assert second.wait(0.1) == frozenset()
        finally:
            postgres_server.start()
        assert store.get(lease.job_id) == before
        assert subscription.wait(5.0) == {"queued", "stop"}, "whatever was told meanwhile is news"
        assert subscription.wait(0.2) == frozenset()
        store.request_stop(lease.job_id)
        assert "stop" in subscription.wait(5.0)
    assert not store.submit(request(idempotency_key="k")).created


def test_what_was_accepted_survives_a_crash(postgresql: Engine, postgres_server: PostgresServer) -> None:
    store = SqlJobStore(postgresql)
    accepted: list[str] = []
    crashed = threading.Event()

    def submit(name: str) -> None:
        number = 0
        while not crashed.is_set():
            number += 1
            try:
                job = store.submit(request(number, idempotency_key=f"{name}-{number}")).job
            except StorageError:
                return
            accepted.append(job.id)

    threads = [threading.Thread(target=submit, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    while len(accepted) < 60:
        time.sleep(0.005)
    postgres_server.stop("immediate")
    crashed.set()
    for thread in threads:
        thread.join()
    postgres_server.start()
    kept = {job.id for job in store.find(limit=10_000).jobs}
    assert set(accepted) <= kept
    # The answer to a commit can be lost, never more than one for each who submitted.
    assert len(kept) - len(accepted) <= 3
    for job_id in accepted[-5:]:
        assert [event.seq for event in store.events(job_id)] == [1]


def test_a_session_that_is_thrown_out_is_replaced(
    postgresql: Engine, postgres_server: PostgresServer
) -> None:
    store = SqlJobStore(postgresql)
    lease = running(store)
    with store.subscribe() as subscription:
        for _ in range(2):
            postgres_server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                f"AND datname = '{postgresql.url.database}'"
            )
            assert store.renew("owner-1").held == {lease.job_id: 1}
            assert subscription.wait(5.0) == {"queued", "stop"}


def test_listening_takes_no_place_in_the_pool(postgresql: Engine) -> None:
    store = SqlJobStore(postgresql)
    with store.subscribe(), store.subscribe():
        assert postgresql.pool.checkedout() == 0  # type: ignore[attr-defined]
    store.submit(request())


def test_sqlite_that_is_locked_refuses_writers_only(tmp_path: Path, sqlite_template: Path) -> None:
    (tmp_path / "onward.db").write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{tmp_path}/onward.db"
    engine, other = open_database(url, busy_timeout_seconds=0.05), open_database(url)
    store = SqlJobStore(engine)
    lease = running(store)
    store.submit(request(1))
    before = store.get(lease.job_id)
    readers = {"get", "find", "events", "counts", "leases"}
    with writing(other):
        for name, call in verbs(store, lease.job_id).items():
            if name in readers:
                call()
            else:
                with pytest.raises(StorageError, match="locked"):
                    call()
    assert store.get(lease.job_id) == before
    assert store.finish(lease, SUCCESS)
    engine.dispose()
    other.dispose()


def test_news_of_another_process_is_heard(database_url: str, database: Engine) -> None:
    # A store of its own knows nothing of the other's bell: it is as far away as another process.
    elsewhere = open_database(database_url)
    there, here = SqlJobStore(elsewhere), SqlJobStore(database, poll_seconds=0.02)
    with here.subscribe() as subscription:
        lease = attempt(there)
        subscription.wait(0.2)
        assert there.renew("owner-1").held
        assert there.report(lease, [("progress", {"done": 1})])
        assert subscription.wait(0.2) == frozenset(), "heartbeats and progress are no news"
        there.request_stop(lease.job_id)
        assert subscription.wait(5.0) == {"stop"}
        started = time.monotonic()
        there.submit(request(1))
        assert subscription.wait(5.0) == {"queued"}
        assert time.monotonic() - started < 1.0
    elsewhere.dispose()
