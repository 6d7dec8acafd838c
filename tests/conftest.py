"""Settings and databases that every test shares."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine

from onward.database import open_database, upgrade
from onward.database.tables import metadata
from onward.testing import object_server as objects
from onward.testing.object_server import ObjectServer
from onward.testing.postgres import PostgresServer, missing

# The same examples on every run: a build must not fail by the luck of the draw. `make nightly`
# draws new ones (HYPOTHESIS_PROFILE=default).
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

TEMPLATE = "onward_template"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server, started when the first test of this process asks for it."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """Name of a database with all tables, to be copied by tests that need several, or change them."""
    postgres_server.execute(f"CREATE DATABASE {TEMPLATE}")
    engine = open_database(postgres_server.url(TEMPLATE))
    upgrade(engine)
    engine.dispose()
    return TEMPLATE


@pytest.fixture(scope="session")
def object_server() -> Iterator[ObjectServer]:
    """An S3 server, started when the first test of this process asks for it; each test its own prefix."""
    reason = objects.missing()
    if reason is not None:
        pytest.skip(reason)
    with ObjectServer() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File with all tables, to be copied."""
    file = tmp_path_factory.mktemp("template") / "onward.db"
    engine = open_database(f"sqlite:///{file}")
    upgrade(engine)
    engine.dispose()
    return file


@pytest.fixture(scope="session")
def common_postgres(postgres_server: PostgresServer, postgres_template: str) -> str:
    """Address of the database that tests use one after the other: copies cost time and disk."""
    return postgres_server.create_database(postgres_template)


@pytest.fixture
def emptied_postgres(postgres_server: PostgresServer, common_postgres: str) -> str:
    """Address of a PostgreSQL database whose tables are there, and empty."""
    import psycopg  # only where it is needed

    tables = ", ".join(metadata.tables)
    with psycopg.connect(postgres_server.conninfo(common_postgres), autocommit=True) as connection:
        connection.execute("SET lock_timeout = '10s'")
        connection.execute("SET session_replication_role = replica")  # the audit log refuses to be emptied
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")
    return common_postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a fresh database with all tables, once on each kind of database."""
    if request.param == "postgresql":
        return request.getfixturevalue("emptied_postgres")
    shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "onward.db")
    return f"sqlite:///{tmp_path}/onward.db"


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """Engine of a fresh database with all tables, once on each kind of database."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()
