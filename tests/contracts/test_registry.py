"""The embedded registry keeps every promise of `ModelRegistry`, on each database."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine

from onward.database import open_database, upgrade
from onward.registry import EmbeddedRegistry, TransactionalRegistry
from onward.registry.remote_placement import RemotePlacement
from onward.storage import LocalCopies, S3Store
from onward.testing.object_server import ObjectServer
from onward.testing.registry import CHECKS, Check, Workshop, check_registry


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_embedded_registry(check: Check, database: Engine, tmp_path: Path) -> None:
    (tmp_path / "workshop").mkdir()
    check(EmbeddedRegistry(database, tmp_path / "models"), Workshop(tmp_path / "workshop"))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_embedded_registry_with_bundles_in_a_store(
    check: Check, sqlite_template: Path, object_server: ObjectServer, tmp_path: Path
) -> None:
    shutil.copy(sqlite_template, tmp_path / "onward.db")
    engine = open_database(f"sqlite:///{tmp_path}/onward.db")
    (tmp_path / "workshop").mkdir()
    places = RemotePlacement(S3Store(object_server.options()), LocalCopies(tmp_path / "copies"))
    check(EmbeddedRegistry(engine, places), Workshop(tmp_path / "workshop"))
    engine.dispose()


def test_it_can_join_a_transaction(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/onward.db")
    assert isinstance(EmbeddedRegistry(engine, tmp_path / "models"), TransactionalRegistry)


def test_the_suite_catches_a_registry_that_hands_out_damage(tmp_path: Path) -> None:
    class Careless(EmbeddedRegistry):
        def open(self, reference: str) -> Path:
            return self.resolve(reference).directory

    made = 0

    def factory() -> Careless:
        nonlocal made
        made += 1
        engine = open_database(f"sqlite:///{tmp_path}/{made}.db")
        upgrade(engine)
        return Careless(engine, tmp_path / f"models-{made}")

    with pytest.raises(AssertionError, match="BundleError was promised"):
        check_registry(factory)
