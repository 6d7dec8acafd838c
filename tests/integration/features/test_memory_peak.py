"""What `rolling_features` takes beyond its result does not depend on the window."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

BEYOND = """
import json
import numpy as np
from benchmarks._memory_profile import forget_peak, status_mb
from onward.features.tsfresh import rolling_features

found = {}
for name, window, rows in (("minimal", 50, 40_000), ("minimal", 2_000, 40_000), ("efficient", 400, 1_500)):
    x = np.random.default_rng(0).standard_t(4, size=rows)
    rolling_features(x[: window + 5], window=window, parameters=name)
    forget_peak()
    before = status_mb("VmRSS")
    result = rolling_features(x, window=window, parameters=name)
    found[f"{name} {window}"] = status_mb("VmHWM") - before - result.to_numpy().nbytes / 1e6
print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks are read from /proc")
def test_windows_are_never_copied_all_at_once():
    """38,001 windows of 2,000 values would be 608 MB, their ranks as much again."""
    done = subprocess.run(
        [sys.executable, "-c", BEYOND], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    beyond = json.loads(done.stdout)
    assert all(megabytes < 100 for megabytes in beyond.values()), beyond
