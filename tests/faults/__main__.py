"""The full fault matrix: ``python -m tests.faults``, or ``make faults``.

FAULTS_SHARD=1/4 runs every fourth run, FAULTS_SEED seeds them, FAULTS_ROWS picks rows by a part of
their names, FAULTS_COUNT bounds the runs a row, FAULTS_SCALE scales all waiting times (default 0.1;
three runs a row are made at 1.0 as well), FAULTS_MINUTES ends a shard early (default 45). What was
done is kept in ``.faults/``, so that an interrupted matrix goes on where it was.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from tests.faults.rows import ROWS, Row
from tests.faults.runner import Databases, run

RESULTS = Path(".faults")
PRODUCTION_RUNS = 3


def planned() -> list[tuple[Row, str, float, int]]:
    """Return every run: row, database, scale, number; rows take turns, so that a short matrix sees all."""
    count = int(os.environ.get("FAULTS_COUNT", "1000000"))
    scale = float(os.environ.get("FAULTS_SCALE", "0.1"))
    chosen = os.environ.get("FAULTS_ROWS", "")
    runs = [
        (number, row, kind, factor)
        for row in ROWS
        if chosen in row.name
        for kind in row.databases
        for factor, wanted in scales(row, scale)
        for number in range(wanted if factor == scale or row.production else min(wanted, count // 10))
        if number < count
    ]
    return [(row, kind, factor, number) for number, row, kind, factor in sorted(runs, key=lambda r: r[0])]


def scales(row: Row, scale: float) -> list[tuple[float, int]]:
    """Return at which scales a row is run, and how often."""
    return [(1.0, row.count)] if row.production else [(scale, row.count), (1.0, PRODUCTION_RUNS)]


def main() -> int:
    shard, _, shards = os.environ.get("FAULTS_SHARD", "1/1").partition("/")
    seed = int(os.environ.get("FAULTS_SEED", str(int(time.time()))))
    minutes = float(os.environ.get("FAULTS_MINUTES", "45"))
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"results-{shard}-of-{shards}.jsonl"
    done = {(r["row"], r["database"], r["scale"], r["number"]) for r in _read(file) if not r["violations"]}
    mine = [plan for place, plan in enumerate(planned()) if place % int(shards) == int(shard) - 1]
    print(f"seed {seed}, shard {shard} of {shards}: {len(mine)} runs, {len(done)} of them done", flush=True)
    deadline = time.monotonic() + minutes * 60
    broken = 0
    with Databases() as databases, file.open("a", buffering=1) as results:
        for row, kind, scale, number in mine:
            if (row.name, kind, scale, number) in done:
                continue
            if time.monotonic() > deadline:
                print("time is up; call again to go on")
                break
            result = run(row, kind, databases, scale=scale, seed=seed * 1_000 + number)
            results.write(json.dumps({**result, "number": number}) + "\n")
            broken += bool(result["violations"])
            print(f"{row.name:50} {kind:10} {scale:4} #{number:<3} {result['seconds']:7.1f} s", flush=True)
            for violation in result["violations"]:
                print(f"  VIOLATION {violation}", flush=True)
    print(f"{broken} runs with violations")
    return 1 if broken else 0


def _read(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


if __name__ == "__main__":
    sys.exit(main())
