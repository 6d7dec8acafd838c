"""Series are removed beside imports: what a dead server left is decided first, who lives is waited for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from onward.access.store import SqlAccessStore
from onward.data.repositories import DataStore, removing
from onward.data.repositories.part import SeriesPart
from onward.database import open_database
from onward.errors import (
    DataConflictError,
    DataError,
    DataNotFoundError,
    SeriesError,
    StorageError,
    TimeframeError,
)
from onward.jobs.values import Job, JobRequest
from onward.registry import EmbeddedRegistry
from onward.tasks.merging import IMPORTS, PendingMerge, mend
from onward.tasks.removing import SeriesRemover
from onward.testing.registry import Workshop
from onward.testing.repositories import rows_of
from tests.unit.server.memory import MemoryJobStore

SYMBOL = "BTC/USD"
ROWS = rows_of("candles", 96)


class House:
    """Stored candles and funding, two models, jobs in memory, an audit log."""

    def __init__(self, directory: Path, engine: Engine) -> None:
        self.directory = directory
        self.store = DataStore(directory / "data")
        self.store.candles("1h").upsert(SYMBOL, ROWS[:60])
        self.store.funding.upsert(SYMBOL, rows_of("funding", 60))
        self.jobs = MemoryJobStore()
        self.access = SqlAccessStore(engine)
        (directory / "workshop").mkdir()
        workshop = Workshop(directory / "workshop")
        self.registry = EmbeddedRegistry(engine, directory / "models")
        for _ in range(2):
            self.registry.publish(workshop.bundle())
        self.registry.set_alias("btc-1h", "champion", 1)
        self.remover = SeriesRemover(self.store, lambda: self.registry, self.jobs, self.access)  # type: ignore[arg-type]

    @property
    def stored(self) -> int:
        return len(self.store.candles("1h").read(SYMBOL))

    def publish(self, state: Any = "running") -> tuple[Job, PendingMerge]:
        """Bring an import of all rows to where they are visible, and its job into a state."""
        job = self.jobs.submit(JobRequest("import", {"files": []})).job
        job = self.jobs.jobs[job.id] = replace(job, state=state, attempt=1)
        staged = self.directory / "staged"
        DataStore(staged).candles("1h").upsert(SYMBOL, ROWS)
        merge = PendingMerge.prepare(job, staged, self.store)
        merge.swap()
        return job, merge

    def told(self) -> list[tuple[str, str, Any]]:
        entries = self.access.log(action="data.remove").entries
        return [(e.subject, e.outcome, e.detail.get("rows")) for e in reversed(entries)]


@pytest.fixture
def engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(sqlite_template, tmp_path / "onward.db")
    engine = open_database(f"sqlite:///{tmp_path}/onward.db")
    yield engine
    engine.dispose()


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> House:
    return House(tmp_path, engine)


def test_what_would_go_is_told_and_then_goes(house: House) -> None:
    look = house.remover.look("candles", SYMBOL)
    (model,) = look.models
    assert (model.name, model.versions, model.aliases) == ("btc-1h", (1, 2), ("champion",))
    assert (look.report.rows, look.imports, house.stored, house.told()) == (60, (), 60, [])
    gone = house.remover.remove("candles", SYMBOL, seen=look.report.state)
    assert (gone, house.stored) == (look, 0)
    assert house.told() == [("candles BTC/USD 1h", "done", 60)]
    part = house.remover.remove("funding", SYMBOL, timerange=f"{int(ROWS['timestamp'][50].timestamp())}-")
    assert (part.report.rows, part.report.left) == (10, 50)
    assert part.models == (), "these models were trained without funding"


@pytest.mark.parametrize(
    ("asked", "named", "kind"),
    [
        (("prices", SYMBOL), {}, SeriesError),
        (("candles", "BTC/EUR"), {}, DataNotFoundError),
        (("candles", ""), {}, DataNotFoundError),
        (("candles", SYMBOL), {"timeframe": "1d"}, DataNotFoundError),
        (("candles", SYMBOL), {"timeframe": "soon"}, TimeframeError),
        (("funding", SYMBOL), {"timeframe": "1h"}, TimeframeError),
        (("funding", ""), {}, DataNotFoundError),
        (("candles", SYMBOL), {"timerange": "20200102-20200101"}, DataError),
        (("candles", SYMBOL), {"timerange": "20400101-"}, DataError),
        (("candles", SYMBOL), {"timerange": "tomorrow"}, DataError),
        (("candles", SYMBOL), {"timerange": "-"}, DataError),
        (("candles", SYMBOL), {"timerange": " "}, DataError),
    ],
)
def test_what_is_not_there_is_refused(
    house: House, asked: tuple[str, str], named: dict[str, str], kind: type[DataError]
) -> None:
    for verb in (house.remover.look, house.remover.remove):
        with pytest.raises(kind) as caught:
            verb(*asked, **named)
        assert caught.value.got is not None
    assert (house.stored, house.told()) == (60, [])


def test_candles_of_two_timeframes_are_told_apart(house: House) -> None:
    days = ROWS[:5].assign(timestamp=pd.date_range("2020-01-01", periods=5, freq="D", tz="UTC"))
    house.store.candles("1d").upsert(SYMBOL, days)
    with pytest.raises(TimeframeError, match="several timeframes") as caught:
        house.remover.remove("candles", SYMBOL)
    assert caught.value.allowed == "1h, 1d"
    assert house.remover.remove("candles", SYMBOL, timeframe="60m").report.timeframe == "1h"
    assert house.remover.look("candles", SYMBOL).report.timeframe == "1d"


def test_rows_that_a_dead_server_committed_do_not_come_back(house: House) -> None:
    job, merge = house.publish()
    house.jobs.end(job.id)
    merge.leave()  # it died before it could tidy up
    assert house.remover.remove("candles", SYMBOL).report.rows == 96
    mend(house.store, house.jobs.get)
    assert house.stored == 0
    assert not list((house.store.root / IMPORTS).iterdir())


@pytest.mark.parametrize("alive", [True, False])
def test_an_import_that_stores_the_series_keeps_it(house: House, alive: bool) -> None:
    job, merge = house.publish()
    if not alive:
        merge.leave()
    with pytest.raises(DataConflictError, match=job.id):
        house.remover.remove("candles", SYMBOL)
    assert house.remover.remove("funding", SYMBOL).report.left == 0, "it stores no funding"
    if alive:
        merge.settle()
    house.jobs.end(job.id)
    assert house.remover.remove("candles", SYMBOL).report.rows == 96


def test_an_import_that_comes_at_the_last_moment_is_not_overrun(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has staged its rows, and waits for the lock that the removal holds."""
    prepare = removing.Removing.prepare_removal

    def meanwhile(self: Any, *arguments: Any, **named: Any) -> Any:
        prepared = prepare(self, *arguments, **named)
        job = house.jobs.submit(JobRequest("import", {"files": []})).job
        DataStore(house.store.root / IMPORTS / f"{job.id}-1" / "rows").candles("1h").upsert(SYMBOL, ROWS)
        return prepared

    monkeypatch.setattr(removing.Removing, "prepare_removal", meanwhile)
    with pytest.raises(DataConflictError, match="being stored"):
        house.remover.remove("candles", SYMBOL)
    assert (house.stored, house.told()) == (60, [])
    assert house.store.candles("1h").upsert(SYMBOL, ROWS).added == 36, "the lock is free again"


