"""The one database: runs, model versions, aliases (and jobs), on SQLite or PostgreSQL."""

from onward.database.engine import open_database
from onward.database.migrate import HEAD, current_revision, ensure_current, upgrade
from onward.database.transactions import exclusive, reading, writing

__all__ = [
    "HEAD",
    "current_revision",
    "ensure_current",
    "exclusive",
    "open_database",
    "reading",
    "upgrade",
    "writing",
]
