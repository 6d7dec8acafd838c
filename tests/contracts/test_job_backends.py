"""The local backend keeps every promise of `JobBackend` and `Attempt`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from onward.jobs.local import LocalBackend
from onward.jobs.protocol import JobBackend
from onward.testing.job_backends import CHECKS, ENTRIES, Check


@pytest.fixture(scope="module")
def backend() -> Iterator[LocalBackend]:
    backend = LocalBackend(ENTRIES, preload=["lightgbm", "joblib"], fence_seconds=600.0)  # nobody beats here
    backend.warm()
    yield backend
    backend.close()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_local_backend(check: Check, backend: LocalBackend, tmp_path: Path) -> None:
    assert isinstance(backend, JobBackend)
    check(backend, tmp_path)
