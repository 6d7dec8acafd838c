"""SQLite is opened durable, strict and patient; each refusal says what it means."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from onward.database import exclusive, open_database, reading, writing
from onward.errors import ConfigError, StorageError
from onward.testing.postgres import PostgresServer


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path}/test.db", busy_timeout_seconds=0.2)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE child (id INTEGER REFERENCES parent (id), note TEXT)"))
    yield engine
    engine.dispose()


def pragma(engine: Engine, name: str, **options: bool) -> object:
    with writing(engine, **options) as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_modes(engine: Engine) -> None:
    assert pragma(engine, "journal_mode") == "wal"
    assert pragma(engine, "foreign_keys") == 1
    assert pragma(engine, "synchronous") == 2
    assert pragma(engine, "synchronous", durable=False) == 1
    # The connection goes back to the pool: the next writer is durable again.
    assert pragma(engine, "synchronous") == 2


def test_busy_timeout_is_30_seconds_unless_told(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/test.db")
    assert pragma(engine, "busy_timeout") == 30_000
    engine.dispose()


def test_foreign_keys_are_enforced_and_pass_through(engine: Engine) -> None:
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(text("INSERT INTO child (id) VALUES (7)"))


def test_an_error_rolls_back(engine: Engine) -> None:
    def interrupted() -> None:
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO parent (id) VALUES (1)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM parent")) == 0


def test_reading_is_one_view_and_cannot_write(engine: Engine) -> None:
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM parent")) == 0
        with writing(engine) as other:
            other.execute(text("INSERT INTO parent (id) VALUES (1)"))
        assert connection.scalar(text("SELECT count(*) FROM parent")) == 0
    with pytest.raises(StorageError, match="may only be read"), reading(engine) as connection:
        connection.execute(text("INSERT INTO parent (id) VALUES (2)"))
    with writing(engine) as connection:
        exclusive(connection, "any")
        connection.execute(text("INSERT INTO parent (id) VALUES (3)"))


def test_a_plain_begin_takes_the_writers_place_at_once(engine: Engine) -> None:
    with engine.begin(), pytest.raises(StorageError, match="locked by another process"), writing(engine):
        pytest.fail("a second writer got in")


def test_locked(engine: Engine, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked by another process") as caught, writing(engine):
        pytest.fail("wrote beside another writer")
    assert "test.db" in str(caught.value)
    other.execute("ROLLBACK")
    other.close()
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO parent (id) VALUES (1)"))


def test_full_disk_loses_nothing(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO parent (id) VALUES (1)"))
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

    def fill() -> None:
        with writing(engine) as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            connection.execute(text("INSERT INTO parent (id) VALUES (2)"))
            connection.execute(text("INSERT INTO child VALUES (2, :note)"), {"note": "x" * 1_000_000})

    with pytest.raises(StorageError, match="disk is full"):
        fill()
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT group_concat(id) FROM parent")) == "1"


def test_read_only_file(engine: Engine, tmp_path: Path) -> None:
    read_only = open_database(f"sqlite:///file:{tmp_path}/test.db?mode=ro&uri=true")
    with pytest.raises(StorageError, match="may only be read"), writing(read_only) as connection:
        connection.execute(text("INSERT INTO parent (id) VALUES (1)"))
    read_only.dispose()


def test_not_a_database(tmp_path: Path) -> None:
    (tmp_path / "test.db").write_bytes(b"PAR1 this is a Parquet file, honestly" * 100)
    engine = open_database(f"sqlite:///{tmp_path}/test.db")
    with pytest.raises(StorageError, match="not an Onward database"), reading(engine):
        pytest.fail("opened a file of another format")


def test_damaged(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        for number in range(200):
            connection.execute(text("INSERT INTO child (note) VALUES (:n)"), {"n": f"{number}" * 100})
    with engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    engine.dispose()
    file = tmp_path / "test.db"
    content = bytearray(file.read_bytes())
    content[4096 * 2 :] = b"\xa5" * (len(content) - 4096 * 2)
    file.write_bytes(content)
    engine = open_database(f"sqlite:///{file}")
    with pytest.raises(StorageError, match="damaged"), reading(engine) as connection:
        connection.execute(text("SELECT * FROM child ORDER BY note")).all()
    engine.dispose()


def test_missing_tables_name_the_command(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(StorageError, match="onward db upgrade"), reading(engine) as connection:
        connection.execute(text("SELECT * FROM runs"))
    engine.dispose()


def test_a_directory_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "test.db").mkdir()
    engine = open_database(f"sqlite:///{tmp_path}/test.db")
    with pytest.raises(StorageError, match="cannot be opened"), reading(engine):
        pytest.fail("opened a directory")


def test_a_file_in_the_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(StorageError, match="cannot be created"):
        open_database(f"sqlite:///{tmp_path}/home/test.db")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("onward.db", "not understood"),
        ("", "not understood"),
        ("mysql://localhost/onward", "not supported"),
        ("sqlite://", "in-memory"),
        ("sqlite:///:memory:", "in-memory"),
        ("postgresql+nosuchdriver://localhost/onward", "driver"),
    ],
)
def test_bad_addresses(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        open_database(url)
    assert caught.value.remedy


def test_passwords_stay_out_of_messages() -> None:
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    engine = open_database("postgresql://user:hunter2@127.0.0.1:1/nothing")
    with pytest.raises(StorageError) as caught, reading(engine):
        pytest.fail("connected to nothing")
    assert "hunter2" not in str(caught.value)


def test_importing_stays_cheap() -> None:
    code = (
        "import sys, onward.database; print([m for m in ('alembic', 'pandas', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("seconds", "shown"), [(0.25, "250ms"), (60.0, "1min")])
def test_postgresql_ends_idle_transactions_when_it_is_told_to(
    seconds: float, shown: str, postgres_server: PostgresServer
) -> None:
    engine = open_database(postgres_server.url("postgres"), idle_seconds=seconds)
    try:
        with engine.connect() as connection:
            assert connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one() == shown
    finally:
        engine.dispose()
