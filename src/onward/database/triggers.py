"""Triggers of the job table: what has ended stays as it ended, whoever writes.

They guard against every program that can reach the table, Onward's own mistakes included; a
violation is an integrity error on both databases. The migration holds the same statements; a test
compares them.
"""

from __future__ import annotations

from sqlalchemy import DDL
from sqlalchemy.schema import ExecutableDDLElement

__all__ = ["POSTGRESQL", "SQLITE", "ddl"]

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


def ddl() -> list[ExecutableDDLElement]:
    """Return the statements, each for its database, to be run after the table was made."""
    dialects = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
    return [
        DDL(text).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
        for dialect, texts in dialects.items()
        for text in texts
    ]
