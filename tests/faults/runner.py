"""Makes a world for one run of a row, lets the fault happen, and judges."""

from __future__ import annotations

import re
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.faults.grounds import Grounds
from tests.faults.hatchery import Hatchery
from tests.faults.invariants import looks, violations
from tests.faults.machine import STOOD_STILL, Machine
from tests.faults.row import Row
from tests.faults.world import World

__all__ = ["run"]

ALWAYS = ("I1:", "I2:", "I3:", "I5:", "I7:", "I8:", "I10:")
"""What no machine, however slow, may break."""
LOG_TAIL = 3_000
EVIDENCE = 100
JOB_ID = re.compile(r"\b[0-9a-f]{16}\b")
AUDITED = 0.2
"""Seconds after which the auditor has looked again."""


def run(
    row: Row,
    kind: str,
    grounds: Grounds,
    *,
    scale: float,
    seed: int,
    server: int = 0,
    generous: bool = False,
) -> dict[str, Any]:
    """Carry out one run and return what it found; ``generous``: figures are not what it is about.

    Returns
    -------
    dict
        ``violations``; ``figures``; ``seconds``; ``stall``, for how long the machine stood still
        meanwhile; ``excused``, whether that and nothing worse may explain the violations; ``busy``,
        targets that were missed by no more than the machine was busy.
    """
    began = time.monotonic()
    machine = Machine(grounds.directory)
    figures: dict[str, list[float]] = {}
    busy: list[str] = []
    with ExitStack() as resources:
        name = resources.enter_context(
            tempfile.TemporaryDirectory(dir=grounds.worlds, prefix="w-", ignore_cleanup_errors=True)
        )
        directory = Path(name)
        try:
            url, postgres = resources.enter_context(
                grounds.database(kind, directory, own=row.own_server, number=server)
            )
            hatchery = resources.enter_context(Hatchery(directory)).address if row.namespace else None
            world = resources.enter_context(
                World(
                    url,
                    directory,
                    scale=scale,
                    seed=seed,
                    hatchery=hatchery or grounds.hatchery,
                    machine=machine,
                    generous=generous,
                )
            )
            world.postgres = postgres
            figures = world.figures
            try:
                row.run(world)
                time.sleep(AUDITED)
                found = [_with_evidence(each, world) for each in dict.fromkeys(violations(world))]
                busy = [miss.text for miss in world.misses() if miss.excused]
                assert machine.watched(), "nobody looked which processes live"
            except Exception:
                for left in world.servers:
                    if left.alive:
                        left.kill()
                raise
        except Exception as error:  # whatever it was, this run has not passed
            logs = "\n".join(log.read_text()[-LOG_TAIL:] for log in sorted(directory.glob("server-*.log")))
            found = [f"{row.name}: {type(error).__name__} {_where(error)}{error}\n{logs}"]
    stall = machine.stall()
    return {
        "row": row.name,
        "database": kind,
        "seed": seed,
        "scale": scale,
        "violations": found,
        "figures": figures,
        "seconds": round(time.monotonic() - began, 2),
        "stall": stall,
        "strain": round(machine.strained()[0], 4),
        "busy": busy,
        "excused": bool(found) and stall > STOOD_STILL and not any(f.startswith(ALWAYS) for f in found),
    }


def _with_evidence(violation: str, world: World) -> str:
    """Add what the triggers and the servers told of the jobs that a violation names."""
    lines = [violation]
    for job_id in dict.fromkeys(JOB_ID.findall(violation)):
        job = world.job(job_id)
        lines.append(f"{job_id} is a {job.kind}, {job.state} ({job.reason}), attempt {job.attempt}")
        lines += [
            f"{step[4]:.3f} attempt {step[1]}: {step[2]} -> {step[3]}"
            for step in world.transitions()
            if step[0] == job_id
        ]
        for log in sorted(world.directory.glob("server-*.log")):
            lines += [line for line in log.read_text().splitlines() if job_id in line]
        lines += [
            f"{at:.3f} {live}" for at, live in looks(world) if any(name.startswith(job_id) for name in live)
        ]
    return "\n".join(lines[:EVIDENCE])


def _where(error: BaseException) -> str:
    """Return the line of a row at which it failed: an assertion says no more of itself."""
    trace, line = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if Path(code.co_filename).parent == Path(__file__).parent and code.co_name != "run":
            line = f"in {code.co_name}, line {trace.tb_lineno}: "
            break
        trace = trace.tb_next
    return line
