"""Whether a database is away or will not: one is waited for, the other never takes it."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from onward.database import open_database, writing
from onward.errors import StorageError, StorageRefusedError
from onward.testing.postgres import PostgresServer

ON_POSTGRESQL = {
    "SELECT CAST('x' AS integer)": "invalid input syntax",
    "SELECT absent FROM ml_jobs": "does not exist",
    "SELECT * FROM nowhere": "no tables of Onward",
    "SELECT now(": "syntax error",
    "SELECT 1 / 0": "division by zero",
    "DO $$ BEGIN RAISE EXCEPTION 'by a trigger'; END $$": "by a trigger",
    "SELECT (SELECT 1 UNION SELECT 2)": "more than one row",
    f"SELECT 1{'+1' * 20_000}": "stack depth limit",
}
ON_SQLITE = {
    "SELECT absent FROM ml_jobs": "no such column",
    "SELECT * FROM nowhere": "no tables of Onward",
    "SELECT now(": "incomplete input",
    "SELECT zeroblob(2000000000)": "too big",
}


def told(engine: Engine, statement: str, **values: object) -> StorageError:
    with pytest.raises(StorageError) as caught, writing(engine) as connection:
        connection.execute(text(statement), values)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("statement", ON_POSTGRESQL, ids=lambda statement: statement[:32])
def test_postgresql_refuses(statement: str, emptied_postgres: str) -> None:
    engine = open_database(emptied_postgres)
    error = told(engine, statement)
    assert isinstance(error, StorageRefusedError), repr(error)
    assert ON_POSTGRESQL[statement] in str(error)
    assert len(str(error)) < 500
    engine.dispose()


@pytest.mark.parametrize("statement", ON_SQLITE)
def test_sqlite_refuses(statement: str, sqlite_template: object) -> None:
    engine = open_database(f"sqlite:///{sqlite_template}")
    error = told(engine, statement)
    assert isinstance(error, StorageRefusedError), repr(error)
    assert ON_SQLITE[statement] in str(error)
    engine.dispose()


def test_a_value_that_is_refused_is_not_told(emptied_postgres: str) -> None:
    engine = open_database(emptied_postgres)
    error = told(engine, "SELECT CAST(:secret AS text)", secret="key-\x00")
    assert isinstance(error, StorageRefusedError)
    assert "NUL" in str(error)
    assert "SELECT CAST" in str(error), "it says what was asked"
    assert "key-" not in str(error)
    engine.dispose()


def test_what_goes_on_after_an_error_is_refused(emptied_postgres: str) -> None:
    engine = open_database(emptied_postgres)
    with pytest.raises(StorageRefusedError, match="aborted"), writing(engine) as connection:
        _goes_on(connection)
    engine.dispose()


def _goes_on(connection: Connection) -> None:
    with pytest.raises(DBAPIError, match="division"):
        connection.execute(text("SELECT 1 / 0"))
    connection.execute(text("SELECT 1"))


def test_constraints_pass_through(database: Engine) -> None:
    with pytest.raises(IntegrityError), writing(database) as connection:
        connection.execute(text("INSERT INTO model_versions (model, version) VALUES ('m', 1)"))


def test_what_may_be_otherwise_in_a_moment_is_no_refusal(
    postgres_server: PostgresServer, emptied_postgres: str
) -> None:
    engine = open_database(emptied_postgres)
    for statement in (
        "SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(5)",
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "SET TRANSACTION READ ONLY; DELETE FROM runs",  # as while another server takes over
    ):
        assert not isinstance(told(engine, statement), StorageRefusedError), statement
    nowhere = open_database(postgres_server.url("not_there_yet"))
    assert not isinstance(told(nowhere, "SELECT 1"), StorageRefusedError)
    nowhere.dispose()
    engine.dispose()


def test_a_locked_file_is_no_refusal(tmp_path: object, sqlite_template: object) -> None:
    one = open_database(f"sqlite:///{tmp_path}/onward.db", busy_timeout_seconds=0.05)
    other = open_database(f"sqlite:///{tmp_path}/onward.db")
    with writing(other) as connection:
        connection.execute(text("CREATE TABLE held (id INTEGER)"))
        assert not isinstance(told(one, "CREATE TABLE mine (id INTEGER)"), StorageRefusedError)
    one.dispose()
    other.dispose()
