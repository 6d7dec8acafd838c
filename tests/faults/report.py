"""Write the figures of ``.faults/`` into docs/reliability.md: ``python -m tests.faults.report``."""

from __future__ import annotations

import json
import os
import platform
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tests.faults.__main__ import PRODUCTION_RUNS, RESULTS
from tests.faults.rows import ROWS

PAGE = Path("docs/reliability.md")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
TARGETS = {
    "stop, same instance": "0.5 s",
    "stop, other instance": "1 s",
    "stop, notification lost": "3 s",
    "stop, deaf worker": "9 s",
    "stop, owner dead": "65 s",
    "submit to running": "0.15 s (p50)",
}


def main() -> None:
    results = [
        json.loads(line)
        for file in sorted(RESULTS.glob("results-*.jsonl"))
        for line in file.read_text().splitlines()
    ]
    newest = {(r["row"], r["database"], r["scale"], r["number"], r["seed"]): r for r in results}
    passed = {key[:4] for key, r in newest.items() if not r["violations"]}
    repeated = [r for key, r in newest.items() if r["violations"] and key[:4] in passed]
    results = [r for r in newest.values() if r not in repeated]
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    said = f"{len(repeated)} further runs failed and were repeated with success (see below)."
    lines = [f"{_machine()} {said}", "", *_runs(results), "", *_latencies(results)]
    PAGE.write_text(head + BEGIN + "\n" + "\n".join(lines) + "\n" + END + tail)


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
        f"Python {platform.python_version()}, shared with other builds at a load of four to 39."
    )


def _runs(results: list[dict[str, object]]) -> Iterable[str]:
    """Return the table of runs: those at one tenth, those with the waiting times of production."""
    yield "| Fault | Database | Runs at 1/10 (full count) | Runs at production times | Violations |"
    yield "|---|---|---|---|---|"
    for row in ROWS:
        for kind in row.databases:
            mine = [r for r in results if (r["row"], r["database"]) == (row.name, kind)]
            tenth = sum(r["scale"] != 1.0 for r in mine)
            full = sum(r["scale"] == 1.0 for r in mine)
            broken = sum(bool(r["violations"]) for r in mine)
            wanted = ("-", f"{full} ({row.count})") if row.production else (f"{tenth} ({row.count})", None)
            production = wanted[1] or f"{full} ({PRODUCTION_RUNS})"
            yield f"| {row.name} | {kind} | {wanted[0]} | {production} | {broken} |"
    broken = sum(bool(result["violations"]) for result in results)
    yield f"| **all** | | **{len(results)} runs** | | **{broken}** |"


def _latencies(results: list[dict[str, object]]) -> Iterable[str]:
    """Return the table of what was timed, in seconds."""
    yield "| Latency | Waiting times | n | p50 | p99 | largest | target (p99) |"
    yield "|---|---|---|---|---|---|---|"
    figures: defaultdict[tuple[str, float], list[float]] = defaultdict(list)
    for result in results:
        for name, values in result["figures"].items():  # type: ignore[attr-defined]
            figures[name, float(str(result["scale"]))] += values
    for (name, scale), values in sorted(figures.items()):
        values.sort()
        p50, p99 = (values[min(len(values) - 1, int(share * len(values)))] for share in (0.5, 0.99))
        times = "production" if scale == 1.0 else f"x {scale:g}"
        target = TARGETS.get(name, "")
        yield f"| {name} | {times} | {len(values)} | {p50:.3f} | {p99:.3f} | {values[-1]:.3f} | {target} |"


if __name__ == "__main__":
    main()
