"""500 clients who follow jobs, lose their connection and come back: nobody misses or repeats an event."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from onward.jobs.states import TERMINAL
from tests.faults.row import Row
from tests.faults.world import ROOT, World

__all__ = ["ROWS"]

CLIENTS = 500
JOBS = 10
LINES = 60
LOST = 0.05
"""Of all frames, how many are followed by the loss of the connection."""
PATIENCE = 240.0


class Client:
    """Follows one job over a connection that is cut now and then.

    Parameters
    ----------
    port
        Of the server.
    job_id
        Whom to follow.
    seed
        Of the moments at which the connection is lost.
    """

    def __init__(self, port: int, job_id: str, seed: int) -> None:
        self._port, self.job_id, self._random = port, job_id, Random(seed)
        self.seen: list[int] = []
        self.connections = 0
        self.ended = False

    async def follow(self) -> None:
        """Follow until the job has ended."""
        while not self.ended:
            with contextlib.suppress(OSError, EOFError):  # whoever reconnects has seen worse
                await self._connect()
            await asyncio.sleep(self._random.uniform(0.0, 0.3))

    async def _connect(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.connections += 1
        try:
            known = f"Last-Event-ID: {self.seen[-1]}\r\n" if self.seen else ""
            request = (
                f"GET /api/v1/jobs/{self.job_id}/events HTTP/1.1\r\nHost: localhost\r\n"
                f"Accept: text/event-stream\r\nConnection: close\r\n{known}\r\n"
            )
            writer.write(request.encode())
            status = (await reader.readline()).split()
            if status[1:2] == [b"204"]:
                self.ended = True
                return
            assert status[1:2] == [b"200"], status
            async for line in reader:
                if line.startswith(b"id: "):
                    self.seen.append(int(line[4:]))
                    if self._random.random() < LOST:
                        return
                elif line.startswith(b"event: end"):
                    self.ended = True
                    return
        finally:
            writer.transport.abort()


def many_clients(world: World) -> None:
    """`onward serve` tells; servers beside it run the jobs, and one of them is killed meanwhile."""
    for server in [world.launch(concurrency=JOBS // 2) for _ in range(2)]:
        server.ready()
    with served(world) as port:
        ids = [world.submit("talk", {"lines": LINES, "seconds": 20.0}) for _ in range(JOBS)]
        clients = [
            Client(port, ids[number % JOBS], world.random.randrange(1 << 30)) for number in range(CLIENTS)
        ]

        async def all_follow() -> None:
            async def kill_one() -> None:
                await asyncio.sleep(5.0)
                await asyncio.to_thread(lambda: world.owner_of(ids[0]).kill())

            tasks = [client.follow() for client in clients]
            await asyncio.wait_for(asyncio.gather(kill_one(), *tasks), PATIENCE)

        began = time.monotonic()
        asyncio.run(all_follow())
        world.note("clients, seconds until all have seen the end", time.monotonic() - began)
    world.note("clients, connections", float(sum(client.connections for client in clients)))
    for job_id in ids:
        assert world.job(job_id).state in TERMINAL
        last = len(world.store.events(job_id, after=0, limit=1000))
        for client in clients:
            if client.job_id == job_id and client.seen != list(range(1, last + 1)):
                raise AssertionError(f"I10: of {last} events of {job_id} a client saw {client.seen}")


@contextmanager
def served(world: World) -> Iterator[int]:
    """Run ``onward serve`` on the database of a world; give its port."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONWARD_")}
    environment = {
        **kept,
        "ONWARD_HOME": str(world.directory / "home"),
        "ONWARD_STORAGE__DATABASE_URL": world.url,
        "ONWARD_SERVER__RUN_JOBS": "false",
    }
    with (world.directory / "server-http.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "onward", "--json", "serve", "--port", "0"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        said = ""
        while not said.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, f"onward serve said {said!r} and ended with {process.wait(10)}"
            said += line
        yield int(json.loads(said)["address"].rpartition(":")[2])
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


ROWS: tuple[Row, ...] = (
    Row(
        "500 clients reconnecting while jobs run",
        many_clients,
        1,
        production=True,
        company="none",
        waits=90.0,
        seconds=30.0,
    ),
)
"""Who only looks."""
