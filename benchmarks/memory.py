"""Memory: pipelines that run again and again, rolling features beside tsfresh's own way, the default plan.

Set ``ONWARD_BENCH_MEMRAY_PYTHON`` to an interpreter of the same Python version that has ``memray``;
it is no dependency of Onward, and without it the profile says so. A full run draws
``docs/images/memory.svg``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import sysconfig
import tempfile
from pathlib import Path

import numpy as np

import onward
from benchmarks._markets import PERPETUAL, skipped
from benchmarks._memory_picture import Trace, picture
from benchmarks._memory_runs import rise
from benchmarks._memory_watch import Watched, watch
from benchmarks._process import ROOT, run_code, run_command
from benchmarks._table import NOT_MEASURED, Row

PICTURE = ROOT / "docs" / "images" / "memory.svg"
MEMRAY = "ONWARD_BENCH_MEMRAY_PYTHON"
WINDOW = 96
WAYS = {"tsfresh": "roll_time_series + extract_features", "onward": "rolling_features"}
PEAKS = (
    ("financial", 24, 70_006),
    ("financial", 480, 70_006),
    ("efficient", 48, 8_000),
    ("efficient", 500, 8_000),
)

DEFAULT_PLAN = """
print("ready", flush=True)
import json
from benchmarks._markets import perpetual
from onward.training.plan import TrainingPlan
from onward.training.stages import make_pipeline
market = perpetual()
table = make_pipeline(TrainingPlan.preset("default"), market).compute(market)
rows, columns = table.shape
told = {"rows": rows, "columns": columns, "matrix_mb": table.to_numpy().nbytes / 1e6}
print(json.dumps(told), flush=True)
input()
"""


def run(quick: bool = False) -> list[Row]:
    if not Path("/proc/self/statm").exists():
        return [Row("memory", NOT_MEASURED, note="skipped: read from /proc, which is Linux's")]
    return [
        *_runs(6 if quick else 30),
        *_ways(300 if quick else 4_000, draw=not quick),
        *(_peak(*sizes) for sizes in PEAKS[: 1 if quick else None]),
        *_default_plan(),
    ]


def _runs(count: int) -> list[Row]:
    """Return what a process holds more after many runs of a pipeline than after a few."""
    automl = all(importlib.util.find_spec(name) for name in ("autofeat", "featuretools"))
    command = [sys.executable, "-m", "benchmarks._memory_runs", str(count)]
    lines = run_command([*command, *(["--autofeat", "0"] if automl else [])]).output.splitlines()
    found = [json.loads(line) for line in lines]
    risen = rise([held["resident_mb"] for held in found])
    left = max(held["processes"] + held["files"] for held in found)
    stages = "manual, tsfresh, featuretools" + (", autofeat, selection" if automl else ", selection")
    note = f"{risen.early_mb:.1f} MB early, {risen.late_mb:.1f} MB late; {stages}; medians"
    return [
        Row(
            f"{count} pipelines in one process: rise", risen.megabytes, "MB", f"<= {risen.allowed:.0f}", note
        ),
        Row("the same: processes and files left behind", left, "", "<= 0", "most after any run"),
    ]


def _ways(windows: int, *, draw: bool) -> list[Row]:
    """Return memory of rolling features by tsfresh in this process, and by kernels."""
    if importlib.util.find_spec("tsfresh") is None:
        return [Row("rolling features by tsfresh", NOT_MEASURED, note="skipped: tsfresh is not installed")]
    values = 0.01 * np.random.default_rng(0).standard_t(4, size=windows + WINDOW - 1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "values.npy"
        np.save(file, values)
        watched = {way: watch(_command(sys.executable, way, file), _environment()) for way in WAYS}
        recorded = {way: _recorded(way, file) for way in WAYS}
    if draw:
        PICTURE.write_text(_drawn(watched, windows), encoding="utf-8")
    rows = []
    for way, named in WAYS.items():
        told = watched[way].told
        rose, kept = (told[key] - told["before_mb"] for key in ("peak_mb", "last_mb"))
        what = f"{windows:,} windows by {named}"
        seconds = f"{min(told['seconds']):.2g} s a call, result {told['result_mb']:.1f} MB"
        rows.append(
            Row(f"{what}: peak", rose, "MB", "", f"resident, above {told['before_mb']:.0f} MB; {seconds}")
        )
        rows.append(Row(f"{what}: kept", kept, "MB", "", "resident, after three discarded results"))
        rows += _by_memray(what, recorded[way])
    return rows


def _command(python: str, way: str, file: Path, record: Path | None = None) -> list[str]:
    script = str(Path(__file__).with_name("_memory_profile.py"))
    return [python, script, way, str(file), str(WINDOW), *([] if record is None else [str(record)])]


def _environment() -> dict[str, str]:
    """Return ours with everything on the path that this interpreter can import."""
    source = Path(onward.__file__).parents[1]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(source), sysconfig.get_path("purelib")]),
    }


def _recorded(way: str, file: Path) -> dict[str, float] | None:
    python = os.environ.get(MEMRAY)
    if not python:
        return None
    command = _command(python, way, file, file.with_name(f"{way}.bin"))
    found: dict[str, float] = watch(command, _environment()).told["memray"]
    return found


def _by_memray(what: str, told: dict[str, float] | None) -> list[Row]:
    if told is None:
        note = f"skipped: set {MEMRAY} to a Python that has memray"
        return [Row(f"{what}: allocated", NOT_MEASURED, "GB", note=note)]
    calls = "memray, three calls"
    return [
        Row(
            f"{what}: allocated",
            told["allocated_mb"] / 1e3,
            "GB",
            "",
            f"{calls}, {told['allocations']:,} allocations",
        ),
        Row(f"{what}: highest", told["highest_mb"], "MB", "", calls),
        Row(f"{what}: not freed", told["kept_mb"], "MB", "", f"{calls}, results discarded"),
    ]


def _drawn(watched: dict[str, Watched], windows: int) -> str:
    titles = {"tsfresh": "tsfresh in the process", "onward": "onward"}
    traces = [
        Trace(
            titles[way],
            f"{named}, three calls",
            "old" if way == "tsfresh" else "new",
            seen.seconds,
            seen.resident_mb,
        )
        for (way, named), seen in zip(WAYS.items(), watched.values(), strict=True)
    ]
    return picture(
        traces,
        f"Resident memory over time: {windows:,} windows of {WINDOW} values, the financial set, three calls",
    )


def _peak(name: str, window: int, rows: int) -> Row:
    """Return what `rolling_features` takes at its peak beyond its result."""
    code = f"""
