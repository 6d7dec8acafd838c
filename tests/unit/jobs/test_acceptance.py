"""What every request must keep to, and which backends a server brings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onward.errors import JobError
from onward.jobs.acceptance import check_request
from onward.jobs.local import LocalBackend
from onward.jobs.ray import RayBackend
from onward.jobs.values import JobRequest
from onward.settings import load_settings
from onward.wiring import build_application


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("backend", "dask"),
        ("max_attempts", 0),
        ("priority", 10**7),
        ("timeout_seconds", -1.0),
        ("memory_limit_mb", 1),
        ("idempotency_key", ""),
        ("idempotency_key", "\udcff"),  # half a surrogate pair: what a terminal makes of broken bytes
        ("tenant", ""),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(JobError, match=f"{name} of a job is out of range") as refused:
        check_request(JobRequest("train", {}, **{name: value}))
    assert refused.value.allowed


def test_a_request_as_most_are_is_accepted() -> None:
    check_request(JobRequest("train", {}, backend="ray", idempotency_key="k", timeout_seconds=5.0))


@pytest.mark.parametrize(
    ("setting", "kinds"), [("local", [LocalBackend]), ("local,ray", [LocalBackend, RayBackend])]
)
def test_a_server_brings_the_backends_of_its_settings(
    tmp_path: Path, setting: str, kinds: list[type]
) -> None:
    resolved = load_settings(home=tmp_path, overrides=[f"jobs.backends={setting}"])
    application = build_application(resolved)
    try:
        assert [type(b) for b in application.job_manager._backends.values()] == kinds
    finally:
        application.close()
