"""Ray clusters of two nodes for the fault tests, and servers that run jobs there.

One cluster serves all runs of a shard that leave it whole: a keeper process starts it, and ends it
when the shard's directory is gone. Runs that kill a node or the head have a cluster of their own.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.world import ROOT, Server, World

__all__ = ["Nodes", "serve", "shared_cluster"]

QUICK = {
    # How soon a lost node or head is noticed; the usual values (15 s, 60 s) only make runs longer.
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_failure_threshold": "4",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "PYTHONPATH": str(ROOT),
}
START_SECONDS = 300.0
"""Until a cluster or a server of it is there; a minute on an idle machine."""
STARTS = 4


class Nodes:
    """A head that carries no jobs, and nodes that do."""

    def __init__(self, nodes: int = 1) -> None:
        from ray.cluster_utils import Cluster

        os.environ.update(QUICK)
        head = {"num_cpus": 0, "include_dashboard": False}
        self._cluster: Any = _patiently(lambda: Cluster(initialize_head=True, head_node_args=head))
        self.address = str(self._cluster.address)
        self._nodes = [self.add() for _ in range(nodes)]

    def add(self) -> Any:
        return _patiently(lambda: self._cluster.add_node(num_cpus=2))

    def lose_a_node(self) -> float:
        """Kill every process of the node that was there first; returns the wall second before."""
        at = time.time()
        self._cluster.remove_node(self._nodes.pop(0), allow_graceful=False)
        return at

    def lose_the_head(self) -> float:
        at = time.time()
        self._cluster.remove_node(self._cluster.head_node, allow_graceful=False)
        return at

    def close(self) -> None:
        self._cluster.shutdown()


def _patiently(start: Callable[[], Any]) -> Any:
    """Start a part of a cluster; Ray itself gives it 30 s, which a busy machine may not have."""
    for _ in range(STARTS - 1):
        try:
            return start()
        except Exception as error:  # Ray raises nothing more particular
            if "timed out during startup" not in str(error):
                raise
    return start()


@contextmanager
def own_cluster(nodes: int = 1) -> Iterator[Nodes]:
    cluster = Nodes(nodes)
    try:
        yield cluster
    finally:
        cluster.close()


def shared_cluster(world: World) -> str:
    """Return the address of the cluster of this shard, started when nobody has yet."""
    place = world.directory.parent.parent
    with (place / "ray.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = place / "ray.json"
        if not said.exists():
            command = [sys.executable, "-m", "tests.faults.ray_ground", str(said)]
            with (place / "ray.log").open("wb") as log:
                subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, start_new_session=True)
            deadline = time.monotonic() + START_SECONDS
            while not said.exists():
                assert time.monotonic() < deadline, (place / "ray.log").read_text()[-2_000:]
                time.sleep(0.1)
        return str(json.loads(said.read_text())["address"])


def serve(world: World, address: str, **config: Any) -> Server:
    """Start a server whose jobs run on a cluster, and wait until it is ready."""
    order = {
        "url": world.url,
        "directory": str(world.directory),
        "config": world.config(ray_address=address, **config).model_dump(),
        "namespace": world.directory.name,
    }
    with (world.directory / f"server-{len(world.servers)}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.ray_server", json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env={**os.environ, **QUICK},
        )
    world.servers.append(Server(process))
    return world.servers[-1].ready()


def main() -> None:
    """Keep a cluster for as long as the directory of its address is there."""
    said = Path(sys.argv[1])
    cluster = Nodes(2)
    draft = said.with_suffix(".draft")
    draft.write_text(json.dumps({"address": cluster.address}))
    draft.rename(said)
    while said.exists():
        time.sleep(0.5)
    cluster.close()


if __name__ == "__main__":
    main()
