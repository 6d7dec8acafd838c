"""A run of each fault on the scale of seconds; the full counts are `make faults`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.grounds import Grounds
from tests.faults.matrix import MATRIX
from tests.faults.row import Row
from tests.faults.runner import run

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
PAIRS = [(row, kind) for row in MATRIX for kind in row.databases if not (row.production or row.namespace)]


def name(pair: tuple[Row, str]) -> str:
    return f"{pair[0].name} ({pair[1]})"


@pytest.fixture(scope="module")
def grounds() -> Iterator[Grounds]:
    with Grounds() as grounds:
        yield grounds


@pytest.mark.parametrize("pair", [p for p in PAIRS if OFTEN.get(p[0].name) == p[1]], ids=name)
def test_often(pair: tuple[Row, str], grounds: Grounds) -> None:
    assert run(*pair, grounds, scale=SCALE, seed=SEED, generous=True)["violations"] == []


@pytest.mark.faults
@pytest.mark.parametrize("pair", [p for p in PAIRS if OFTEN.get(p[0].name) != p[1]], ids=name)
def test_the_rest(pair: tuple[Row, str], grounds: Grounds) -> None:
    if reason := pair[0].missing():
        pytest.skip(reason)
    assert run(*pair, grounds, scale=0.1, seed=SEED, generous=True)["violations"] == []
