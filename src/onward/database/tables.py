"""Every table, in SQLAlchemy Core. The migrations make exactly these; a test compares them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from onward.database.moments import Moment

__all__ = ["metadata", "model_alias_events", "model_aliases", "model_versions", "models", "runs"]

metadata = MetaData(
    # Constraints need names of their own: a later migration can only drop what it can name.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

models = Table(
    "models",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("created_at", Moment, nullable=False),
    # Counts up for ever: the number of a deleted version is never given again.
    Column("next_version", Integer, nullable=False),
    CheckConstraint("next_version >= 1", name="next_version_positive"),
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("model", String(100), ForeignKey("models.name"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("directory", String(200), nullable=False),
    Column("certificate", String(16), nullable=False),
    Column("manifest", JSON(none_as_null=True), nullable=False),
    Column("published_at", Moment, nullable=False),
    # Publishing the same bundle twice is publishing it once.
    UniqueConstraint("model", "digest"),
    CheckConstraint("version >= 1", name="version_positive"),
    CheckConstraint("certificate IN ('passed', 'failed', 'not_run')", name="certificate_known"),
)

model_aliases = Table(
    "model_aliases",
    metadata,
    Column("model", String(100), primary_key=True),
    Column("alias", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    # No ON DELETE: the database itself refuses to delete a version that an alias names.
    ForeignKeyConstraint(["model", "version"], ["model_versions.model", "model_versions.version"]),
)

model_alias_events = Table(
    "model_alias_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("model", String(100), ForeignKey("models.name"), nullable=False),
    Column("alias", String(64), nullable=False),
    Column("action", String(16), nullable=False),
    # History outlives the versions it speaks of, so these are not foreign keys.
    Column("version", Integer),
    Column("previous", Integer),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
    CheckConstraint("action IN ('set', 'delete', 'rollback')", name="action_known"),
    CheckConstraint("(version IS NULL) = (action = 'delete')", name="version_unless_deleted"),
    Index("ix_model_alias_events_model_alias_id", "model", "alias", "id"),
    sqlite_autoincrement=True,
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("created_at", Moment, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("plan_hash", String(64), nullable=False),
    Column("plan", JSON(none_as_null=True), nullable=False),
    Column("data_hash", String(64), nullable=False),
    Column("label_family", String(200), nullable=False),
    Column("data", JSON(none_as_null=True), nullable=False),
    Column("scores", JSON(none_as_null=True), nullable=False),
    Column("verdicts", JSON(none_as_null=True), nullable=False),
    Column("looked_at", Boolean, nullable=False),
    Column("looked_at_time", Moment),
    Column("job_id", String(64), index=True),
    Column("duration_seconds", Float),
    Column("model_ref", String(200)),
    Column("report_path", Text),
    CheckConstraint("kind IN ('train', 'tune')", name="kind_known"),
    CheckConstraint("status IN ('running', 'succeeded', 'failed', 'cancelled')", name="status_known"),
    CheckConstraint("looked_at = (looked_at_time IS NOT NULL)", name="looked_at_has_time"),
    Index("ix_runs_data_hash_label_family", "data_hash", "label_family"),
)
