"""A run of each fault on the scale of seconds; the full counts are `make faults`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.rows import ROWS, Row
from tests.faults.runner import Databases, run

SCALE = 0.07
SEED = 20_260_101
OFTEN = {  # the rest of the matrix costs more than a look in every build is worth
    "kill -9 server mid-training": "postgresql",
    "kill -9 server at started:after": "postgresql",
    "kill -9 server at finish:inside": "sqlite",
    "kill -9 warden": "postgresql",
    "setsid and double fork, then stop": "sqlite",
    "suspended worker, deaf child, then stop": "postgresql",
    # on SQLite the suspended server may hold the one writer's place (docs/reliability.md)
    "SIGSTOP server right before it publishes": "postgresql",
    "SQLite writer locked 20 s": "sqlite",
}
MATRIX = [(row, kind) for row in ROWS for kind in row.databases if not row.production]


def name(pair: tuple[Row, str]) -> str:
    return f"{pair[0].name} ({pair[1]})"


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    with Databases() as databases:
        yield databases


@pytest.mark.parametrize("pair", [p for p in MATRIX if OFTEN.get(p[0].name) == p[1]], ids=name)
def test_often(pair: tuple[Row, str], databases: Databases) -> None:
    assert run(*pair, databases, scale=SCALE, seed=SEED)["violations"] == []


@pytest.mark.faults
@pytest.mark.parametrize("pair", [p for p in MATRIX if OFTEN.get(p[0].name) != p[1]], ids=name)
def test_the_rest(pair: tuple[Row, str], databases: Databases) -> None:
    assert run(*pair, databases, scale=0.1, seed=SEED)["violations"] == []
