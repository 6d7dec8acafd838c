"""Which process trains stands in the row of a run, so that one that was killed is not taken for running."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column that is empty for older runs, and for those of jobs, whose workers are watched."""
    op.add_column("runs", sa.Column("process", sa.JSON(none_as_null=True)))
