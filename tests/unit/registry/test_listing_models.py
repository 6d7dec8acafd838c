"""A list of models asks as many questions of the database for many models as for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from onward.database import open_database, upgrade
from onward.registry import EmbeddedRegistry
from onward.registry.known_manifests import CAPACITY
from onward.testing.registry import stage_bundle


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path}/onward.db")
    upgrade(engine)
    yield engine
    engine.dispose()


def test_aliases_of_all_models_are_asked_for_once(engine: Engine, tmp_path: Path) -> None:
    registry = EmbeddedRegistry(engine, tmp_path / "models")
    for number in range(3):
        staged = tmp_path / f"staged-{number}"
        stage_bundle(staged, name=f"model-{number}", seed=number)
        registry.publish(staged)
    registry.set_alias("model-1", "champion", 1)
    registry.set_alias("model-1", "challenger", 1)
    registry.set_alias("model-2", "champion", 1)
    asked: list[str] = []

    def listen(*given: Any) -> None:
        asked.append(given[2])

    event.listen(engine, "before_cursor_execute", listen)
    found = registry.list_models()
    assert [one.aliases for one in found] == [
        (),
        (("challenger", 1), ("champion", 1)),
        (("champion", 1),),
    ]
    assert sum(text.lstrip().upper().startswith("SELECT") for text in asked) == 2


def test_versions_in_use_are_read_at_once_and_no_second_time(engine: Engine, tmp_path: Path) -> None:
    """More of them than are kept for others: one question for what they are, one for their aliases."""
    registry = EmbeddedRegistry(engine, tmp_path / "models")
    for number in range(CAPACITY + 2):
        staged = tmp_path / f"staged-{number}"
        stage_bundle(staged, name=f"model-{number:03}", seed=number)
        registry.publish(staged)
        registry.set_alias(f"model-{number:03}", "champion", 1)
    registry.set_alias("model-000", "challenger", 1)
    stage_bundle(tmp_path / "newer", name="model-000", seed=1000)
    registry.publish(tmp_path / "newer")  # nobody uses it
    registry.in_use()
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    found = registry.in_use()
    assert sum(text.lstrip().upper().startswith("SELECT") for text in asked) == 2
    assert [(one.name, one.number) for one in found] == [
        (f"model-{number:03}", 1) for number in range(CAPACITY + 2)
    ]
    assert [one.aliases for one in found[:2]] == [("challenger", "champion"), ("champion",)]
    assert found[3].manifest == registry.resolve("model-003/1").manifest
