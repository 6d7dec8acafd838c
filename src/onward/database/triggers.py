"""Triggers: a job that has ended stays as it ended, and the audit log only grows, whoever writes.

They guard against every program that can reach the tables, Onward's own mistakes included; a
violation is an integrity error on both databases. The migration holds the same statements; a test
compares them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import DDL
from sqlalchemy.schema import ExecutableDDLElement

__all__ = ["AUDIT_POSTGRESQL", "AUDIT_SQLITE", "POSTGRESQL", "SQLITE", "append_only", "ddl"]

SQLITE = (
    """CREATE TRIGGER ml_jobs_ended BEFORE UPDATE ON ml_jobs
WHEN OLD.state IN ('succeeded', 'failed', 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a job that has ended does not change'); END""",
    """CREATE TRIGGER ml_jobs_steps BEFORE UPDATE OF state ON ml_jobs
WHEN NOT (OLD.state = NEW.state
    OR (OLD.state = 'queued' AND NEW.state IN ('starting', 'cancelled'))
    OR (OLD.state = 'starting' AND NEW.state IN ('running', 'stopping', 'queued', 'failed', 'cancelled'))
    OR (OLD.state = 'running' AND NEW.state IN ('stopping', 'queued', 'succeeded', 'failed', 'cancelled'))
    OR (OLD.state = 'stopping' AND NEW.state IN ('queued', 'failed', 'cancelled')))
BEGIN SELECT RAISE(ABORT, 'a job does not take this step'); END""",
    """CREATE TRIGGER ml_jobs_fence BEFORE UPDATE OF attempt ON ml_jobs
WHEN NEW.attempt < OLD.attempt
BEGIN SELECT RAISE(ABORT, 'attempts of a job only count up'); END""",
    """CREATE TRIGGER ml_jobs_kept BEFORE DELETE ON ml_jobs
WHEN OLD.state NOT IN ('succeeded', 'failed', 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a job that has not ended is not deleted'); END""",
)

POSTGRESQL = (
    """CREATE FUNCTION ml_jobs_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = TG_ARGV[0]; END $$""",
    """CREATE TRIGGER ml_jobs_ended BEFORE UPDATE ON ml_jobs FOR EACH ROW
WHEN (OLD.state IN ('succeeded', 'failed', 'cancelled'))
EXECUTE FUNCTION ml_jobs_refuse('a job that has ended does not change')""",
    """CREATE TRIGGER ml_jobs_steps BEFORE UPDATE OF state ON ml_jobs FOR EACH ROW
WHEN (NOT (OLD.state = NEW.state
    OR (OLD.state = 'queued' AND NEW.state IN ('starting', 'cancelled'))
    OR (OLD.state = 'starting' AND NEW.state IN ('running', 'stopping', 'queued', 'failed', 'cancelled'))
    OR (OLD.state = 'running' AND NEW.state IN ('stopping', 'queued', 'succeeded', 'failed', 'cancelled'))
    OR (OLD.state = 'stopping' AND NEW.state IN ('queued', 'failed', 'cancelled'))))
EXECUTE FUNCTION ml_jobs_refuse('a job does not take this step')""",
    """CREATE TRIGGER ml_jobs_fence BEFORE UPDATE OF attempt ON ml_jobs FOR EACH ROW
WHEN (NEW.attempt < OLD.attempt)
EXECUTE FUNCTION ml_jobs_refuse('attempts of a job only count up')""",
    """CREATE TRIGGER ml_jobs_kept BEFORE DELETE ON ml_jobs FOR EACH ROW
WHEN (OLD.state NOT IN ('succeeded', 'failed', 'cancelled'))
EXECUTE FUNCTION ml_jobs_refuse('a job that has not ended is not deleted')""",
)


AUDIT_SQLITE = (
    """CREATE TRIGGER audit_log_kept BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END""",
    """CREATE TRIGGER audit_log_grows BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END""",
)

AUDIT_POSTGRESQL = (
    """CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'the audit log only grows'; END $$""",
    """CREATE TRIGGER audit_log_kept BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW
EXECUTE FUNCTION audit_log_refuse()""",
    """CREATE TRIGGER audit_log_grows BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT
EXECUTE FUNCTION audit_log_refuse()""",
)


def ddl() -> list[ExecutableDDLElement]:
    """Return the statements of the job table, each for its database, to be run after it was made."""
    return _statements(SQLITE, POSTGRESQL)


def append_only() -> list[ExecutableDDLElement]:
    """Return the statements of the audit log, likewise."""
    return _statements(AUDIT_SQLITE, AUDIT_POSTGRESQL)


def _statements(sqlite: Sequence[str], postgresql: Sequence[str]) -> list[ExecutableDDLElement]:
    dialects = {"sqlite": sqlite, "postgresql": postgresql}
    return [
        DDL(text).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
        for dialect, texts in dialects.items()
        for text in texts
    ]
