"""The registry in MLflow keeps every promise of `ModelRegistry`."""

from __future__ import annotations

from pathlib import Path

import pytest

from onward.registry import ModelRegistry, PostingRegistry, TransactionalRegistry
from onward.registry.mlflow import Connection, MlflowRegistry
from onward.storage import LocalCopies
from onward.testing.mlflow_store import copy_mlflow, make_mlflow, missing
from onward.testing.registry import CHECKS, Check, Workshop

REASON = missing()
pytestmark = [
    pytest.mark.skipif(REASON is not None, reason=str(REASON)),
    # MLflow's own tables use what SQLAlchemy 2.1 has deprecated.
    pytest.mark.filterwarnings("ignore:.*noload.*:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mlflow(tmp_path_factory.mktemp("mlflow"))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_registry_in_mlflow(check: Check, template: Path, tmp_path: Path) -> None:
    (tmp_path / "workshop").mkdir()
    connection = Connection(copy_mlflow(template, tmp_path / "mlflow"))
    check(MlflowRegistry(connection, LocalCopies(tmp_path / "copies")), Workshop(tmp_path / "workshop"))


def test_it_joins_no_transaction(tmp_path: Path) -> None:
    registry = MlflowRegistry(Connection("https://mlflow.example"), LocalCopies(tmp_path))
    assert isinstance(registry, ModelRegistry)
    assert isinstance(registry, PostingRegistry)
    assert not isinstance(registry, TransactionalRegistry)
