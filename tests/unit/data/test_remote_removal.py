"""Rows of a store that hosts share go whole: who was overtaken looks again, nothing is left lying."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onward.data.repositories import remote_removing
from onward.data.repositories.remote import RemoteCandleRepository, RemoteDataStore
from onward.data.repositories.shelf import Shelf
from onward.errors import DataConflictError, DataNotFoundError, NotEnoughDataError
from onward.storage import LocalCopies, S3Store
from onward.testing.object_server import ObjectServer
from onward.testing.repositories import rows_of

SYMBOL = "BTC/USDT"
ROWS = rows_of("candles", 96)
PART = {"start": ROWS["timestamp"].iloc[10], "end": ROWS["timestamp"].iloc[20]}


class World:
    """Two hosts and what they share."""

    def __init__(self, server: ObjectServer, directory: Path) -> None:
        options = server.options(patience_seconds=2.0)
        self.objects = S3Store(options)
        copies = [LocalCopies(directory / name / "copies") for name in "ab"]
        self.shelves = [Shelf(S3Store(options), one, directory / f"data-{i}") for i, one in enumerate(copies)]
        self.here, self.there = (RemoteCandleRepository(shelf, "1h") for shelf in self.shelves)
        self.here.upsert(SYMBOL, ROWS)

    def files(self) -> int:
        return sum(info.name.endswith(".parquet") for info in self.objects.list("data/"))


@pytest.fixture
def world(object_server: ObjectServer, tmp_path: Path) -> World:
    return World(object_server, tmp_path)


def test_a_series_that_is_gone_is_gone_for_every_host(world: World) -> None:
    assert len(world.there.read(SYMBOL)) == 96
    assert world.here.remove(SYMBOL).rows == 96
    assert (world.there.symbols(), len(world.there.read(SYMBOL)), world.files()) == ([], 0, 0)
    assert RemoteDataStore(world.shelves[1]).timeframes() == []
    with pytest.raises(DataNotFoundError):
        world.there.remove(SYMBOL)
    assert world.there.upsert(SYMBOL, ROWS[:5]).added == 5
    assert len(world.here.read(SYMBOL)) == 5


def test_who_is_overtaken_removes_of_what_the_other_wrote(world: World) -> None:
    with world.here.prepare_removal(SYMBOL, **PART) as prepared:
        before = prepared.report
        world.there.upsert(SYMBOL, rows_of("candles", 120))
        prepared.swap()
    assert (before.left, prepared.report.left, prepared.report.rows) == (86, 110, 10)
    assert len(world.there.read(SYMBOL)) == 110
    with world.here.prepare_removal(SYMBOL) as prepared:
        world.there.remove(SYMBOL, **{**PART, "end": None})
        prepared.swap()
    assert (prepared.report.rows, world.here.symbols()) == (10, [])


def test_who_is_overtaken_gives_up_where_he_is_bound_to_what_he_saw(world: World) -> None:
    seen = world.here.removal(SYMBOL).state
    with world.here.prepare_removal(SYMBOL, **PART, seen=seen) as prepared:
        world.there.upsert(SYMBOL, rows_of("candles", 120))
        with pytest.raises(DataConflictError, match="changed since"):
            prepared.swap()
    assert len(world.here.read(SYMBOL)) == 120


def test_rows_that_somebody_else_removed_first_are_not_removed_twice(world: World) -> None:
    with world.here.prepare_removal(SYMBOL, **PART) as prepared:
        world.there.remove(SYMBOL, **PART)
        with pytest.raises(NotEnoughDataError):
            prepared.swap()
    assert len(world.here.read(SYMBOL)) == 86


def test_a_removal_that_nobody_lets_through_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_removing, "SWITCH_ATTEMPTS", 2)
    monkeypatch.setattr(world.shelves[0], "switch", lambda *_: None)
    before = world.files()
    with pytest.raises(DataConflictError, match="do not let this removal through"):
        world.here.remove(SYMBOL, **PART)
    assert (world.files(), len(world.there.read(SYMBOL))) == (before, 96)


def test_a_reader_in_the_middle_of_a_removal_sees_one_state(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest that he read names files that are gone when he comes to fetch them."""
    state, calls = world.shelves[1].state, []

    def overtaken(place: Path) -> Any:
        known = state(place)
        if not calls:
            calls.append(place)
            world.here.remove(SYMBOL)
        return known

    monkeypatch.setattr(world.shelves[1], "state", overtaken)
    assert len(world.there.read(SYMBOL)) == 0
