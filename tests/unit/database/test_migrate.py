"""Migrations make exactly the declared tables, once, and refuse what they do not know."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from onward.database import HEAD, current_revision, ensure_current, open_database, reading, upgrade, writing
from onward.database.tables import metadata
from onward.errors import StorageError


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path}/onward.db")
    yield engine
    engine.dispose()


def statements(engine: Engine) -> dict[str, str]:
    query = text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version'")
    with reading(engine) as connection:
        return {name: " ".join(sql.split()) for name, sql in connection.execute(query)}


def test_metadata_equals_migrations(engine: Engine, tmp_path: Path) -> None:
    upgrade(engine)
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    # Autogenerate does not see CHECK constraints; the statements themselves show everything.
    declared = open_database(f"sqlite:///{tmp_path}/declared.db")
    with writing(declared) as connection:
        metadata.create_all(connection)
    assert statements(engine) == statements(declared)
    declared.dispose()


def test_head_is_the_newest_script() -> None:
    configuration = Config()
    configuration.set_main_option("script_location", "onward.database:migrations")
    configuration.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(configuration).get_heads() == [HEAD]


def test_upgrade_twice_changes_nothing(engine: Engine) -> None:
    assert current_revision(engine) is None
    assert upgrade(engine) == HEAD
    before = statements(engine)
    assert upgrade(engine) == HEAD
    assert current_revision(engine) == HEAD
    assert statements(engine) == before


def test_ensure_current_migrates_the_embedded_database(engine: Engine) -> None:
    ensure_current(engine)
    assert current_revision(engine) == HEAD


def test_newer_database(engine: Engine) -> None:
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(StorageError, match="newer version of Onward") as caught:
        ensure_current(engine)
    assert caught.value.got == "revision 0999"
    assert "Upgrade Onward" in str(caught.value)


def test_database_of_another_program(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE trades (id INTEGER)"))
    with pytest.raises(StorageError, match="another program"):
        upgrade(engine)
    assert set(statements(engine)) == {"trades"}


def test_alembic_database_of_another_program(engine: Engine) -> None:
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ae1027a6acf'"))
    with pytest.raises(StorageError, match="another program"):
        upgrade(engine)


def test_several_revisions_at_once(engine: Engine) -> None:
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES ('0000')"))
    with pytest.raises(StorageError, match="several revisions"):
        upgrade(engine)


def test_a_failed_migration_leaves_nothing(engine: Engine) -> None:
    with writing(engine) as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
    raw = engine.raw_connection()
    raw.driver_connection.execute(f"PRAGMA max_page_count = {pages + 6}")  # type: ignore[union-attr]
    raw.close()
    with pytest.raises(StorageError, match="disk is full"):
        upgrade(engine)
    assert current_revision(engine) is None
    assert statements(engine) == {}


def test_many_processes_start_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from onward.database import open_database, upgrade; "
        "sys.stdin.readline(); print(upgrade(open_database(sys.argv[1])))"
    )
    url = f"sqlite:///{tmp_path}/onward.db"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [(out.strip(), err) for out, err in outputs] == [(HEAD, "")] * 3


def test_tables_are_valid_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert " INDEX " in str(CreateIndex(index).compile(dialect=dialect))
