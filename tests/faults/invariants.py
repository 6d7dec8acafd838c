"""The invariants I1 to I10, judged from the tables, the triggers' log and what the auditor saw."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import text

from onward.jobs.states import STEPS, TERMINAL
from onward.jobs.values import Job
from tests.faults.world import World

__all__ = ["looks", "violations"]


def violations(world: World) -> list[str]:
    """Return what is broken, in words; empty when all is well. Servers still run."""
    jobs = _all_jobs(world)
    return [*_rows(world, jobs), *_results(world, jobs), *_processes(world), *_events(world), *_leases(world)]


def looks(world: World) -> list[tuple[float, dict[str, list[int]]]]:
    """Return what the auditor saw: wall second, then processes by attempt (running, suspended)."""
    found = []
    for line in world.audit.read_text().splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue  # being written just now
        found.append((entry["at"], entry["live"]))
    return found


def _rows(world: World, jobs: Sequence[Job]) -> Iterator[str]:
    """I1, I2, I8: who was accepted exists; one terminal state for ever; lawful steps."""
    terminal: defaultdict[str, list[str]] = defaultdict(list)
    states: dict[str, str] = {}
    for job_id, attempt, before, after, _ in world.transitions():
        if after not in STEPS[before]:  # type: ignore[index]
            yield f"I2: {job_id}/{attempt} stepped from {before} to {after}"
        if states.get(job_id, before) != before:
            yield f"I2: {job_id}/{attempt} was {states[job_id]}, then left {before}"
        states[job_id] = after
        if after in TERMINAL:
            terminal[job_id].append(after)
    for job_id, ends in terminal.items():
        if len(ends) > 1:
            yield f"I2: {job_id} ended {len(ends)} times: {ends}"
    found = {job.id: job for job in jobs}
    for job_id in world.accepted - found.keys():
        yield f"I1: {job_id} was accepted and is not there"
    for job_id, job in found.items():
        if job_id in states and states[job_id] != job.state:
            yield f"I2: {job_id} is {job.state}, its last step led to {states[job_id]}"
    keys = [job.request.idempotency_key for job in found.values() if job.request.idempotency_key]
    if len(keys) != len(set(keys)):
        yield "I8: a key has two jobs"


def _results(world: World, found: Sequence[Job]) -> Iterator[str]:
    """I3: a published result for each job that succeeded with an artifact, from its last attempt."""
    published: defaultdict[str, list[int]] = defaultdict(list)
    for job_id, attempt in world.published():
        published[job_id].append(attempt)
    jobs = {job.id: job for job in found}
    for job_id, attempts in published.items():
        job = jobs.get(job_id)
        if job is None or attempts != [job.attempt] or job.state != "succeeded":
            yield f"I3: {job_id} published by {attempts}, is {job and (job.state, job.attempt)}"
    for job in jobs.values():
        if job.state == "succeeded" and job.kind in ("publish", "small"):
            artifact = world.directory / "models" / job.id / str(job.attempt) / "artifact.txt"
            if published.get(job.id) != [job.attempt] or not artifact.exists():
                yield f"I3: {job.id} succeeded and published {published.get(job.id)}"
            elif artifact.read_text().partition("\n")[0] != f"{job.id}/{job.attempt}":
                yield f"I3: the artifact of {job.id} is somebody else's"


def _processes(world: World) -> Iterator[str]:
    """I4 to I7: no two attempts at once, none after a cancel, not too many, nobody else touched."""
    cancelled = {row[0]: row[4] for row in world.transitions() if row[3] == "cancelled"}
    before: set[str] = set()
    for at, live in looks(world):
        active = {attempt for attempt, (running, _) in live.items() if running}
        for attempt in live:
            job_id = attempt.partition("/")[0]
            if job_id in cancelled and at > cancelled[job_id]:
                yield f"I5: {attempt} has processes {at - cancelled[job_id]:.2f} s after it was cancelled"
        # A look takes some milliseconds, in which one may end and another begin: what counts is seen twice.
        lasting = active & before
        twice = [job_id for job_id, count in _count(lasting).items() if count > 1]
        for job_id in twice:
            yield f"I4: two attempts of {job_id} were at work at once, {at:.2f}"
        if world.allowed_at_once is not None and len(lasting) > world.allowed_at_once:
            yield f"I6: {len(lasting)} attempts at once, {world.allowed_at_once} allowed"
        before = active
    for bystander in world.bystanders:
        if bystander.poll() is not None:
            yield f"I7: a foreign process was ended by {bystander.returncode}"


def _count(attempts: set[str]) -> Counter[str]:
    return Counter(attempt.partition("/")[0] for attempt in attempts)


def _events(world: World) -> Iterator[str]:
    """I10: numbers of events have no gap and no repeat."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    with world.engine.connect() as connection:
        for job_id, seq in connection.execute(
            text("SELECT job_id, seq FROM ml_job_events ORDER BY job_id, seq")
        ):
            numbers[job_id].append(seq)
    for job_id, found in numbers.items():
        if found != list(range(1, len(found) + 1)):
            yield f"I10: events of {job_id} are numbered {found[:20]}"


def _leases(world: World) -> Iterator[str]:
    """I9: whoever lost its server is taken over in time (where one was there to do it); and all targets."""
    for miss in world.misses():
        if not miss.excused:
            unowned = miss.name.endswith("queued again") or "owner dead" in miss.name
            yield f"{'I9' if unowned else 'target'}: {miss.text}"


def _all_jobs(world: World) -> Sequence[Job]:
    jobs: list[Job] = []
    cursor = None
    while True:
        page = world.store.find(limit=1000, cursor=cursor)
        jobs += page.jobs
        cursor = page.cursor
        if cursor is None:
            return jobs
