"""A server whose jobs run on a Ray cluster: ``python -m tests.faults.ray_server``; says ``ready``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from onward.config import JobConfig
from onward.database import open_database
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.ray import RayBackend
from onward.jobs.ray.times import Times
from onward.jobs.store import SqlJobStore
from onward.testing.job_backends import ENTRIES
from tests.faults.server import kinds


def main() -> None:
    order = json.loads(sys.argv[1])
    directory = Path(order["directory"])
    config = JobConfig.sealed(**order["config"])
    backend = RayBackend(
        {**ENTRIES, "publish": "tests.faults.ray_tasks:lead"},
        address=config.ray_address,
        namespace=order["namespace"],
        fence_seconds=config.fence_seconds,
        spawn_seconds=config.spawn_seconds,
        times=Times.of(config),
        helpers=1,
        helping={"publish": "tests.faults.ray_tasks:lend_a_hand"},
    )
    store = SqlJobStore(open_database(order["url"]), poll_seconds=config.poll_seconds)
    manager = BackgroundTaskManager(store, [backend], kinds(directory), config, directory / "jobs")
    backend.warm()
    with manager.start():
        print("ready", flush=True)
        sys.stdin.read()
        manager.close(finish_within=0.0)


if __name__ == "__main__":
    main()
