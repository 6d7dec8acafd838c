"""Aliases and deletions are told to the audit log, by whoever did them, or not done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from onward.access.store import SqlAccessStore
from onward.database import open_database, writing
from onward.database.acting import Actor, acting
from onward.errors import RegistryError
from onward.jobs.store import SqlJobStore
from onward.jobs.values import JobRequest
from onward.registry import EmbeddedRegistry
from onward.testing.registry import Workshop


@pytest.fixture
def engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(sqlite_template, tmp_path / "onward.db")
    engine = open_database(f"sqlite:///{tmp_path}/onward.db")
    yield engine
    engine.dispose()


@pytest.fixture
def registry(engine: Engine, tmp_path: Path) -> EmbeddedRegistry:
    (tmp_path / "workshop").mkdir()
    workshop = Workshop(tmp_path / "workshop")
    registry = EmbeddedRegistry(engine, tmp_path / "models")
    for _ in range(3):
        registry.publish(workshop.bundle())
    return registry


def told(engine: Engine) -> list[tuple[str, str, str, Any]]:
    entries = SqlAccessStore(engine).log().entries
    return [(e.who, e.action, e.subject, e.detail.get("version")) for e in reversed(entries)]


def test_every_change_is_told_by_name(engine: Engine, registry: EmbeddedRegistry) -> None:
    with acting(Actor("key:0123456789", "ann", "203.0.113.9")):
        registry.set_alias("btc-1h", "champion", 1)
        registry.set_alias("btc-1h", "champion", 2)
        registry.set_alias("btc-1h", "champion", 2)
        registry.rollback("btc-1h", "champion")
        registry.delete("models:/btc-1h/2")
        registry.delete_alias("btc-1h", "champion", "bob", "no longer used")
        registry.cleanup("btc-1h", max_versions=1, dry_run=True)
    registry.cleanup("btc-1h", max_versions=1)
    ann = "key:0123456789"
    assert told(engine) == [
        (ann, "alias.set", "btc-1h@champion", 1),
        (ann, "alias.set", "btc-1h@champion", 2),
        (ann, "alias.rollback", "btc-1h@champion", 1),
        (ann, "model.delete", "models:/btc-1h/2", None),
        (ann, "alias.delete", "btc-1h@champion", None),
        ("local", "model.delete", "models:/btc-1h/1", None),
    ]
    deleted = SqlAccessStore(engine).log(action="alias.delete").entries[0]
    assert (deleted.name, deleted.address) == ("ann", "203.0.113.9")
    assert (deleted.detail["actor"], deleted.detail["reason"]) == ("bob", "no longer used")


def test_what_is_refused_changes_nothing_and_tells_nothing(
    engine: Engine, registry: EmbeddedRegistry
) -> None:
    registry.set_alias("btc-1h", "champion", 1)
    before = told(engine)
    for refused in (
        lambda: registry.set_alias("btc-1h", "champion", 99),
        lambda: registry.rollback("btc-1h", "champion"),
        lambda: registry.delete("models:/btc-1h/1"),
    ):
        with pytest.raises(RegistryError):
            refused()
    assert told(engine) == before


def test_a_change_that_cannot_be_told_is_not_made(engine: Engine, registry: EmbeddedRegistry) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE audit_log")
    for change in (
        lambda: registry.set_alias("btc-1h", "champion", 1),
        lambda: registry.delete("models:/btc-1h/1"),
    ):
        with pytest.raises(Exception, match="audit_log"):
            change()
    assert [version.number for version in registry.list_versions("btc-1h")] == [3, 2, 1]
    assert registry.alias_history("btc-1h") == ()


def test_deleted_jobs_are_told(engine: Engine) -> None:
    store = SqlJobStore(engine)
    jobs = [store.submit(JobRequest("train", {})).job.id for _ in range(3)]
    for job in jobs:
        store.request_stop(job)
    store.delete(jobs[0])
    store.prune(before=datetime.now(UTC) + timedelta(hours=1))
    store.prune(before=datetime.now(UTC) + timedelta(hours=1))
    entries = SqlAccessStore(engine).log().entries[::-1]
    assert [(e.action, e.subject) for e in entries] == [("job.delete", jobs[0]), ("jobs.prune", "")]
    assert (entries[0].detail["kind"], entries[1].detail["jobs"]) == ("train", 2)
