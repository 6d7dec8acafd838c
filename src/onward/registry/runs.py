"""The table ``runs``: one row a train or tune, which makes it the counter of trials."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    and_,
    case,
    distinct,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from onward.database.moments import Clock, utc_now
from onward.database.tables import ml_jobs, runs
from onward.database.transactions import exclusive, reading, writing
from onward.errors import RegistryError, RegistryNotFoundError, nearest
from onward.registry.plain import plain
from onward.registry.runvalues import (
    Kind,
    Run,
    RunComparison,
    RunRecord,
    RunVerdict,
    Status,
    bars_overlap,
    compare_runs,
    lost,
)

__all__ = ["RunStore"]

KINDS = ("train", "tune")
STATUSES = ("running", "succeeded", "failed", "cancelled")
LOCK = "onward-runs"


class RunStore:
    """Remembers every run. Runs are never deleted: forgetting trials would flatter the verdict.

    Safe to use from several threads and processes.

    Parameters
    ----------
    engine
        From `onward.database.open_database`, its tables up to date.
    clock
        Gives this moment, UTC.
    gone
        Tells whether a program that a running run noted is there no more. Such a run is read as one
        that failed; its row stays, so that a look that was wrong does no harm.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Clock = utc_now,
        gone: Callable[[Mapping[str, Any]], bool] = lambda _: False,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._gone = gone

    def record(self, record: RunRecord) -> Run:
        """Insert a run and return it with its id.

        Raises
        ------
        RegistryError
            When a field is not as it must be, or has no JSON form.
        """
        with writing(self._engine) as connection:
            return self.insert(connection, record)

    def insert(self, connection: Connection, record: RunRecord) -> Run:
        """Insert a run inside the caller's transaction, such as a job's terminal one."""
        _check(record)
        now = self._clock()
        run_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        connection.execute(
            insert(runs).values(
                id=run_id,
                created_at=now,
                looked_at_time=now if record.looked_at else None,
                **_columns(record),
            )
        )
        return self._get(connection, run_id)

    def update(
        self,
        run_id: str,
        *,
        status: Status | None = None,
        scores: dict[str, Any] | None = None,
        verdicts: dict[str, RunVerdict] | None = None,
        duration_seconds: float | None = None,
        model_ref: str | None = None,
        report_path: str | None = None,
        audit: str | None = None,
        error: Mapping[str, str] | None = None,
        process: Mapping[str, Any] | None = None,
    ) -> Run:
        """Fill in what was not known when the run was recorded; None leaves a field as it is.

        A run that goes on or ends well after all has no ``error`` any more.

        Raises
        ------
        RegistryError
            When there is no such run.
        """
        given = {
            "status": status,
            "scores": scores,
            "verdicts": verdicts,
            "duration_seconds": duration_seconds,
            "model_ref": model_ref,
            "report_path": report_path,
            "audit": audit,
            "error": error,
            "process": process,
        }
        changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        with writing(self._engine) as connection:
            return self.change(connection, run_id, changes)

    def change(self, connection: Connection, run_id: str, changes: Mapping[str, Any]) -> Run:
        """Fill in fields inside the caller's transaction, such as a job's terminal one.

        Parameters
        ----------
        connection
            Inside `onward.database.writing`.
        run_id
            Of the run.
        changes
            New values by name of the field of `RunRecord`.

        Raises
        ------
        RegistryError
            When there is no such run.
        """
        run = self._get(connection, run_id)
        if changes.get("status", "failed") != "failed":
            changes = {**changes, "error": None}
        changed = dataclasses.replace(run.record, **changes)
        _check(changed)
        columns = {name: value for name, value in _columns(changed).items() if name in changes}
        if columns:
            connection.execute(update(runs).where(runs.c.id == run.id).values(columns))
        return self._get(connection, run.id)

    def take_up(self, record: RunRecord) -> Run:
        """Return the running row of a job: an earlier attempt's with the same plan and data, or a new one.

        Parameters
        ----------
        record
            With the ``job_id``. Where an earlier attempt saw other data, its row is closed: it was
            another configuration.
        """
        assert record.job_id is not None
        own = runs.c.job_id == record.job_id
        same = and_(own, runs.c.plan_hash == record.plan_hash, runs.c.data_hash == record.data_hash)
        with writing(self._engine) as connection:
            exclusive(connection, LOCK)
            found = connection.scalars(select(runs.c.id).where(same).order_by(runs.c.id).limit(1)).first()
            connection.execute(
                update(runs)
                .where(and_(own, runs.c.status == "running", runs.c.id != (found or "")))
                .values(status="failed")
            )
            if found is None:
                return self.insert(connection, record)
            return self.change(connection, found, {"status": "running"})

    def close_ended(self) -> int:
        """Close every running row whose job has ended or is gone, and return how many there were.

        A run is cancelled when its job was, else failed: what succeeds is written down in the
        transaction that ends the job.
        """
        job = select(ml_jobs.c.state).where(ml_jobs.c.id == runs.c.job_id).scalar_subquery()
        alive = exists().where(
            ml_jobs.c.id == runs.c.job_id, ml_jobs.c.state.not_in(("succeeded", "failed", "cancelled"))
        )
        closed = (
            update(runs)
            .where(runs.c.status == "running", runs.c.job_id.is_not(None), ~alive)
            .values(status=case((job == "cancelled", "cancelled"), else_="failed"))
        )
        with writing(self._engine) as connection:
            return connection.execute(closed).rowcount

    def of_job(self, job_id: str) -> tuple[Run, ...]:
        """Return the runs of a job, oldest first."""
        query = select(runs).where(runs.c.job_id == job_id).order_by(runs.c.created_at, runs.c.id)
        with reading(self._engine) as connection:
            return tuple(self._read(row) for row in connection.execute(query))

    def get(self, run_id: str) -> Run:
        """Return a run by its id, or by the beginning of it when that is unique.

        Raises
        ------
        RegistryError
            When there is none, or more than one.
        """
        with reading(self._engine) as connection:
            return self._get(connection, run_id)

    def list(
        self,
        *,
        kind: Kind | None = None,
        data_hash: str | None = None,
        label_family: str | None = None,
        limit: int | None = None,
        before: str | None = None,
    ) -> tuple[Run, ...]:
        """Return runs, newest first.

        Parameters
        ----------
        kind, data_hash, label_family
            Only runs that have this; None = any.
        limit
            At most so many; None = all.
        before
            Only runs older than this one, by its id: where a page of a list goes on. A run that does
            not exist has no older ones.
        """
        wanted = {"kind": kind, "data_hash": data_hash, "label_family": label_family}
        query = select(runs).order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit)
        for name, value in wanted.items():
            if value is not None:
                query = query.where(runs.c[name] == value)
        if before is not None:
            last = select(runs.c.created_at).where(runs.c.id == before).scalar_subquery()
            query = query.where(
                or_(runs.c.created_at < last, and_(runs.c.created_at == last, runs.c.id < before))
            )
        with reading(self._engine) as connection:
            return tuple(self._read(row) for row in connection.execute(query))

    def compare(self, run_ids: Sequence[str]) -> RunComparison:
        """Lay runs side by side.

        Raises
        ------
        RegistryError
            When a run does not exist, or there are fewer than two.
        """
        if isinstance(run_ids, str) or len(run_ids) < 2:
            raise RegistryError(
                "A comparison needs at least two runs",
                got=repr(run_ids),
                allowed="two or more run ids",
                remedy="`onward runs list` shows them.",
            )
        with reading(self._engine) as connection:
            return compare_runs([self._get(connection, run_id) for run_id in run_ids])

    def looked_at(self, data_hash: str, label_family: str) -> int:
        """Return how many configurations had their outer scores looked at on these data.

        Counts distinct plan hashes among the looked-at runs of this data hash and label family:
        the number of trials that the verdict's Sidak correction takes (DESIGN 9). Trials of a
        nested search are not looked at and do not count.
        """
        with reading(self._engine) as connection:
            return _count(connection, data_hash, label_family)

    def looked_at_nearby(self, run_id: str) -> int:
        """Return how many configurations were looked at on other data that overlap those of a run.

        Counts the looked-at runs of the same label family and timeframe, distinct by plan and data,
        whose bars share a symbol and a stretch of time with the run's without being the same data:
        a range a little shorter, a newer file. `looked_at` does not count them.
        """
        with reading(self._engine) as connection:
            own = self._get(connection, run_id).record
            other = connection.execute(
                select(runs.c.plan_hash, runs.c.data_hash, runs.c.data).where(
                    runs.c.label_family == own.label_family,
                    runs.c.data_hash != own.data_hash,
                    runs.c.looked_at,
                )
            ).all()
        return len({(row.plan_hash, row.data_hash) for row in other if bars_overlap(own.data, row.data)})

    def mark_looked_at(self, run_id: str) -> int:
        """Note that somebody saw a run's outer scores, and return the count that follows.

        Marking and counting are one step: of several runs that finish at the same moment each
        gets a count of its own. Marking again keeps the first moment.

        Returns
        -------
        int
            As `looked_at`, this run included.
        """
        with writing(self._engine) as connection:
            exclusive(connection, LOCK)
            run = self._get(connection, run_id)
            connection.execute(
                update(runs)
                .where(and_(runs.c.id == run.id, runs.c.looked_at.is_(False)))
                .values(looked_at=True, looked_at_time=self._clock())
            )
            return _count(connection, run.record.data_hash, run.record.label_family)

    def _get(self, connection: Connection, run_id: object) -> Run:
        text = run_id if isinstance(run_id, str) else ""
        starts = runs.c.id.startswith(text, autoescape=True)
        found = (
            connection.execute(select(runs).where(starts).order_by(runs.c.id).limit(3)).all() if text else []
        )
        exact = [row for row in found if row.id == text]
        if len(found) == 1 or exact:
            return self._read((exact or found)[0])
        if found:
            raise RegistryError(
                "Several runs begin with these characters",
                got=text,
                allowed=", ".join(row.id for row in found),
                remedy="Give more of the id.",
            )
        newest = connection.scalars(select(runs.c.id).order_by(runs.c.created_at.desc()).limit(20)).all()
        guess = nearest(text, newest)
        raise RegistryNotFoundError(
            "There is no such run",
            got=repr(run_id),
            allowed=", ".join(newest[:3]) or "none has been recorded yet",
            remedy=f"Did you mean {guess}?" if guess else "`onward runs list` shows them.",
        )

    def _read(self, row: Row[Any]) -> Run:
        run = _read(row)
        program = run.record.process
        if run.record.status == "running" and program is not None and self._gone(program):
            return dataclasses.replace(run, record=lost(run.record))
        return run


