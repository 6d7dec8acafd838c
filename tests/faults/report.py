"""Write the figures of ``.faults/`` into docs/reliability.md: ``python -m tests.faults.report``."""

from __future__ import annotations

import os
import platform
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.faults.machine import STOOD_STILL
from tests.faults.matrix import MATRIX
from tests.faults.plans import PRODUCTION_RUNS
from tests.faults.results import results
from tests.faults.targets import TARGETS, statistics

__all__ = ["figures", "main", "missed_targets"]

PAGE = Path("docs/reliability.md")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
Result = Mapping[str, Any]


def main() -> None:
    if len(sys.argv) > 1:
        sys.exit("tests.faults.report takes no arguments: it writes the figures of .faults/ into the page")
    found = results()
    if not found:
        sys.exit("there are no results in .faults/; the page stays as it is")
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text("\n".join([head + BEGIN, *figures(found), END + tail]))


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


def missed_targets(found: Sequence[Result]) -> list[str]:
    """Return what misses its target at the waiting times of production, and no busy machine explains."""
    final, _, _ = _judged(found)
    missed = []
    for (name, scale), values in sorted(_timed(final).items()):
        if name in TARGETS and scale == 1.0:
            target = TARGETS[name]
            value = statistics(values)[target.which]
            if value > target.seconds and not _busy(final, name):
                missed.append(f"{name}: {target.which} {value:.3f} s, {target.seconds:g} s are allowed")
    return missed


def _busy(found: Sequence[Result], name: str) -> bool:
    """Return whether runs at production times said that the machine explains a figure."""
    return any(
        text.startswith(f"{name}: ")
        for result in found
        if result["scale"] == 1.0
        for text in result.get("busy", ())
    )


def _timed(found: Sequence[Result]) -> Mapping[tuple[str, float], list[float]]:
    timed: defaultdict[tuple[str, float], list[float]] = defaultdict(list)
    for result in found:
        for name, values in result["figures"].items():
            if not name.startswith("soak"):
                timed[name, float(result["scale"])] += values
    return timed


def _judged(found: Sequence[Result]) -> tuple[list[Result], list[Result], list[Result]]:
    """Return the last result of every run, those that a standstill excused, those that failed before."""
    last: dict[tuple[Any, ...], Result] = {}
    excused: list[Result] = []
    failed: list[Result] = []
    for result in found:
        key = (result["row"], result["database"], result["scale"], result["number"])
        if key in last and last[key]["violations"]:
            (excused if last[key].get("excused") else failed).append(last[key])
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
    yield from _codes(final)
    for result in (*excused, *failed):
        for text in result["violations"]:
            if text.startswith(("target:", "I9:")):
                yield f"Missed by an earlier run of “{result['row']}”: {text.partition(chr(10))[0]}."
    for name, often in sorted(Counter(result["row"] for result in failed).items()):
        yield f"{often} further runs of “{name}” failed and were repeated with success."
    for row in MATRIX:
        if reason := row.missing():
            yield f"Not run: {row.name}, because {reason}."


def _codes(final: Sequence[Result]) -> Iterable[str]:
    """Say on how many states of the product the figures rest."""
    newest = max(final, key=lambda result: result.get("at", 0.0), default=None)
    if newest is None:
        return
    codes = {(result.get("product", ""), result.get("suite", "")) for result in final}
    same = sum(result.get("product") == newest.get("product") for result in final)
    unknown = sum("product" not in result for result in final)
    if unknown == len(final):
        yield "All runs are from before the state of the product was noted with each."
        return
    told = f"product {newest.get('product', 'unknown')}, commit {newest.get('commit', '') or 'unknown'}"
    yield (
        f"Figures rest on {len(codes)} states of product and tests; {same} of {len(final)} runs were made "
        f"with the newest product ({told})"
        + (f"; {unknown} are from before states were noted." if unknown else ".")
    )


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
    for (name, scale), values in sorted(_timed(found).items()):
        shown = statistics(values)
        times = "production" if scale == 1.0 else f"x {scale:g}"
        cells = " | ".join(f"{value:.3f}" for value in shown.values())
        yield f"| {name} | {times} | {len(values)} | {cells} | {_target(found, name, scale, shown)} |"


def _target(found: Sequence[Result], name: str, scale: float, shown: Mapping[str, float]) -> str:
    """Return what was aimed at, and whether it was missed; only production's waiting times compare."""
    if name not in TARGETS or scale != 1.0:
        return ""
    target = TARGETS[name]
    text = f"{target.which} ≤ {target.seconds:g} s"
    if shown[target.which] <= target.seconds:
        return text
    return f"{text}, **missed**" + (", the machine was busy" if _busy(found, name) else "")


if __name__ == "__main__":
    main()
