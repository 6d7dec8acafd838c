"""The invariants notice when a guard is missing: a product without it must not pass."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from onward.jobs.local.processes import find
from onward.testing.job_backends import living
from tests.faults.grounds import Grounds
from tests.faults.row import Row
from tests.faults.runner import run
from tests.faults.weakened import GUARDS
from tests.faults.world import World


@pytest.fixture(scope="module")
def grounds() -> Iterator[Grounds]:
    with Grounds() as grounds:
        yield grounds


def found(scenario: Callable[[World], None], kind: str, grounds: Grounds, scale: float) -> list[str]:
    result = run(Row("weakened", scenario, 1), kind, grounds, scale=scale, seed=1, generous=True)
    return [str(violation).partition("\n")[0] for violation in result["violations"]]


def paused(without: str | None) -> Callable[[World], None]:
    """Return a server that is suspended right before it publishes, until somebody else is at it."""

    def scenario(world: World) -> None:
        server = world.serve(without=without, crash="finish:before:stop")
        job_id = world.submit("publish", {"seconds": 1.5})
        world.until(job_id, "running")
        world.serve()
        world.until(job_id, "running", attempt=2)
        server.signal(signal.SIGCONT)
        world.until(job_id, "succeeded")
        time.sleep(0.5)

    return scenario


def crowd(without: str | None) -> Callable[[World], None]:
    """Return several servers that reach for the same jobs."""

    def scenario(world: World) -> None:
        ids = [world.submit("quick") for _ in range(40)]
        for server in [world.launch(without=without, concurrency=4, poll_seconds=0.02) for _ in range(3)]:
            server.ready()
        for job_id in ids:
            job = world.until(job_id, "succeeded", "failed", patience=20.0)
            assert job.attempt == 1, "claimed twice"

    return scenario


def orphaned(without: str | None) -> Callable[[World], None]:
    """Return a server that is killed while somebody who escaped works for it."""

    def scenario(world: World) -> None:
        server = world.serve(without=without)
        job_id = world.submit("escape")
        pids = world.at_work(job_id, 2)
        worker = world.job(job_id).identity
        assert worker is not None
        warden = find(worker.pid)
        killed = server.kill()
        try:
            left = [pid for pid in pids if not _gone(world, [pid], killed)]
            assert not left, f"server dead, processes gone: {len(left)} of {len(pids)} are not"
        finally:
            for pid in (*living(pids), *([warden.parent] if warden else [])):
                if pid != 1:
                    os.kill(pid, signal.SIGKILL)

    return scenario


def _gone(world: World, pids: list[int], since: float) -> bool:
    try:
        world.gone(pids, since, 2.0)
    except AssertionError:
        return False
    return True


SCENARIOS = {
    "attempt_guard": (paused, "sqlite", 0.03, "I3"),
    "claim_lock": (crowd, "postgresql", 0.1, "claimed twice"),
    "warden": (orphaned, "sqlite", 0.1, "server dead, processes gone"),
}


@pytest.mark.parametrize(
    "guard", ["warden", *(pytest.param(g, marks=pytest.mark.faults) for g in GUARDS[:2])]
)
def test_the_product_itself_passes(guard: str, grounds: Grounds) -> None:
    scenario, kind, scale, _ = SCENARIOS[guard]
    assert found(scenario(None), kind, grounds, scale) == []


@pytest.mark.parametrize("guard", GUARDS)
def test_a_missing_guard_is_noticed(guard: str, grounds: Grounds) -> None:
    scenario, kind, scale, notice = SCENARIOS[guard]
    assert notice in " ".join(found(scenario(guard), kind, grounds, scale))