import numpy as np
from benchmarks._memory_profile import forget_peak, status_mb
from onward.features.tsfresh import rolling_features
x = np.random.default_rng(0).standard_t(4, size={rows})
rolling_features(x[: {window} + 5], window={window}, parameters="{name}")
forget_peak()
before = status_mb("VmRSS")
result = rolling_features(x, window={window}, parameters="{name}")
print(status_mb("VmHWM") - before - result.to_numpy().nbytes / 1e6)
"""
    note = f"{rows:,} values, after compiling"
    what = f"rolling_features, {name} set, window {window}: beyond the result"
    return Row(what, float(run_code(code).output), "MB", "<= 300", note)


def _default_plan() -> list[Row]:
    """Return the peak of the default plan's causal stages on six years of hours, the check included."""
    what = "the default plan's causal stages, checked by featuretools: peak"
    if (absent := skipped(what, *PERPETUAL)) is not None:
        return absent
    seen = watch([sys.executable, "-c", DEFAULT_PLAN], _environment(), family=True)
    told, peak = seen.told, max(seen.resident_mb) / 1e3
    note = (
        f"{told['rows']:,} bars x {told['columns']} columns, matrix {told['matrix_mb']:.0f} MB, no cache; "
        "imports and featuretools' own process included"
    )
    return [Row(what, peak, "GB", "<= 3", note)]


if __name__ == "__main__":
    from benchmarks._table import show

    show(run("--quick" in sys.argv))
