"""Without Ray, or without a cluster, the error says what to do; and nothing imports Ray by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from onward.errors import JobError
from onward.jobs.ray import RayBackend
from onward.jobs.ray.attempt import is_out_of_memory
from onward.testing.job_backends import job_of


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    backend = RayBackend({})
    with pytest.raises(JobError, match=r'pip install "onward\[ray\]"'):
        backend.warm()
    with pytest.raises(JobError, match="not installed"):
        backend.start(job_of("echo", {}), tmp_path)
    assert not backend.end_orphan(job_of("echo", {}), tmp_path), "what cannot be looked at is not gone"
    backend.close()


def test_importing_the_backend_does_not_import_ray() -> None:
    code = "import sys, onward.jobs.ray; print('ray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_only_the_memory_monitor_is_evidence_of_lack_of_memory() -> None:
    pytest.importorskip("ray")
    from ray.exceptions import ActorDiedError, OutOfMemoryError

    assert is_out_of_memory(OutOfMemoryError("Task was killed"))
    guess = (
        "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR. Some common "
        "causes include: (1) the process was killed by the OOM killer due to high memory usage"
    )
    died = ActorDiedError()
    died.error_msg = guess
    assert not is_out_of_memory(died)
    died.error_msg = "The actor is dead because the node was running low on memory"
    assert is_out_of_memory(died)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:9", "cannot be reached; got 127.0.0.1:9: .*refused"),
        ("ray://127.0.0.1:9", "cannot be reached"),
        ("somewhere", "cannot be read; got 'somewhere'; allowed: host:port"),
        (":6379", "cannot be read"),
    ],
)
def test_an_address_where_nobody_answers(address: str, said: str) -> None:
    pytest.importorskip("ray")
    backend = RayBackend({}, address=address)
    with pytest.raises(JobError, match=said):
        backend.warm()
    backend.close()
