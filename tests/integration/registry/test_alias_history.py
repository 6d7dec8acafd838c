"""What aliases stood for and when: it outlives the versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from onward.errors import RegistryError
from onward.registry import EmbeddedRegistry
from onward.testing.registry import stage_bundle


def test_what_was_live_at_a_moment(engine: Engine, tmp_path: Path) -> None:
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    now = noon
    registry = EmbeddedRegistry(engine, tmp_path / "models", clock=lambda: now)
    for number in (1, 2):
        stage_bundle(tmp_path / str(number), seed=number)
        registry.publish(tmp_path / str(number))

    def live(hours: float) -> int | None:
        event = registry.alias_at("btc-1h", "champion", noon + timedelta(hours=hours))
        return event.version if event else None

    registry.set_alias("btc-1h", "champion", 1)
    now = noon + timedelta(hours=2)
    registry.set_alias("btc-1h", "champion", 2)
    now = noon + timedelta(hours=1)  # the clock was set back
    registry.rollback("btc-1h", "champion")
    now = noon + timedelta(hours=5)
    registry.delete_alias("btc-1h", "champion")
    assert [live(h) for h in (-1, 0, 1, 1.999, 2, 3, 4.999, 5, 9)] == [None, 1, 1, 1, 1, 1, 1, None, None]
    assert [e.at for e in registry.alias_history("btc-1h")] == [
        noon,
        noon + timedelta(hours=2),
        noon + timedelta(hours=2),
        noon + timedelta(hours=5),
    ]
    with pytest.raises(Exception, match="no time zone"):
        registry.alias_at("btc-1h", "champion", datetime(2026, 5, 1))


def test_rolling_back_to_a_deleted_version_says_so(registry: EmbeddedRegistry, tmp_path: Path) -> None:
    for number in (1, 2):
        stage_bundle(tmp_path / str(number), seed=number)
        registry.publish(tmp_path / str(number))
        registry.set_alias("btc-1h", "champion", number)
    assert registry.cleanup("btc-1h", max_versions=1) == (), "what a rollback would restore stays"
    registry.delete("btc-1h/1")
    with pytest.raises(RegistryError, match="has been deleted"):
        registry.rollback("btc-1h", "champion")
    assert registry.resolve("btc-1h@champion").number == 2


def test_history_outlives_the_versions(registry: EmbeddedRegistry, tmp_path: Path) -> None:
    stage_bundle(tmp_path / "staged")
    registry.publish(tmp_path / "staged")
    registry.set_alias("btc-1h", "champion", 1, "ann", "x" * 2000)
    with pytest.raises(RegistryError, match="2001 characters"):
        registry.delete_alias("btc-1h", "champion", "ann", "x" * 2001)
    registry.delete_alias("btc-1h", "champion")
    registry.delete("btc-1h/1")
    assert registry.list_models() == ()
    assert registry.list_versions("btc-1h") == ()
    assert [event.version for event in registry.alias_history("btc-1h")] == [1, None]
    with pytest.raises(RegistryError, match="all were deleted"):
        registry.resolve("btc-1h/latest")
