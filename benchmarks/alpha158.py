"""Alpha158 on 70,006 hourly bars, beside Qlib in the same run.

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
import numpy.typing as npt

from benchmarks._clock import best_of, growth
from benchmarks._markets import HOURS, hours, repeated, skipped
from benchmarks._table import NOT_MEASURED, Row
from onward.features.manual import Alpha158Stage
from onward.types import OHLCV, Market

WARM_UP = 61
TIMES_FASTER = "alpha158: times faster than Qlib"


def run(quick: bool = False) -> list[Row]:
    missing = skipped("alpha158", HOURS)
    if missing:
        return missing
    market = hours()
    stage = Alpha158Stage.for_market(market)
    values = {name.removeprefix("alpha158__"): v.to_numpy() for name, v in stage.compute(market).items()}
    before = best_of(lambda: stage.compute(market), 3 if quick else 5)
    compared = _by_qlib(market, values)
    # Qlib is measured between two rounds of ours, so that a busy minute hits neither side alone.
    seconds = min(before, best_of(lambda: stage.compute(market), 3 if quick else 5))
    longer = {times * len(market): repeated(market, times) for times in (1, 2, 4, 8)}
    grows = growth(stage.compute, longer, 2 if quick else 4)
    rows = [
        Row("alpha158", seconds, "s", "", f"158 columns, {len(market):,} bars, float64 table, warm"),
        *compared,
        grows.row("alpha158"),
    ]
    theirs = compared[0].value
    if not np.isnan(theirs):
        rows.insert(2, Row(TIMES_FASTER, theirs / seconds, "x", ">= 4", "same run, both warm, shortest runs"))
    return rows


def _by_qlib(market: Market, ours: dict[str, npt.NDArray[np.float64]]) -> list[Row]:
    """Time Qlib on the same bars, and compare its float32 values with ours."""
    python = os.environ.get("ONWARD_BENCH_QLIB_PYTHON")
    if not python:
        note = "skipped: set ONWARD_BENCH_QLIB_PYTHON to a Python that has pyqlib"
        return [Row(TIMES_FASTER, NOT_MEASURED, "x", ">= 4", note)]
    script = Path(__file__).with_name("_qlib_alpha158.py")
    with tempfile.TemporaryDirectory() as folder:
        given, back = Path(folder) / "bars.npz", Path(folder) / "values.npz"
        bars = {name: market.bars[name].to_numpy() for name in OHLCV}
        np.savez(given, open_time=market.open_time_ns, **bars)
        command = [python, str(script), str(given), str(back)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return [Row(TIMES_FASTER, NOT_MEASURED, "x", ">= 4", done.stderr.strip().splitlines()[-1][:80])]
        said = json.loads(done.stdout.strip().splitlines()[-1])
        with np.load(back) as theirs:
            apart = [_difference(ours[name][WARM_UP:], theirs[name][WARM_UP:]) for name in ours]
    note = f"pyqlib {said['version']}, {said['columns']} columns, one process, caches emptied"
    same = "in quartile ranges of the column; Qlib stores float32"
    return [
        Row("alpha158 by Qlib", said["seconds"], "s", "", note),
        Row("alpha158: median difference from Qlib", float(np.median(apart)), "", "<= 1e-4", same),
    ]


def _difference(ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]) -> float:
    """Return the median distance of two columns in quartile ranges of the column."""
    known = np.isfinite(ours) & np.isfinite(theirs)
    spread = np.subtract(*np.percentile(ours[known], [75, 25])) or 1.0
    return float(np.median(np.abs(ours - theirs)[known]) / spread)
