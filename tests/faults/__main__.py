"""The full fault matrix: ``python -m tests.faults``, or ``make faults``.

Many worlds at once (FAULTS_JOBS; default twelve a processor: they wait far more than they compute),
the timed ones alone and after them. FAULTS_SHARD=1/4 makes every fourth run, FAULTS_SEED seeds them,
FAULTS_ROWS picks rows by a part of their names (after a ``!``, all others), FAULTS_COUNT and
FAULTS_PRODUCTION bound the runs a row at one tenth of all waiting times and at those of production,
FAULTS_SCALE is another part than one tenth, FAULTS_MINUTES ends a shard early (default 45). What was
done is kept in ``.faults/``, so that an interrupted matrix goes on where it was; FAULTS_ANEW=1 counts
as done only what this very code of the product has done. FAULTS_SOAK=7200 breaks things at random for
two hours instead. Ends with 1 after a violation, and when a figure taken with the waiting times of
production misses its target and the machine, as busy as it was measured, does not explain it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

from tests.faults.crew import Crew
from tests.faults.fingerprints import fingerprints
from tests.faults.grounds import Grounds
from tests.faults.matrix import MATRIX
from tests.faults.plans import Key, Plan, planned
from tests.faults.report import missed_targets
from tests.faults.results import Results, results
from tests.faults.row import Row
from tests.faults.soak import soak_rows

PLACES_PER_PROCESSOR = 12
WORLDS_PER_SERVER = 4


def main() -> int:
    shard, _, shards = os.environ.get("FAULTS_SHARD", "1/1").partition("/")
    seed = int(os.environ.get("FAULTS_SEED", str(int(time.time()))))
    deadline = time.monotonic() + 60.0 * float(os.environ.get("FAULTS_MINUTES", "45"))
    places = int(os.environ.get("FAULTS_JOBS", str(PLACES_PER_PROCESSOR * (os.cpu_count() or 1))))
    anew = os.environ.get("FAULTS_ANEW", "0") not in ("", "0")
    done: set[Key] = {
        (r["row"], r["database"], r["scale"], r["number"])
        for r in results()
        if not r["violations"] and (not anew or r.get("product") == fingerprints()["product"])
    }
    plans = [plan for place, plan in enumerate(_plans()) if place % int(shards) == int(shard) - 1]
    left = [plan for plan in plans if plan.key not in done]
    print(f"seed {seed}, shard {shard} of {shards}: {len(plans)} runs, {len(left)} of them to do", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # in an orderly way: nothing stays behind
    told: list[tuple[Plan, dict[str, Any]]] = []
    kept = Results(shard, shards)

    def tell(plan: Plan, result: dict[str, Any]) -> None:
        kept.add(plan.number, result)
        told.append((plan, result))
        said = f"{len(told):4}/{len(left)} {plan.row.name:50} {plan.database:10} {plan.scale:4} "
        print(f"{said} #{plan.number:<3} {result['seconds']:7.1f} s", flush=True)
        for violation in result["violations"]:
            excuse = f"the machine stood still for {result['stall']:.1f} s"
            what = excuse if result["excused"] else "VIOLATION"
            print(f"  {what}: {violation}", flush=True)
        for miss in result["busy"]:
            print(f"  target missed, the machine was busy: {miss}", flush=True)

    with Grounds(1 + places // (2 * WORLDS_PER_SERVER)) as grounds:
        if any(plan.database == "postgresql" for plan in left):
            grounds.start_postgres()
        crew = Crew(grounds, places=places, seed=seed, deadline=deadline, tell=tell)
        late = crew.work(left)
        again = [plan for plan, result in told if result["excused"]]
        late += crew.work(again)
    if late:
        print(f"time is up, {late} runs are left; call again to go on")
    broken = sum(bool(result["violations"]) and not result["excused"] for _, result in told)
    print(f"{len(told)} runs, {broken} with violations, {len(again)} repeated")
    missed = missed_targets(results())
    for miss in missed:
        print(f"target missed: {miss}")
    return 1 if broken or missed else 0


def _plans() -> list[Plan]:
    if seconds := float(os.environ.get("FAULTS_SOAK", "0")):
        return planned(soak_rows(seconds), production=0)
    count, production = (
        int(text) if (text := os.environ.get(name)) else None
        for name in ("FAULTS_COUNT", "FAULTS_PRODUCTION")
    )
    if production is None and count is not None:
        production = count // 10
    scale = float(os.environ.get("FAULTS_SCALE", "0.1"))
    return planned(filter(_chosen, MATRIX), scale=scale, count=count, production=production)


def _chosen(row: Row) -> bool:
    part = os.environ.get("FAULTS_ROWS", "")
    if (part.removeprefix("!") in row.name) == part.startswith("!"):
        return False
    if reason := row.missing():
        print(f"skipped: {row.name}: {reason}")
    return reason is None


if __name__ == "__main__":
    sys.exit(main())
