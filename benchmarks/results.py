"""What is found on real data: twelve runs, their verdicts, and the page that shows them.

Each line of docs/results.md is one ``onward train`` or ``onward tune`` in a process of its own, in
the order of `LINES` and with a home directory that knows no earlier run, so that the correction for
several looks counts these runs and no others. Writes the tables and the picture of that page.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks._machine import describe, load_average
from benchmarks._markets import path_of, skipped
from benchmarks._process import ROOT, onward_command, run_command
from benchmarks._results_data import prepare
from benchmarks._results_lines import LINES, MARKETS, Line
from benchmarks._results_page import FOUND, write_page
from benchmarks._table import NOT_MEASURED, Row

__all__ = ["find", "run"]

QUICK_TIMERANGE = "20170101-20170701"


def run(quick: bool = False) -> list[Row]:
    """Run all lines and write the page; quick: the first half of EUR/USD, and no page."""
    missing = skipped("what is found on real data", *(file for one in MARKETS for file in one.files))
    if missing:
        return missing
    with tempfile.TemporaryDirectory(prefix="results-") as scratch:
        place = Path(scratch)
        for material in MARKETS:
            if material.prepared:
                prepare(path_of(material.candles), place / material.prepared)
        if quick:
            only = next(line for line in LINES if line.name == "eurusd-single")
            return [_row(only, _attempt(only, place, QUICK_TIMERANGE))]
        # Kernels are compiled before, on bars that no line sees; the home is another one.
        run_command(
            onward_command("demo", "--home", str(place / "warm"), "--report", str(place / "warm.html"))
        )
        told: dict[str, Any] = {"machine": describe(), "date": time.strftime("%Y-%m-%d"), "lines": {}}
        before = load_average()
        FOUND.parent.mkdir(exist_ok=True)
        for line in LINES:
            print(f"  {line.shown}", file=sys.stderr, flush=True)
            told["lines"][line.name] = _attempt(line, place)
            told["load"] = f"{before:.1f} before, {load_average():.1f} after"
            FOUND.write_text(json.dumps(told, indent=1), encoding="utf-8")
    write_page(told)
    return [_row(line, told["lines"][line.name]) for line in LINES]


def find(line: Line, place: Path, timerange: str | None = None) -> dict[str, Any]:
    """Run a line in a process of its own and return its figures with what it cost.

    Parameters
    ----------
    line
        The run.
    place
        Directory of the home, the prepared bars and the reports.
    timerange
        Bars to use; None = all.
    """
    words = line.command(str(path_of("")))[1:]
    for option in ("--data", "--report"):
        at = words.index(option) + 1
        words[at] = str(place / words[at])  # an absolute path stays what it is
    asked = json.dumps({"words": words, "home": str(place / "home"), "timerange": timerange})
    environment = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    finished = run_command([sys.executable, "-m", "benchmarks._results_run", asked], environment)
    cost = {"seconds": finished.seconds, "cpu_seconds": finished.cpu_seconds, "peak_gb": finished.peak_gb}
    return {**json.loads(finished.output), **cost}


def _attempt(line: Line, place: Path, timerange: str | None = None) -> dict[str, Any]:
    try:
        return find(line, place, timerange)
    except RuntimeError as error:
        return {"failed": str(error)}


def _row(line: Line, found: dict[str, Any]) -> Row:
    name = f"{line.material.title}: {line.variant.name}"
    if "failed" in found:
        return Row(name, NOT_MEASURED, note=f"failed: {found['failed']}")
    told = found["verdict"]
    said = "; ".join(
        f"{one['subject']}: {one['level']}, AUC {one['auc']:.3f}, p {one['corrected_p']:.3g}"
        for one in (told["direction"], told["range"])
    )
    return Row(name, found["seconds"], "s", note=f"{said}; audit {found['certificate']['status']}")
