"""Jobs, their events, and what is left of pruned ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Written out and never touched again: a migration must do tomorrow what it did today.
SQLITE_TRIGGERS = (
    """CREATE TRIGGER ml_jobs_ended BEFORE UPDATE ON ml_jobs
WHEN OLD.state IN ('succeeded', 'failed', 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a job that has ended does not change'); END""",
    """CREATE TRIGGER ml_jobs_steps BEFORE UPDATE OF state ON ml_jobs
WHEN NOT (OLD.state = NEW.state
    OR (OLD.state = 'queued' AND NEW.state IN ('starting', 'cancelled'))
    OR (OLD.state = 'starting' AND NEW.state IN ('running', 'stopping', 'queued', 'failed', 'cancelled'))
    OR (OLD.state = 'running' AND NEW.state IN ('stopping', 'queued', 'succeeded', 'failed', 'cancelled'))
    OR (OLD.state = 'stopping' AND NEW.state IN ('queued', 'failed', 'cancelled')))
BEGIN SELECT RAISE(ABORT, 'a job does not take this step'); END""",
    """CREATE TRIGGER ml_jobs_fence BEFORE UPDATE OF attempt ON ml_jobs
WHEN NEW.attempt < OLD.attempt
BEGIN SELECT RAISE(ABORT, 'attempts of a job only count up'); END""",
    """CREATE TRIGGER ml_jobs_kept BEFORE DELETE ON ml_jobs
WHEN OLD.state NOT IN ('succeeded', 'failed', 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a job that has not ended is not deleted'); END""",
)
POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION ml_jobs_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = TG_ARGV[0]; END $$""",
    """CREATE TRIGGER ml_jobs_ended BEFORE UPDATE ON ml_jobs FOR EACH ROW
WHEN (OLD.state IN ('succeeded', 'failed', 'cancelled'))
EXECUTE FUNCTION ml_jobs_refuse('a job that has ended does not change')""",
    """CREATE TRIGGER ml_jobs_steps BEFORE UPDATE OF state ON ml_jobs FOR EACH ROW
WHEN (NOT (OLD.state = NEW.state
    OR (OLD.state = 'queued' AND NEW.state IN ('starting', 'cancelled'))
    OR (OLD.state = 'starting' AND NEW.state IN ('running', 'stopping', 'queued', 'failed', 'cancelled'))
    OR (OLD.state = 'running' AND NEW.state IN ('stopping', 'queued', 'succeeded', 'failed', 'cancelled'))
    OR (OLD.state = 'stopping' AND NEW.state IN ('queued', 'failed', 'cancelled'))))
EXECUTE FUNCTION ml_jobs_refuse('a job does not take this step')""",
    """CREATE TRIGGER ml_jobs_fence BEFORE UPDATE OF attempt ON ml_jobs FOR EACH ROW
WHEN (NEW.attempt < OLD.attempt)
EXECUTE FUNCTION ml_jobs_refuse('attempts of a job only count up')""",
    """CREATE TRIGGER ml_jobs_kept BEFORE DELETE ON ml_jobs FOR EACH ROW
WHEN (OLD.state NOT IN ('succeeded', 'failed', 'cancelled'))
EXECUTE FUNCTION ml_jobs_refuse('a job that has not ended is not deleted')""",
)


def upgrade() -> None:
    """Create the tables of jobs; models and runs stay as they are."""
    op.create_table(
        "ml_jobs",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("idempotency_key", sa.String(200)),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("run_after", sa.BigInteger(), nullable=False),
        sa.Column("scheduled", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(16)),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text()),
        sa.Column("hb_seq", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat_at", sa.BigInteger()),
        sa.Column("backend", sa.String(32), nullable=False),
        sa.Column("host", sa.Text()),
        sa.Column("boot_id", sa.Text()),
        sa.Column("pid", sa.BigInteger()),
        sa.Column("pid_start_ticks", sa.BigInteger()),
        sa.Column("sid", sa.BigInteger()),
        sa.Column("external_ref", sa.Text()),
        sa.Column("cancel_requested_at", sa.BigInteger()),
        sa.Column("stop_deadline", sa.BigInteger()),
        sa.Column("timeout_s", sa.Float()),
        sa.Column("mem_limit_mb", sa.Integer()),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("progress_at", sa.BigInteger()),
        sa.Column("result", sa.JSON()),
        sa.Column("error", sa.JSON()),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("retry_of", sa.String(32)),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ml_jobs"),
        sa.UniqueConstraint("tenant", "idempotency_key", name="uq_ml_jobs_tenant_idempotency_key"),
        sa.CheckConstraint(
            "state IN ('queued', 'starting', 'running', 'stopping', 'succeeded', 'failed', 'cancelled')",
            name=op.f("ck_ml_jobs_state_known"),
        ),
        sa.CheckConstraint(
            "reason IN ('error', 'oom', 'timeout', 'stalled', 'worker_lost', 'spawn_failed')",
            name=op.f("ck_ml_jobs_reason_known"),
        ),
        sa.CheckConstraint(
            "(state = 'failed' AND reason IS NOT NULL) OR state = 'stopping' "
            "OR (state <> 'failed' AND reason IS NULL)",
            name=op.f("ck_ml_jobs_failed_has_reason"),
        ),
        sa.CheckConstraint(
            "(state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name=op.f("ck_ml_jobs_ended_has_time"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('starting', 'running', 'stopping') OR (owner IS NOT NULL AND attempt >= 1)",
            name=op.f("ck_ml_jobs_held_has_owner"),
        ),
        sa.CheckConstraint("state <> 'queued' OR owner IS NULL", name=op.f("ck_ml_jobs_queued_has_no_owner")),
        sa.CheckConstraint("max_attempts >= 1", name=op.f("ck_ml_jobs_max_attempts_positive")),
        sa.CheckConstraint("attempt >= 0", name=op.f("ck_ml_jobs_attempt_not_negative")),
    )
    op.create_index("ix_ml_jobs_queued_at_id", "ml_jobs", ["queued_at", "id"])
    queued = sa.text("state = 'queued'")
    op.create_index(
        "ix_ml_jobs_queued",
        "ml_jobs",
        [sa.text("priority DESC"), "queued_at", "id"],
        sqlite_where=queued,
        postgresql_where=queued,
    )
    held = sa.text("state IN ('starting', 'running', 'stopping')")
    op.create_index("ix_ml_jobs_held", "ml_jobs", ["owner"], sqlite_where=held, postgresql_where=held)
    op.create_table(
        "ml_job_events",
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "seq", name="pk_ml_job_events"),
        sa.CheckConstraint("seq >= 1", name=op.f("ck_ml_job_events_seq_positive")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["ml_jobs.id"], name="fk_ml_job_events_job_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "ml_job_tombstones",
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("idempotency_key", sa.String(200), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(16)),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.Column("pruned_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "idempotency_key", name="pk_ml_job_tombstones"),
    )
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if on_sqlite else POSTGRESQL_TRIGGERS:
        op.execute(statement)
