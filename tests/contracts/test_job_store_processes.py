"""Several processes share one queue: nothing is taken twice, nothing is made twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

from sqlalchemy import Engine

from onward.jobs.store import SqlJobStore
from onward.testing.job_store.ways import request

PROCESSES = 3
CODE = """
import json, sys
from onward.database import open_database
from onward.jobs.store import SqlJobStore
from onward.testing.job_store.ways import IDENTITY, SUCCESS, lease_of, request

store = SqlJobStore(open_database(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
submitted = [store.submit(request(7, idempotency_key="once", backend="ray")) for _ in range(20)]
claimed = []
while jobs := store.claim(sys.argv[2], limit=2):
    for job in jobs:
        claimed.append([job.id, job.attempt])
        assert store.started(lease_of(job), IDENTITY)
        assert store.report(lease_of(job), [("log", {"text": "hello"})])
        assert store.renew(sys.argv[2]).held[job.id] == job.attempt
    for job in jobs:
        assert store.finish(lease_of(job), SUCCESS)
print(json.dumps({"claimed": claimed, "submitted": [[s.job.id, s.created] for s in submitted]}))
"""


def test_nothing_is_done_twice(database_url: str, database: Engine) -> None:
    store = SqlJobStore(database)
    ids = {store.submit(request(number)).job.id for number in range(90)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CODE, database_url, f"owner-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()[1]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = []
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        answers.append(json.loads(out))
    claims = Counter(job_id for answer in answers for job_id, _ in answer["claimed"])
    assert set(claims) == ids
    assert set(claims.values()) == {1}
    assert {attempt for answer in answers for _, attempt in answer["claimed"]} == {1}
    submitted = [pair for answer in answers for pair in answer["submitted"]]
    assert len({job_id for job_id, _ in submitted}) == 1
    assert sum(created for _, created in submitted) == 1
    assert store.counts()["succeeded"] == 90
    for job_id in ids:
        assert [event.seq for event in store.events(job_id)] == [1, 2, 3, 4, 5]
