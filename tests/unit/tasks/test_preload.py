"""What workers are forked from: everything is imported there, and nothing has run."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys

import pytest

from onward.tasks.catalog import CATALOG, PRELOAD

PROGRAM = """
import importlib, json, os, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
names = [open(f"/proc/self/task/{tid}/comm").read().strip() for tid in os.listdir("/proc/self/task")]
print(json.dumps(names))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_preloading_starts_no_pool_of_threads() -> None:
    # An OpenMP region would leave four threads behind; pools of BLAS are switched off.
    environment = {**os.environ, "OMP_NUM_THREADS": "5", "OPENBLAS_NUM_THREADS": "1"}
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(PRELOAD)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in json.loads(told.stdout) if name != "jemalloc_bg_thd"]  # survives forks
    assert len(names) == 1


def test_every_kind_names_an_entry_that_exists() -> None:
    for address, summary in CATALOG.values():
        module = importlib.import_module(address)
        assert callable(module.run)
        assert callable(module.kind)
        assert summary.endswith(".")
