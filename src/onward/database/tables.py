"""Every table, in SQLAlchemy Core. The migrations make exactly these; a test compares them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
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
    event,
    literal_column,
)

from onward.database.moments import Moment
from onward.database.triggers import append_only, ddl

__all__ = [
    "HELD_STATES",
    "QUEUED_STATE",
    "api_keys",
    "api_sessions",
    "audit_log",
    "metadata",
    "ml_job_events",
    "ml_job_tombstones",
    "ml_jobs",
    "model_alias_events",
    "model_aliases",
    "model_versions",
    "models",
    "registry_outbox",
    "runs",
]

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

# What the end of a job promised to publish in a registry that cannot join its transaction.
registry_outbox = Table(
    "registry_outbox",
    metadata,
    # No foreign key: jobs are forgotten after a while, a promise is not.
    Column("job_id", String(32), primary_key=True),
    Column("model", String(100), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("directory", String(200), nullable=False),
    Column("alias", String(64)),
    Column("actor", Text, nullable=False),
    Column("posted_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    CheckConstraint("attempts >= 0", name="attempts_not_negative"),
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
    Column("audit", String(16)),
    Column("error", JSON(none_as_null=True)),
    Column("process", JSON(none_as_null=True)),
    CheckConstraint("kind IN ('train', 'tune')", name="kind_known"),
    CheckConstraint("status IN ('running', 'succeeded', 'failed', 'cancelled')", name="status_known"),
    CheckConstraint("looked_at = (looked_at_time IS NOT NULL)", name="looked_at_has_time"),
    Index("ix_runs_data_hash_label_family", "data_hash", "label_family"),
)

# Written out, not bound: a database uses a partial index only where a query repeats its very words.
QUEUED_STATE = literal_column("'queued'", String)
"""The state of waiting, as it stands in the partial index."""
HELD_STATES = tuple(literal_column(f"'{state}'", String) for state in ("starting", "running", "stopping"))
"""States in which an owner holds an attempt, as they stand in the partial index."""

ml_jobs = Table(
    "ml_jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("tenant", String(100), nullable=False),
    Column("idempotency_key", String(200)),
    Column("request_hash", String(64), nullable=False),
    Column("spec", JSON(none_as_null=True), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("queued_at", Moment, nullable=False),
    Column("run_after", Moment, nullable=False),
    # Whether the request named a moment, or "at once" is meant.
    Column("scheduled", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(16)),
    # Counts up with every claim and never down: it fences whoever holds an older attempt.
    Column("attempt", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("owner", Text),
    Column("hb_seq", BigInteger, nullable=False),
    # For people to look at; no decision reads a wall clock.
    Column("heartbeat_at", Moment),
    Column("backend", String(32), nullable=False),
    Column("host", Text),
    Column("boot_id", Text),
    Column("pid", BigInteger),
    Column("pid_start_ticks", BigInteger),
    Column("sid", BigInteger),
    Column("external_ref", Text),
    Column("cancel_requested_at", Moment),
    Column("stop_deadline", Moment),
    Column("timeout_s", Float),
    Column("mem_limit_mb", Integer),
    Column("progress", JSON(none_as_null=True), nullable=False),
    Column("progress_at", Moment),
    Column("result", JSON(none_as_null=True)),
    Column("error", JSON(none_as_null=True)),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("expires_at", Moment),
    Column("retry_of", String(32)),
    # Number of the newest event: counted in the row itself, so its lock makes the numbers gapless.
    Column("event_seq", Integer, nullable=False),
    UniqueConstraint("tenant", "idempotency_key"),
    CheckConstraint(
        "state IN ('queued', 'starting', 'running', 'stopping', 'succeeded', 'failed', 'cancelled')",
        name="state_known",
    ),
    CheckConstraint(
        "reason IN ('error', 'oom', 'timeout', 'stalled', 'worker_lost', 'spawn_failed')",
        name="reason_known",
    ),
    CheckConstraint(
        "(state = 'failed' AND reason IS NOT NULL) OR state = 'stopping' "
        "OR (state <> 'failed' AND reason IS NULL)",
        name="failed_has_reason",
    ),
    CheckConstraint(
        "(state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
        name="ended_has_time",
    ),
    CheckConstraint(
        "state NOT IN ('starting', 'running', 'stopping') OR (owner IS NOT NULL AND attempt >= 1)",
        name="held_has_owner",
    ),
    CheckConstraint("state <> 'queued' OR owner IS NULL", name="queued_has_no_owner"),
    CheckConstraint("max_attempts >= 1", name="max_attempts_positive"),
    CheckConstraint("attempt >= 0", name="attempt_not_negative"),
    Index("ix_ml_jobs_queued_at_id", "queued_at", "id"),
)
Index(
    "ix_ml_jobs_queued",
    ml_jobs.c.priority.desc(),
    ml_jobs.c.queued_at,
    ml_jobs.c.id,
    sqlite_where=ml_jobs.c.state == QUEUED_STATE,
    postgresql_where=ml_jobs.c.state == QUEUED_STATE,
)
Index(
    "ix_ml_jobs_held",
    ml_jobs.c.owner,
    sqlite_where=ml_jobs.c.state.in_(HELD_STATES),
    postgresql_where=ml_jobs.c.state.in_(HELD_STATES),
)

ml_job_events = Table(
    "ml_job_events",
    metadata,
    Column("job_id", String(32), ForeignKey("ml_jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, nullable=False),
    Column("ts", Moment, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("payload", JSON(none_as_null=True), nullable=False),
    CheckConstraint("seq >= 1", name="seq_positive"),
)

# What is left of a pruned job that had a key: enough to answer whoever asks with it again.
ml_job_tombstones = Table(
    "ml_job_tombstones",
    metadata,
    Column("tenant", String(100), primary_key=True),
    Column("idempotency_key", String(200), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("job_id", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(16)),
    Column("attempt", Integer, nullable=False),
    Column("queued_at", Moment, nullable=False),
    Column("finished_at", Moment, nullable=False),
    Column("pruned_at", Moment, nullable=False),
)

for statement in ddl():
    event.listen(ml_jobs, "after_create", statement)

api_keys = Table(
    "api_keys",
    metadata,
    # The public part of the key. The key itself is stored nowhere.
    Column("id", String(16), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
    CheckConstraint("scope IN ('read', 'run', 'admin')", name="scope_known"),
)
# A name can be given again once its key was revoked.
Index(
    "uq_api_keys_name",
    api_keys.c.name,
    unique=True,
    sqlite_where=api_keys.c.revoked_at.is_(None),
    postgresql_where=api_keys.c.revoked_at.is_(None),
)

api_sessions = Table(
    "api_sessions",
    metadata,
    # Of the cookie, which is stored nowhere either.
    Column("digest", String(64), primary_key=True),
    Column("key_id", String(16), ForeignKey("api_keys.id"), nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    # No foreign keys: what is told outlives what it tells of.
    Column("who", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("address", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("detail", JSON(none_as_null=True), nullable=False),
    CheckConstraint("outcome IN ('done', 'refused')", name="outcome_known"),
    sqlite_autoincrement=True,
)

for statement in append_only():
    event.listen(audit_log, "after_create", statement)
