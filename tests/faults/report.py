"""Write the figures of ``.faults/`` into docs/reliability.md: ``python -m tests.faults.report``."""

from __future__ import annotations

import os
import platform
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.faults.machine import STOOD_STILL
from tests.faults.matrix import MATRIX
from tests.faults.plans import PRODUCTION_RUNS
from tests.faults.results import results

__all__ = ["figures", "main"]

PAGE = Path("docs/reliability.md")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
TARGETS = {
    "stop, same instance": ("p99", 0.5),
    "stop, other instance": ("p99", 1.0),
    "stop, notification lost": ("p99", 3.0),
    "stop, deaf worker": ("p99", 9.0),
    "stop, owner dead": ("p99", 65.0),
    "submit to running": ("p50", 0.15),
    "claim under load": ("p99", 0.05),
    "server dead, processes gone": ("largest", 1.0),
    "server dead, job queued again": ("largest", 65.0),
    "worker killed, queued again": ("largest", 3.0),
    "child killed, failed": ("largest", 3.0),
    "warden killed, queued again": ("largest", 3.0),
    "network back, stopped": ("largest", 3.0),
    "stop without notification": ("largest", 3.0),
    "stop of a deaf worker": ("largest", 9.0),
}
"""Which figure of what is timed may be how large, in seconds, at the waiting times of production."""

Result = Mapping[str, Any]


def main() -> None:
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text("\n".join([head + BEGIN, *figures(results()), END + tail]))


def figures(found: Sequence[Result]) -> list[str]:
    """Return the lines of the figures: the machine, the runs, the latencies."""
    final, excused, failed = _judged(found)
    return [
        _machine(),
        "",
        *_sentences(final, excused, failed),
        "",
        *_runs(final),
        "",
        *_latencies(final),
    ]


def _judged(found: Sequence[Result]) -> tuple[list[Result], list[Result], list[Result]]:
    """Return the last result of every run, those that a standstill excused, those that failed before."""
    last: dict[tuple[Any, ...], Result] = {}
    excused: list[Result] = []
    failed: list[Result] = []
    for result in found:
        key = (result["row"], result["database"], result["scale"], result["number"])
        if key in last and last[key]["violations"]:
            (excused if last[key].get("excused") else failed).append(last[key])
        if key not in last or last[key]["violations"]:
            last[key] = result
    return list(last.values()), excused, failed


def _machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"Measured on {os.cpu_count()} cores ({model}), Linux {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}, with many worlds at the same time."
    )


def _sentences(final: Sequence[Result], excused: Sequence[Result], failed: Sequence[Result]) -> Iterable[str]:
    """Say what was repeated, and what could not be run."""
    seeds = sorted({int(result["seed"]) // 1_000 for result in final})
    yield f"Seeds: {', '.join(map(str, seeds)) or 'none'}."
    if excused:
        yield (
            f"{len(excused)} runs were repeated because the machine stood still for more than "
            f"{STOOD_STILL:g} s during them (up to {max(result['stall'] for result in excused):.1f} s)."
        )
    for name, often in sorted(Counter(result["row"] for result in failed).items()):
        yield f"{often} further runs of “{name}” failed and were repeated with success."
    for row in MATRIX:
        if reason := row.missing():
            yield f"Not run: {row.name}, because {reason}."


def _runs(found: Sequence[Result]) -> Iterable[str]:
    """Return the table of runs: those at one tenth, those with the waiting times of production."""
    yield "| Fault | Database | Runs at 1/10 (full count) | Runs at production times | Violations |"
    yield "|---|---|---|---|---|"
    for row in MATRIX:
        for kind in row.databases:
            mine = [r for r in found if (r["row"], r["database"]) == (row.name, kind)]
            tenth = sum(r["scale"] != 1.0 for r in mine)
            full = sum(r["scale"] == 1.0 for r in mine)
            broken = sum(bool(r["violations"]) for r in mine)
            scaled = "-" if row.production else f"{tenth} ({row.count})"
            whole = f"{full} ({row.count if row.production else PRODUCTION_RUNS})"
            yield f"| {row.name} | {kind} | {scaled} | {whole} | {broken} |"
    for name in sorted({r["row"] for r in found} - {row.name for row in MATRIX}):  # the soak
        for kind in sorted({r["database"] for r in found if r["row"] == name}):
            mine = [r for r in found if (r["row"], r["database"]) == (name, kind)]
            broken = sum(bool(r["violations"]) for r in mine)
            yield f"| {name} | {kind} | {len(mine)} | - | {broken} |"
    broken = sum(bool(result["violations"]) for result in found)
    yield f"| **all** | | **{len(found)} runs** | | **{broken}** |"


def _latencies(found: Sequence[Result]) -> Iterable[str]:
    """Return the table of what was timed, in seconds."""
    yield "| Latency | Waiting times | n | p50 | p99 | largest | target |"
    yield "|---|---|---|---|---|---|---|"
    timed: defaultdict[tuple[str, float], list[float]] = defaultdict(list)
    for result in found:
        for name, values in result["figures"].items():
            if not name.startswith("soak"):
                timed[name, float(result["scale"])] += values
    for (name, scale), values in sorted(timed.items()):
        values.sort()
        shown = {
            "p50": values[min(len(values) - 1, len(values) // 2)],
            "p99": values[min(len(values) - 1, int(0.99 * len(values)))],
            "largest": values[-1],
        }
        times = "production" if scale == 1.0 else f"x {scale:g}"
        cells = " | ".join(f"{value:.3f}" for value in shown.values())
        yield f"| {name} | {times} | {len(values)} | {cells} | {_target(name, scale, shown)} |"


def _target(name: str, scale: float, shown: Mapping[str, float]) -> str:
    """Return what was aimed at, and whether it was missed; only production's waiting times compare."""
    if name not in TARGETS or (scale != 1.0 and name != "claim under load"):
        return ""
    which, bound = TARGETS[name]
    return f"{which} ≤ {bound:g} s" + ("" if shown[which] <= bound else ", **missed**")


if __name__ == "__main__":
    main()
