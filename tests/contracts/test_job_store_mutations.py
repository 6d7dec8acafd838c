"""The contract notices when a guard is missing: each is taken out, and the suite must fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, true

from onward.jobs.store import SqlJobStore, claims, fence, sql_store
from onward.testing.job_store import claiming, losing, owning
from onward.testing.jobs import Check
from onward.testing.postgres import PostgresServer


def fails(check: Check, make_store: Callable[[], SqlJobStore], tries: int = 1) -> bool:
    """Return whether a check fails at least once; races need not come about at the first try."""
    for _ in range(tries):
        try:
            check(make_store())
        except AssertionError:
            return True
    return False


@pytest.fixture
def make_store(
    postgres_server: PostgresServer, postgres_template: str, request: pytest.FixtureRequest
) -> Callable[[], SqlJobStore]:
    from onward.database import open_database

    def make() -> SqlJobStore:
        engine = open_database(postgres_server.create_database(postgres_template))
        request.addfinalizer(engine.dispose)
        return SqlJobStore(engine)

    return make


def test_without_the_attempt_guard(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "is_current_attempt", lambda lease: true())
    assert fails(owning.writes_of_a_former_attempt_change_nothing, lambda: SqlJobStore(database))


def test_without_the_heartbeat_guard(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_store, "unchanged", fence.held_by)
    assert fails(losing.a_sign_of_life_saves_from_the_reaper, lambda: SqlJobStore(database))


def test_without_locking_what_is_claimed(
    make_store: Callable[[], SqlJobStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "locked", lambda query: query)
    assert fails(claiming.no_job_is_claimed_twice, make_store, tries=5)


def test_without_counting_one_after_the_other(
    make_store: Callable[[], SqlJobStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "exclusive", lambda connection, key: None)
    assert fails(claiming.the_global_limit_holds_when_all_claim_at_once, make_store, tries=10)
