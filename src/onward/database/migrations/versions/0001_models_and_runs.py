"""Models with their versions and aliases, and the runs that count trials."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the first tables; there is no way back but a backup."""
    op.create_table(
        "models",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_models"),
        sa.CheckConstraint("next_version >= 1", name=op.f("ck_models_next_version_positive")),
    )
    op.create_table(
        "model_versions",
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("directory", sa.String(200), nullable=False),
        sa.Column("certificate", sa.String(16), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("model", "version", name="pk_model_versions"),
        sa.UniqueConstraint("model", "digest", name="uq_model_versions_model_digest"),
        sa.CheckConstraint("version >= 1", name=op.f("ck_model_versions_version_positive")),
        sa.CheckConstraint(
            "certificate IN ('passed', 'failed', 'not_run')",
            name=op.f("ck_model_versions_certificate_known"),
        ),
        sa.ForeignKeyConstraint(["model"], ["models.name"], name="fk_model_versions_model"),
    )
    op.create_table(
        "model_aliases",
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("alias", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("model", "alias", name="pk_model_aliases"),
        sa.ForeignKeyConstraint(
            ["model", "version"],
            ["model_versions.model", "model_versions.version"],
            name="fk_model_aliases_model_version",
        ),
    )
    op.create_table(
        "model_alias_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("alias", sa.String(64), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer()),
        sa.Column("previous", sa.Integer()),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_model_alias_events"),
        sa.CheckConstraint(
            "action IN ('set', 'delete', 'rollback')", name=op.f("ck_model_alias_events_action_known")
        ),
        sa.CheckConstraint(
            "(version IS NULL) = (action = 'delete')",
            name=op.f("ck_model_alias_events_version_unless_deleted"),
        ),
        sa.ForeignKeyConstraint(["model"], ["models.name"], name="fk_model_alias_events_model"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_model_alias_events_model_alias_id", "model_alias_events", ["model", "alias", "id"])
    op.create_table(
        "runs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("data_hash", sa.String(64), nullable=False),
        sa.Column("label_family", sa.String(200), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("verdicts", sa.JSON(), nullable=False),
        sa.Column("looked_at", sa.Boolean(), nullable=False),
        sa.Column("looked_at_time", sa.BigInteger()),
        sa.Column("job_id", sa.String(64)),
        sa.Column("duration_seconds", sa.Float()),
        sa.Column("model_ref", sa.String(200)),
        sa.Column("report_path", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.CheckConstraint("kind IN ('train', 'tune')", name=op.f("ck_runs_kind_known")),
        sa.CheckConstraint(
            "status IN ('running', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_runs_status_known")
        ),
        sa.CheckConstraint(
            "looked_at = (looked_at_time IS NOT NULL)", name=op.f("ck_runs_looked_at_has_time")
        ),
    )
    op.create_index("ix_runs_created_at", "runs", ["created_at"])
    op.create_index("ix_runs_job_id", "runs", ["job_id"])
    op.create_index("ix_runs_data_hash_label_family", "runs", ["data_hash", "label_family"])
