"""Rows about the system below: memory, process numbers, the network."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onward.jobs.local.processes import children, find, find_name
from onward.testing.job_backends import until
from tests.faults.namespace import no_namespace, use_again
from tests.faults.proxy import Proxy
from tests.faults.row import Row
from tests.faults.rows import about_to_end
from tests.faults.world import World, kill, parent_of

__all__ = ["ROWS"]

GROUPS = Path("/sys/fs/cgroup")
MEMORY = 300_000_000


def memory_group() -> tuple[Path, str] | None:
    """Return where control groups of memory are, and what their limit is called; None without."""
    with contextlib.suppress(OSError):
        if "memory" in (GROUPS / "cgroup.subtree_control").read_text().split():
            return GROUPS, "memory.max"
    if (GROUPS / "memory" / "memory.limit_in_bytes").exists():
        return GROUPS / "memory", "memory.limit_in_bytes"
    return None


def no_memory_group() -> str | None:
    """Return why the system's killer cannot be provoked; None when it can."""
    found = memory_group()
    if found is None:
        return "there are no control groups of memory"
    try:
        with limited(MEMORY):
            pass
    except OSError as error:
        return f"a control group cannot be made ({error})"
    return None


@contextmanager
def limited(size: int) -> Iterator[Path]:
    """Give the file that takes the numbers of processes whose memory is limited together."""
    found = memory_group()
    assert found is not None
    parent, limit = found
    group = parent / f"onward-faults-{os.getpid()}"
    group.mkdir()
    try:
        (group / limit).write_text(str(size))
        yield group / "cgroup.procs"
    finally:
        until(lambda: _removed(group))


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except OSError:  # somebody is still in it
        return False
    return True


def killed_by_the_system(world: World) -> None:
    """Everything that a server forks shares a limit of the kernel: the greedy worker is killed, once."""
    server = world.serve()
    own = children(server.process.pid)
    (nursery,) = [pid for pid in own if find_name(pid) == "onward-nursery"]
    with limited(MEMORY) as group:
        group.write_text(str(nursery))
        job = world.until(world.submit("grow"), "failed")
        assert (job.reason, job.attempt) == ("oom", 1), (job.reason, job.attempt)
        assert server.alive
        assert world.until(world.submit("publish"), "succeeded", "failed").state == "succeeded"
        time.sleep(0.2)
        server.end()


def numbers_used_again(world: World) -> None:
    """Worker and warden are gone and strangers have their numbers: nobody signals those."""
    first, second = world.serve(), world.launch()
    second.ready()
    # The owner dies; whoever takes over knows the worker by its number alone.
    job_id = world.submit("sleep")
    world.at_work(job_id)
    owner = world.owner_of(job_id)
    pids = _worker_and_warden(world, job_id)
    owner.kill()
    _strangers(world, pids)
    world.until(job_id, "running", attempt=2)
    world.at_work(job_id, attempt=2)
    # The worker dies while its owner is suspended, and a stop is waiting when he wakes.
    owner = world.owner_of(job_id)
    assert owner is not (second if owner is first else first)
    pids = _worker_and_warden(world, job_id)
    owner.pause(world.url)
    kill(pids[0])
    _strangers(world, pids)
    world.front.request_stop(job_id)
    owner.signal(signal.SIGCONT)
    world.until(job_id, "cancelled", "failed")


def _worker_and_warden(world: World, job_id: str) -> list[int]:
    identity = world.job(job_id).identity
    assert identity is not None
    return [identity.pid, parent_of(identity.pid)]


def _strangers(world: World, pids: list[int]) -> None:
    """Give numbers to strangers, as soon as they are free."""

    def start() -> int:
        world.bystanders.append(world.stranger())
        return world.bystanders[-1].pid

    def end() -> None:
        misfit = world.bystanders.pop()
        misfit.kill()
        misfit.wait()

    until(lambda: not any(map(find, pids)))
    for pid in pids:
        use_again(pid, start, end)


def network_cut(world: World) -> None:
    """Nothing comes through between servers and database for 90 s (scaled), and nothing is closed."""
    whole = world.random.random() < 0.5
    with Proxy(world.url) as proxy:
        cut = world.serve(url=proxy.url)
        staying = world.submit("sleep")
        world.at_work(staying)
        if whole:  # all are cut off: nobody is to be blamed
            world.serve(url=proxy.url)
        ending = about_to_end(world)
        proxy.cut()
        until_mended = time.monotonic() + 90.0 * world.scale
        if not whole:  # somebody is not, and takes over
            world.serve()
        time.sleep(max(0.0, until_mended - time.monotonic()))
        proxy.mend()
        job = world.until(ending, "succeeded", "failed")
        assert job.state == "succeeded"
        world.until(staying, "running")
        world.at_work(staying)
        if whole:
            assert world.job(staying).attempt == 1
        mended = time.monotonic()
        assert world.front.request_stop(staying).accepted
        world.until(staying, "cancelled")
        world.note("network back, stopped", time.monotonic() - mended)
        assert cut.alive


ROWS: tuple[Row, ...] = (
    Row(
        "out of memory, killed by the kernel",
        killed_by_the_system,
        20,
        company="memory",
        missing=no_memory_group,
    ),
    Row(
        "process numbers used again", numbers_used_again, 20, waits=65.0, namespace=True, missing=no_namespace
    ),
    Row("network cut for 90 s", network_cut, 10, ("postgresql",), waits=95.0, seconds=12.0),
)
"""Rows that need privileges, or a network."""
