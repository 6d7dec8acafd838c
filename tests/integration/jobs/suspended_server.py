"""A server that a test suspends: ``python -m tests.integration.jobs.suspended_server URL DIRECTORY CONFIG``.

It says ``ready`` once workers can be forked, and closes when its standard input ends.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from onward.config import JobConfig
from onward.database import open_database
from onward.jobs.kinds import JobKind
from onward.jobs.local import LocalBackend
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.store import SqlJobStore
from onward.testing.job_backends import ENTRIES


def main() -> None:
    url, directory, settings = sys.argv[1:]
    config = JobConfig.sealed(**json.loads(settings))
    backend = LocalBackend(ENTRIES, fence_seconds=config.fence_seconds)
    kinds = [JobKind(name, entry, name) for name, entry in ENTRIES.items()]
    backend.warm()
    store = SqlJobStore(open_database(url), poll_seconds=config.poll_seconds)
    with BackgroundTaskManager(store, [backend], kinds, config, Path(directory)) as manager:
        manager.start()
        print("ready", flush=True)
        sys.stdin.read()
        manager.close(finish_within=0.0)


if __name__ == "__main__":
    main()