def _count(connection: Connection, data_hash: str, label_family: str) -> int:
    query = select(func.count(distinct(runs.c.plan_hash))).where(
        runs.c.data_hash == data_hash, runs.c.label_family == label_family, runs.c.looked_at
    )
    return int(connection.execute(query).scalar_one())


def _check(record: RunRecord) -> None:
    if record.kind not in KINDS:
        raise RegistryError("A run is of no such kind", got=repr(record.kind), allowed=", ".join(KINDS))
    if record.status not in STATUSES:
        raise RegistryError("A run has no such status", got=repr(record.status), allowed=", ".join(STATUSES))
    limits = {"plan_hash": 64, "data_hash": 64, "label_family": 200}
    for name, limit in limits.items():
        value = getattr(record, name)
        if not isinstance(value, str) or not 0 < len(value) <= limit:
            raise RegistryError(
                f"A run needs a {name}", got=repr(value), allowed=f"text of 1 to {limit} characters"
            )


def _columns(record: RunRecord) -> dict[str, Any]:
    columns = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    return columns | {
        name: plain(columns[name]) for name in ("plan", "data", "scores", "verdicts", "error", "process")
    }


def _read(row: Row[Any]) -> Run:
    values = dict(row._mapping)
    moments: dict[str, datetime] = {name: values.pop(name) for name in ("created_at", "looked_at_time")}
    verdicts = {name: RunVerdict(**verdict) for name, verdict in values.pop("verdicts").items()}
    return Run(id=values.pop("id"), record=RunRecord(verdicts=verdicts, **values), **moments)
