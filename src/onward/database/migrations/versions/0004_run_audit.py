"""How the leak audit of a run ended stands in its row, so that lists can say so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column that is empty for older runs: whether they were audited stands in their reports."""
    op.add_column("runs", sa.Column("audit", sa.String(16)))
