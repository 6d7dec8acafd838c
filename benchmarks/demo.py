"""``onward demo``: the bundled bars trained on, audited, judged, reported and published."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks._process import Finished, onward_command, run_command
from benchmarks._table import Row


def run(quick: bool = False) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        first = _demo(Path(folder), "first")
        rows = [
            Row("make demo, right after installation", first.seconds, "s", "<= 90", _note(first, "no")),
            Row("memory of the demo", first.peak_gb, "GB", "", "peak resident set"),
        ]
        if not quick:
            again = _demo(Path(folder), "second")
            rows.insert(1, Row("make demo, once more", again.seconds, "s", "<= 90", _note(again, "all")))
    return rows


def _demo(folder: Path, home: str) -> Finished:
    """Run the demo in a home of its own; compiled kernels and bytecode go to the folder."""
    caches = {"NUMBA_CACHE_DIR": str(folder / "kernels"), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    report = folder / f"{home}.html"
    command = onward_command("demo", "--home", str(folder / home), "--report", str(report))
    finished = run_command(command, caches)
    if not report.stat().st_size:
        raise RuntimeError("the demo wrote an empty report")
    return finished


def _note(finished: Finished, cached: str) -> str:
    return (
        f"audit and report included, {cached} kernels and bytecode cached, CPU {finished.cpu_seconds:.0f} s"
    )
