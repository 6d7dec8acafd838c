"""An import is whole or not there, wherever its server is killed (kill -9 of a real process)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from onward.data.repositories import DataStore
from onward.tasks.merging import IMPORTS
from onward.wiring import Application
from tests.integration.jobs.dying_importer import POINTS, application_of, publish

SYMBOLS = ["AAA/USD", "BBB/USD"]
COMMITTED = ["committed", "half settled", "settled"]
UNDECIDED = [point for point in POINTS if point not in COMMITTED]


def bars(start: str, n: int, price: float) -> pd.DataFrame:
    times = pd.date_range(start, periods=n, freq="1h", tz="UTC")
    return pd.DataFrame(
        {"timestamp": times, "open": price, "high": price, "low": price, "close": price, "volume": 1.0}
    )


@dataclass
class Scene:
    """A home whose server was killed while it published an import of two symbols.

    AAA was stored before, over a year's end; BBB is new.
    """

    home: Path
    rows: Path

    @property
    def data(self) -> DataStore:
        return DataStore(self.home / "data")

    def stored(self) -> dict[str, int]:
        candles = self.data.candles("1h")
        return {symbol: len(candles.read(symbol)) for symbol in candles.symbols()}


BEFORE = {"AAA/USD": 30}
MEANWHILE = 0
ALL = {"AAA/USD": 65, "BBB/USD": 40}
AFTER = {"AAA/USD": 60, "BBB/USD": 40}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Scene]:
    root = tmp_path_factory.mktemp("merging")
    staged = DataStore(root / "rows").candles("1h")
    staged.upsert("AAA/USD", bars("2023-12-31", 50, 10.0))
    staged.upsert("BBB/USD", bars("2023-12-31", 40, 20.0))
    made, orders = {}, []
    wanted = [(point, 1) for point in POINTS] + [(point, 2) for point in UNDECIDED]
    for point, attempts in [*wanted, ("half visible", MEANWHILE), ("committed", MEANWHILE)]:
        home = root / f"{point} {attempts}"
        scene = Scene(home, root / "rows")
        scene.data.candles("1h").upsert("AAA/USD", bars("2023-12-30 14:00", 30, 10.0))
        made[point, attempts] = scene
        order = {"home": str(home), "rows": str(scene.rows), "point": point}
        orders.append({**order, "attempts": max(1, attempts)})
    subprocess.run(
        [sys.executable, "-m", "tests.integration.jobs.dying_importer", json.dumps(orders)],
        check=True,
        cwd=Path(__file__).parents[3],
    )
    return made


@pytest.fixture
def servers() -> Iterator[list[Application]]:
    servers: list[Application] = []
    yield servers
    for server in servers:
        server.close()


def take_over(scene: Scene, servers: list[Application]) -> Application:
    """Do what another server does about a silent one, as far as this needs no waiting."""
    server = application_of(scene.home)
    servers.append(server)
    for lease in server.job_store.leases():
        ended = server.job_store.reap(lease)
        assert ended is not None
        if ended.finished_at is not None:
            kind_of(server).ended(ended)
    return server


def kind_of(server: Application):  # type: ignore[no-untyped-def]
    return next(kind for kind in server.job_kinds if kind.name == "import")


def nothing_is_left(scene: Scene) -> bool:
    left = [path.name for path in scene.data.root.rglob("*") if path.name.startswith("manifest.")]
    return set(left) == {"manifest.json"} and not list((scene.data.root / IMPORTS).glob("*"))


@pytest.mark.parametrize("point", UNDECIDED)
def test_an_import_that_is_given_up_leaves_nothing(
    scenes: dict[tuple[str, int], Scene], servers: list[Application], point: str
) -> None:
    scene = scenes[point, 1]
    server = take_over(scene, servers)
    (job,) = server.job_store.find().jobs
    assert (job.state, job.reason) == ("failed", "worker_lost")
    assert scene.stored() == BEFORE
    assert nothing_is_left(scene)


@pytest.mark.parametrize("point", UNDECIDED)
def test_the_next_attempt_makes_an_import_whole(
    scenes: dict[tuple[str, int], Scene], servers: list[Application], point: str
) -> None:
    scene = scenes[point, 2]
    server = take_over(scene, servers)
    job = publish(server, scene.rows, 2)
    assert (job.state, job.attempt) == ("succeeded", 2)
    assert job.result is not None
    assert [report["added"] for report in job.result["stored"]] == [30, 40], "as if the first had not been"
    assert scene.stored() == AFTER
    assert nothing_is_left(scene)


@pytest.mark.parametrize("point", COMMITTED)
def test_an_import_that_succeeded_is_not_lost(
    scenes: dict[tuple[str, int], Scene], servers: list[Application], point: str
) -> None:
    scene = scenes[point, 1]
    server = take_over(scene, servers)
    (job,) = server.job_store.find().jobs
    assert job.state == "succeeded"
    for _ in range(2):
        kind_of(server).mend(server.job_store.get)
        assert scene.stored() == AFTER
    assert nothing_is_left(scene)


@pytest.mark.parametrize(("point", "in_the_end"), [("half visible", {"AAA/USD": 35}), ("committed", ALL)])
def test_who_writes_meanwhile_builds_upon_nothing_undecided(
    scenes: dict[tuple[str, int], Scene],
    servers: list[Application],
    point: str,
    in_the_end: dict[str, int],
) -> None:
    scene = scenes[point, MEANWHILE]
    scene.data.candles("1h").upsert("AAA/USD", bars("2024-01-10", 5, 10.0))
    assert scene.stored()["AAA/USD"] == 35
    server = take_over(scene, servers)
    kind_of(server).mend(server.job_store.get)
    assert scene.stored() == in_the_end
    assert nothing_is_left(scene)
