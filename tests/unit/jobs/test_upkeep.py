"""Tidying up: old jobs go with their files, by one server at a time, and nothing else does."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from onward.config import JobConfig
from onward.database import open_database
from onward.database.moments import utc_now
from onward.jobs.kinds import JobKind
from onward.jobs.logs import job_logger
from onward.jobs.manager import BackgroundTaskManager
from onward.jobs.metrics import JobMetrics
from onward.jobs.settlement import Surroundings
from onward.jobs.store import SqlJobStore
from onward.jobs.upkeep import Upkeep
from onward.jobs.values import Job, JobRequest
from onward.testing.job_backends import until

CONFIG = JobConfig.sealed(retention_days=10.0)


@pytest.fixture
def engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(sqlite_template, tmp_path / "onward.db")
    engine = open_database(f"sqlite:///{tmp_path}/onward.db")
    yield engine
    engine.dispose()


def ended(store: SqlJobStore, directory: Path, *, age_days: float) -> str:
    """Return a job that was cancelled, with a directory of the same age."""
    job_id = store.request_stop(store.submit(JobRequest("echo", {})).job.id).job.id
    made(directory, job_id, age_days)
    return job_id


def made(directory: Path, job_id: str, age_days: float) -> None:
    (directory / job_id / "1").mkdir(parents=True)
    log = directory / job_id / "1" / "log.txt"
    log.write_text("done")
    then = utc_now().timestamp() - age_days * 86_400
    for path in (log, log.parent, log.parent.parent):
        os.utime(path, (then, then))


def upkeep(engine: Engine, directory: Path, clock: object = utc_now, *kinds: JobKind) -> Upkeep:
    store = SqlJobStore(engine, clock=clock)  # type: ignore[arg-type]
    log = job_logger(io.StringIO())
    quiet = Surroundings(store, CONFIG, JobMetrics(), log, clock)  # type: ignore[arg-type]
    return Upkeep(directory, kinds, quiet)


def at(days: float) -> object:
    def clock() -> datetime:
        return utc_now() + timedelta(days=days)

    return clock


def test_old_jobs_go_with_their_directories_and_others_stay(engine: Engine, tmp_path: Path) -> None:
    directory = tmp_path / "jobs"
    past = SqlJobStore(engine, clock=at(-20))  # type: ignore[arg-type]
    now = SqlJobStore(engine)
    old = ended(past, directory, age_days=20)
    young = ended(now, directory, age_days=20)  # queued for long, ended just now
    live = past.submit(JobRequest("echo", {})).job.id
    made(directory, live, 20)
    made(directory, "0123456789abcdef", 20)  # pruned by another server
    made(directory, "fedcba9876543210", 1)  # known to another database
    (directory / "workers").mkdir()
    chores = upkeep(engine, directory)
    assert chores.once() == 1
    assert chores.once() == 0
    assert {path.name for path in directory.iterdir()} == {young, live, "fedcba9876543210", "workers"}
    assert {job.id for job in now.find().jobs} == {young, live}
    assert not (directory / old).exists()


def test_a_server_prunes_and_mends_by_itself(engine: Engine, tmp_path: Path) -> None:
    seen: list[Job | None] = []
    past = SqlJobStore(engine, clock=at(-20))  # type: ignore[arg-type]
    ids = [ended(past, tmp_path / "jobs", age_days=20) for _ in range(3)]
    kind = JobKind("echo", "nowhere:run", "echo", mend=lambda look: seen.append(look(ids[0])))
    store = SqlJobStore(engine, poll_seconds=0.05)
    with (tmp_path / "log").open("w") as log:
        manager = BackgroundTaskManager(store, [], [kind], CONFIG, tmp_path / "jobs", log=job_logger(log))
        with manager.start():
            until(lambda: not store.find().jobs)
    assert seen[0] is not None
    assert seen[0].id == ids[0]
    assert not list((tmp_path / "jobs").glob("[!.]*"))  # the lock by which a server is seen stays


def test_one_server_at_a_time_prunes(database: Engine) -> None:
    past = SqlJobStore(database, clock=at(-20))  # type: ignore[arg-type]
    for _ in range(3):
        past.request_stop(past.submit(JobRequest("echo", {})).job.id)
    if database.dialect.name == "postgresql":
        from onward.jobs.store.retention import PRUNING

        with database.begin() as other:
            other.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": PRUNING})
            assert past.prune(before=utc_now()) == 0
    assert past.prune(before=utc_now(), limit=2) == 2
    assert past.prune(before=utc_now(), limit=2) == 1


def test_what_only_submits_says_nothing_and_loads_no_supervision(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from onward.settings import load_settings\n"
        "from onward.wiring import build_application\n"
        "bars = sys.argv[2]\n"
        "with open(bars, 'w') as f: f.write('timestamp,symbol,funding_rate\\n2024-01-01 00:00,A/B,0.1\\n')\n"
        "application = build_application(load_settings(home=sys.argv[1], environ={}))\n"
        "job = application.job_desk.submit('import', {'files': [bars]}).job\n"
        "application.job_desk.request_stop(job.id)\n"
        "application.job_desk.retry(job.id)\n"
        "application.close()\n"
        "heavy = 'jobs.supervision jobs.local jobs.manager jobs.metrics jobs.logs'.split()\n"
        "print([m for m in heavy if f'onward.{m}' in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "home"), str(tmp_path / "funding.csv")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ},
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