def test_rows_of_a_job_that_nobody_knows_do_not_stand_in_the_way(house: House) -> None:
    job, merge = house.publish()
    merge.leave()
    del house.jobs.jobs[job.id]
    assert house.remover.remove("candles", SYMBOL).report.rows == 60, "its rows were never decided upon"
    assert house.stored == 0


def test_imports_that_may_bring_rows_back_are_named(house: House) -> None:
    for spec in ({"symbol": SYMBOL}, {"symbol": "ETH/USD"}, {"symbol": None, "timeframe": "1d"}, {}):
        house.jobs.submit(JobRequest("import", {"files": [], **spec}))
    assert set(house.remover.look("candles", SYMBOL).imports) == {"0001", "0004"}
    assert set(house.remover.look("funding", SYMBOL).imports) == {"0001", "0003", "0004"}


def test_a_series_that_changed_since_it_was_seen_stays(house: House) -> None:
    seen = house.remover.look("candles", SYMBOL).report.state
    house.store.candles("1h").upsert(SYMBOL, ROWS)
    with pytest.raises(DataConflictError, match="changed since"):
        house.remover.remove("candles", SYMBOL, seen=seen)
    assert (house.stored, house.told()) == (96, [])


def test_a_refusal_at_the_last_moment_is_told_as_well(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        raise StorageError("The disk refused")

    monkeypatch.setattr(removing.FileRemoval, "swap", refuse)
    with pytest.raises(StorageError):
        house.remover.remove("candles", SYMBOL)
    assert [outcome for _, outcome, _ in house.told()] == ["done", "refused"]
    assert house.stored == 60


def test_a_part_is_called_as_the_list_calls_it(house: House) -> None:
    assert str(SeriesPart.of(house.store, "candles", SYMBOL)) == "candles BTC/USD 1h"
    house.store.fear_greed.upsert("", rows_of("fear_greed", 9))
    assert str(SeriesPart.of(house.store, "fear_greed", "")) == "fear_greed (every symbol)"
