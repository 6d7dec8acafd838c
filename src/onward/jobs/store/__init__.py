"""The state of jobs in SQL: SQLite for one host, PostgreSQL for several."""

from onward.jobs.store.sql_store import SqlJobStore

__all__ = ["SqlJobStore"]
