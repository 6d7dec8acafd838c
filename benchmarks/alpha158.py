"""Alpha158 on 70,006 bars, beside Qlib in the same run.

Set ``ONWARD_BENCH_QLIB_PYTHON`` to an interpreter that has ``pyqlib``; it is no dependency of
Onward, and without it the comparison says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from benchmarks._table import DATA, Row, best_of, show
from benchmarks.features_manual import growth, load_bars

from onward.features.manual.alpha158 import Alpha158
from onward.features.manual.family import Bars

NAN = float("nan")


def by_qlib(python: str, bars: Bars, ours: dict[str, np.ndarray]) -> list[Row]:
    """Time Qlib on the same bars, and compare its float32 values with ours."""
    script = Path(__file__).with_name("_qlib_alpha158.py")
    with tempfile.TemporaryDirectory() as folder:
        given, back = Path(folder) / "bars.npz", Path(folder) / "values.npz"
        names = ("open", "high", "low", "close", "volume", "open_time")
        np.savez(given, **{name: getattr(bars, name) for name in names})
        done = subprocess.run(
            [python, str(script), str(given), str(back)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            return [Row("the same by Qlib", NAN, "s", note=done.stderr.strip().splitlines()[-1][:80])]
        said = json.loads(done.stdout.strip().splitlines()[-1])
        with np.load(back) as theirs:
            apart = [difference(ours[name][61:], theirs[name][61:]) for name in ours]
    note = f"pyqlib {said['version']}, {said['columns']} columns, one process"
    return [
        Row("the same by Qlib", said["seconds"], "s", note=note),
        Row("median difference of values", float(np.median(apart)), "", "<= 1e-4", "Qlib stores float32"),
    ]


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the median distance of two columns in deviations of the column."""
    known = np.isfinite(ours) & np.isfinite(theirs)
    spread = np.subtract(*np.percentile(ours[known], [75, 25])) or 1.0
    return float(np.median(np.abs(ours - theirs)[known]) / spread)


def run() -> list[Row]:
    if not (DATA / "btc_usdt_spot_1h.parquet").exists():
        return [Row("alpha158", NAN, note="no market file beside the repository")]
    bars, family = load_bars(), Alpha158()
    ours = dict(family.compute(bars))
    seconds = best_of(lambda: family.compute(bars), 5)
    rows = [
        Row("alpha158", seconds, "s", "<= 0.3", f"158 columns, {len(bars):,} bars, warm"),
        Row("growth of cost with rows", growth(family.compute, bars), "", "<= 1.1", "exponent over 1x to 8x"),
    ]
    python = os.environ.get("ONWARD_BENCH_QLIB_PYTHON")
    if not python:
        note = "not installed: set ONWARD_BENCH_QLIB_PYTHON to a Python that has pyqlib"
        return [*rows, Row("the same by Qlib", NAN, "s", note=note)]
    compared = by_qlib(python, bars, ours)
    return [*rows, *compared, Row("times faster than Qlib", compared[0].value / seconds, "x", ">= 4")]


if __name__ == "__main__":
    show(run())
