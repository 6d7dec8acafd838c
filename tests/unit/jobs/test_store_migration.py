"""A database of the first revision gets the tables of jobs, and keeps what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from onward.database import HEAD, current_revision, open_database, reading, upgrade, writing
from onward.database.tables import metadata, runs
from onward.jobs.store import SqlJobStore
from onward.testing.job_store.ways import SUCCESS, running
from onward.testing.postgres import PostgresServer

BEFORE = """
INSERT INTO models VALUES ('btc-1h', 1, 3);
INSERT INTO model_versions VALUES ('btc-1h', 1, 'd1', 'btc-1h/d1', 'passed', '{"a": 1}', 2);
INSERT INTO model_versions VALUES ('btc-1h', 2, 'd2', 'btc-1h/d2', 'failed', '{}', 3);
INSERT INTO model_aliases VALUES ('btc-1h', 'champion', 1);
INSERT INTO model_alias_events (model, alias, action, version, actor, reason, at)
    VALUES ('btc-1h', 'champion', 'set', 1, 'ann', 'first', 4);
INSERT INTO runs (id, created_at, kind, status, plan_hash, plan, data_hash, label_family, data, scores,
    verdicts, looked_at, looked_at_time, job_id, duration_seconds, model_ref, report_path)
    VALUES ('r1', 5, 'train', 'succeeded', 'p', '{}', 'd', 'threshold', '{}', '{"auc": 0.5}', '{}', {true}, 6,
    'j1', 1.5, NULL, NULL);
"""
OLD_TABLES = ("models", "model_versions", "model_aliases", "model_alias_events", "runs")
CATALOGUE = """
SELECT 'column', table_name, column_name, data_type || coalesce(character_maximum_length::text, '')
    || is_nullable || ordinal_position FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', '', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    else:
        url = f"sqlite:///{tmp_path}/onward.db"
    engine = open_database(url)
    yield engine
    engine.dispose()


def migrate_to(engine: Engine, revision: str) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", "onward.database:migrations")
    configuration.set_main_option("path_separator", "os")
    with writing(engine) as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)


def contents(engine: Engine) -> dict[str, list[dict[str, object]]]:
    with reading(engine) as connection:
        return {
            table: [
                dict(row._mapping) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))
            ]
            for table in OLD_TABLES
        }


def test_rows_of_the_first_revision_are_kept(empty: Engine) -> None:
    migrate_to(empty, "0001")
    assert current_revision(empty) == "0001"
    true = "true" if empty.dialect.name == "postgresql" else "1"
    with writing(empty) as connection:
        for statement in BEFORE.replace("{true}", true).strip().rstrip(";").split(";\n"):
            connection.exec_driver_sql(statement)
    before = contents(empty)
    assert upgrade(empty) == HEAD
    assert current_revision(empty) == HEAD
    after = contents(empty)
    for table, rows in before.items():  # later columns are empty in older rows
        assert [{**row, **old} for row, old in zip(after[table], rows, strict=True)] == after[table]
        assert {
            row[name] for row, old in zip(after[table], rows, strict=True) for name in row.keys() - old
        } <= {None}
    assert [len(rows) for rows in before.values()] == [1, 2, 1, 1, 1]
    with reading(empty) as connection:
        assert connection.execute(runs.select()).one().looked_at_time == datetime(
            1970, 1, 1, 0, 0, 0, 6, tzinfo=UTC
        )
    store = SqlJobStore(empty)
    assert store.finish(running(store), SUCCESS)


def test_migrations_make_the_declared_tables_on_postgresql(postgres_server: PostgresServer) -> None:
    found = []
    for make in (upgrade, create):
        engine = open_database(postgres_server.create_database())
        make(engine)
        with reading(engine) as connection:
            rows = {tuple(row) for row in connection.execute(text(CATALOGUE))}
        engine.dispose()
        found.append({row for row in rows if "alembic_version" not in row})
    migrated, declared = found
    assert migrated == declared
    assert sum(kind == "trigger" for kind, *_ in migrated) == 4 + 2
    assert sum(kind == "index" for kind, *_ in migrated) > 10


def create(engine: Engine) -> None:
    with writing(engine) as connection:
        metadata.create_all(connection)
