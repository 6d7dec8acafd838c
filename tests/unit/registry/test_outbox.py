"""What the end of a job promised is kept: once, in order, and only where the bundle lies."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from onward.database.tables import registry_outbox
from onward.database.transactions import reading, writing
from onward.errors import RegistryConflictError, StorageError
from onward.registry import PlacedBundle, Posting, Version
from onward.registry.mlflow import Outbox
from onward.registry.placement import Placement
from onward.testing.registry import Workshop

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Elsewhere:
    """A registry that takes bundles, or refuses them."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.refusal = refusal
        self.taken: list[tuple[str, Posting]] = []

    def __call__(self, placed: PlacedBundle, posting: Posting) -> Version:
        if self.refusal is not None:
            raise self.refusal
        self.taken.append((placed.name, posting))
        manifest = placed.manifest
        return Version(placed.name, len(self.taken), manifest.digest, placed.directory, manifest, NOW)


def post(outbox: Outbox, database: Engine, shop: Workshop, name: str, *, minutes: int = 0) -> PlacedBundle:
    placed = outbox.place(shop.bundle(name), name)
    with writing(database) as connection:
        outbox.post(
            connection, placed, Posting(f"job-{name}", "champion", "ann"), NOW + timedelta(minutes=minutes)
        )
    return placed


def test_a_promise_is_kept_once_and_its_bundle_goes(database: Engine, tmp_path: Path) -> None:
    outbox, shop, elsewhere = Outbox(database, Placement(tmp_path / "box")), Workshop(tmp_path), Elsewhere()
    second = post(outbox, database, shop, "second", minutes=1)
    first = post(outbox, database, shop, "first")
    assert [letter.name for letter in outbox.waiting()] == ["first", "second"]
    assert [version.name for version in outbox.deliver(elsewhere)] == ["first", "second"]
    assert elsewhere.taken[0] == ("first", Posting("job-first", "champion", "ann"))
    assert outbox.waiting() == ()
    assert outbox.deliver(elsewhere) == ()
    assert not first.directory.exists()
    assert not second.directory.exists()


def test_a_transaction_that_fails_promises_nothing(database: Engine, tmp_path: Path) -> None:
    outbox, shop = Outbox(database, Placement(tmp_path / "box")), Workshop(tmp_path)
    placed = outbox.place(shop.bundle("lost"), "lost")

    def interrupted() -> None:
        with writing(database) as connection:
            outbox.post(connection, placed, Posting("job"), NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert outbox.waiting() == ()
    outbox.sweep(datetime.now(UTC) - timedelta(hours=1))
    assert placed.directory.exists()
    assert outbox.sweep(datetime.now(UTC) + timedelta(hours=1)) == (placed.directory,)
    assert not placed.directory.exists()


def test_a_job_promises_one_model(database: Engine, tmp_path: Path) -> None:
    outbox, shop = Outbox(database, Placement(tmp_path / "box")), Workshop(tmp_path)
    placed = post(outbox, database, shop, "once")
    with pytest.raises((IntegrityError, StorageError)), writing(database) as connection:
        outbox.post(connection, placed, Posting("job-once"), NOW)
    shutil.rmtree(placed.directory)
    with pytest.raises(StorageError, match="gone"), writing(database) as connection:
        outbox.post(connection, placed, Posting("job-twice"), NOW)


def test_what_is_refused_stays_with_its_reason_and_keeps_no_other_waiting(
    database: Engine, tmp_path: Path
) -> None:
    outbox, shop = Outbox(database, Placement(tmp_path / "box")), Workshop(tmp_path)
    for minutes, name in enumerate(("one", "two")):
        post(outbox, database, shop, name, minutes=minutes)
    assert outbox.deliver(Elsewhere(RegistryConflictError("not this one"))) == ()
    assert [(letter.attempts, letter.error) for letter in outbox.waiting()] == [(1, "not this one")] * 2
    # Away: the second would wait as long for nothing.
    assert outbox.deliver(Elsewhere(StorageError("away"))) == ()
    assert [letter.attempts for letter in outbox.waiting()] == [2, 1]
    assert len(outbox.deliver(Elsewhere())) == 2


def test_a_bundle_that_waits_on_another_host_is_left_to_it(database: Engine, tmp_path: Path) -> None:
    here, shop = Outbox(database, Placement(tmp_path / "here")), Workshop(tmp_path)
    post(here, database, shop, "theirs")
    there, elsewhere = Outbox(database, Placement(tmp_path / "there")), Elsewhere()
    assert there.deliver(elsewhere) == ()
    with reading(database) as connection:
        assert connection.execute(select(registry_outbox.c.attempts)).scalars().all() == [0]
    assert len(here.deliver(elsewhere)) == 1
