"""Alembic's entry: run migrations on the connection that `onward.database.migrate` hands over."""

from __future__ import annotations

from alembic import context

from onward.database.tables import metadata

connection = context.config.attributes["connection"]
# The caller's transaction holds the lock and commits: SQLite's DDL is transactional once the
# driver is told to keep its hands off, which Alembic cannot know.
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
