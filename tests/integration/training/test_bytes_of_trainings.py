"""The same plan and data give the same bytes, whatever process and however many threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("bytes_of_trainings.py")


def digests(n_threads: int, hash_seed: str) -> dict[str, dict[str, str]]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(n_threads)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": str(n_threads)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_model_files_are_byte_identical_in_two_processes_that_hash_and_thread_differently() -> None:
    first, second = digests(1, "1"), digests(2, "77")
    assert set(first) == {
        "lightgbm",
        "xgboost",
        "catboost",
        "extra_trees",
        "logistic",
        "mlp",
        "bagging",
        "stacking",
    }
    assert first == second
    assert all(len(files) > 3 for files in first.values())
