"""What the end of a job promised to publish in a registry elsewhere (MLflow)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the outbox; it stays empty unless models are kept elsewhere."""
    op.create_table(
        "registry_outbox",
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("directory", sa.String(200), nullable=False),
        sa.Column("alias", sa.String(64)),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("posted_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("job_id", name="pk_registry_outbox"),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_registry_outbox_attempts_not_negative")),
    )
