"""A registry over a database and a directory of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from onward.database import open_database, upgrade
from onward.registry import EmbeddedRegistry


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path}/onward.db")
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def registry(engine: Engine, tmp_path: Path) -> EmbeddedRegistry:
    return EmbeddedRegistry(engine, tmp_path / "models")
