"""Why a run failed stands in its row, so that it is known when the terminal it was said in is closed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column that is empty for older runs: nobody kept what they ended with."""
    op.add_column("runs", sa.Column("error", sa.JSON(none_as_null=True)))
