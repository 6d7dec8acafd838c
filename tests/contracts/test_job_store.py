"""The SQL store keeps every promise of `JobStore`, on each database."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from onward.jobs.store import SqlJobStore
from onward.testing.jobs import CHECKS, Check


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_sql_job_store(check: Check, database: Engine) -> None:
    check(SqlJobStore(database, poll_seconds=0.02))
